//! Read positions, beside the writer: no post waits for them, and they lock no room. What has gathered while the last
//! statement was under way is one statement.

use super::super::StoreError;
use super::super::columns::furthest;
use super::super::event_row::json;
use super::super::writer::ReadMark;
use super::connections::Connections;
use crate::domain::{RoomId, UserId};
use std::collections::HashSet;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Marks of one statement, and marks that may wait for it.
const TOGETHER: usize = 1_000;

/// After a row was locked by somebody else.
const RETRY: Duration = Duration::from_millis(50);

/// Never back, never beyond the head; no row for somebody who is not a member. It waits for nobody's lock, so it is in
/// no ring of those who wait for each other: the members that it left out come back, and are tried again.
const MARK_READ: &str = r#"WITH marks AS (
        SELECT m.room_id, m.user_id, least(j.seq, r.head) AS seq
        FROM jsonb_to_recordset($1::jsonb) AS j (room bigint, "user" bigint, seq bigint)
        JOIN rooms AS r ON r.id = j.room
        JOIN memberships AS m ON m.room_id = r.id AND m.user_id = j."user"
        WHERE m.last_read < least(j.seq, r.head)
    ), locked AS (
        SELECT m.room_id, m.user_id, marks.seq FROM memberships AS m
        JOIN marks ON marks.room_id = m.room_id AND marks.user_id = m.user_id
        FOR NO KEY UPDATE OF m SKIP LOCKED
    ), moved AS (
        UPDATE memberships AS m SET last_read = greatest(m.last_read, locked.seq) FROM locked
        WHERE m.room_id = locked.room_id AND m.user_id = locked.user_id
        RETURNING m.room_id, m.user_id
    )
    SELECT room_id, user_id FROM marks EXCEPT SELECT room_id, user_id FROM moved"#;

/// The end that the store holds.
pub(super) struct Marks {
    jobs: mpsc::Sender<Job>,
    stop: CancellationToken,
    ended: CancellationToken,
}

struct Job {
    mark: ReadMark,
    /// When it is given up.
    until: Instant,
    done: oneshot::Sender<Result<(), StoreError>>,
}

impl Marks {
    /// And the work, which ends after [`close`](Marks::close), or when the store is dropped.
    pub fn new(connections: &Connections) -> (Marks, impl Future<Output = ()> + Send + 'static) {
        let (jobs, queue) = mpsc::channel(TOGETHER);
        let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
        let work = work(connections.clone(), queue, stop.clone());
        let end = ended.clone().drop_guard();
        let work = async move {
            let _end = end;
            work.await;
        };
        (Marks { jobs, stop, ended }, work)
    }

    /// Returns when it is durable.
    pub async fn put(&self, mark: ReadMark, patience: Duration) -> Result<(), StoreError> {
        let (done, outcome) = oneshot::channel();
        let job = Job { mark, until: Instant::now() + patience, done };
        self.jobs.send(job).await.map_err(|_| closed())?;
        outcome.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Refuses further marks, and waits until those that are queued are carried out.
    pub async fn close(&self) {
        self.stop.cancel();
        self.ended.cancelled().await;
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".into())
}

async fn work(connections: Connections, mut queue: mpsc::Receiver<Job>, stop: CancellationToken) {
    let mut jobs: Vec<Job> = Vec::new();
    loop {
        tokio::select! {
            biased;
            // Those that were left out do not wait for more.
            () = sleep(RETRY), if !jobs.is_empty() => while jobs.len() < TOGETHER && let Ok(job) = queue.try_recv() {
                jobs.push(job);
            },
            taken = queue.recv_many(&mut jobs, TOGETHER), if jobs.is_empty() => if taken == 0 {
                return;
            },
            () = stop.cancelled(), if !queue.is_closed() => queue.close(),
        }
        if !jobs.is_empty() {
            jobs = carry_out(&connections, jobs).await;
        }
    }
}

/// Those that are to be tried again.
async fn carry_out(connections: &Connections, jobs: Vec<Job>) -> Vec<Job> {
    let outcome = mark_read(connections, &jobs).await;
    let mut again = Vec::new();
    for job in jobs {
        let answer = match &outcome {
            Ok(left_out) if !left_out.contains(&(job.mark.room, job.mark.user)) => Ok(()),
            Ok(_) if job.until > Instant::now() => {
                again.push(job);
                continue;
            }
            Ok(_) => Err(StoreError::Unavailable("a read position is locked".into())),
            Err(error) => Err(error.clone()),
        };
        // Nobody may be waiting any more.
        let _gone = job.done.send(answer);
    }
    again
}

async fn mark_read(connections: &Connections, jobs: &[Job]) -> Result<HashSet<(RoomId, UserId)>, StoreError> {
    let marks: Vec<_> = jobs.iter().map(|job| &job.mark).collect();
    let marks = json(&furthest(&marks).unwrap_or_default())?;
    let left_out: Vec<(i64, i64)> = connections.changed(sqlx::query_as(MARK_READ).bind(marks)).await?;
    Ok(left_out.into_iter().map(|(room, user)| (RoomId(room), UserId(user))).collect())
}
