//! A worker with tasks of the tests' own: those that hear nothing, and very many that have ended.

use crate::app::{PATIENCE, TestApp};
use futures_util::future::try_join_all;
use pickmate::domain::{Access, Lane, TaskId, TaskList, TaskState};
use pickmate::protocol::ServerFrame;
use pickmate::server::clock::now_ms;
use pickmate::server::config::Limits;
use pickmate::server::queue::{self, Payload, Policy};
use pickmate::server::store::{NewTask, Task, TaskWork};
use pickmate::server::tasks::{Context, Failure, Kind, Work, Worker, kind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Blocks its thread until somebody lets it go, whatever it is told.
#[derive(Serialize, Deserialize)]
struct Deaf {}

/// What it waits for.
static RELEASE: Mutex<Option<Receiver<()>>> = Mutex::new(None);

impl Payload for Deaf {
    const NAME: &'static str = "deaf";
    const LANE: Lane = Lane::Blocking;
    const POLICY: Policy = Policy {
        attempts: 1,
        soft_limit: Duration::from_millis(100),
        hard_limit: Duration::from_millis(300),
        ..Policy::DEFAULT
    };
}

impl Work for Deaf {
    async fn run(self, _: &Context) -> Result<Value, Failure> {
        let release = RELEASE.lock().unwrap_or_else(PoisonError::into_inner).take();
        let _released = release.map(|release| release.recv());
        Ok(Value::Null)
    }
}

/// Ends at once.
#[derive(Serialize, Deserialize)]
struct Brief {}

impl Payload for Brief {
    const NAME: &'static str = "brief";
    const LANE: Lane = Lane::Blocking;
}

impl Work for Brief {
    async fn run(self, _: &Context) -> Result<Value, Failure> {
        Ok(Value::Null)
    }
}

/// Waits for ever, unless it is told to end.
#[derive(Serialize, Deserialize)]
struct Waiting {}

impl Payload for Waiting {
    const NAME: &'static str = "waiting";
    const LANE: Lane = Lane::Io;
    const POLICY: Policy = Policy {
        attempts: 1,
        soft_limit: Duration::from_millis(100),
        hard_limit: Duration::from_secs(60),
        ..Policy::DEFAULT
    };
}

impl Work for Waiting {
    async fn run(self, context: &Context) -> Result<Value, Failure> {
        context.unless_stopped(pending()).await
    }
}

/// Tells how far it is a thousand times in a second, and then is there for a while.
#[derive(Serialize, Deserialize)]
struct Talkative {}

const TOLD: u64 = 1_000;

impl Payload for Talkative {
    const NAME: &'static str = "talkative";
    const LANE: Lane = Lane::Io;
}

impl Work for Talkative {
    async fn run(self, context: &Context) -> Result<Value, Failure> {
        for current in 1..=TOLD {
            context.progress(current, Some(TOLD), None);
            sleep(Duration::from_millis(1)).await;
        }
        context.unless_stopped(sleep(Duration::from_secs(60))).await?;
        Ok(Value::Null)
    }
}

/// How many run at a time, and have run, of one lane's.
struct Turns {
    now: AtomicUsize,
    most: AtomicUsize,
    runs: AtomicUsize,
}

impl Turns {
    const fn new() -> Turns {
        Turns { now: AtomicUsize::new(0), most: AtomicUsize::new(0), runs: AtomicUsize::new(0) }
    }

    async fn take(&self) -> Result<Value, Failure> {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        self.runs.fetch_add(1, Ordering::SeqCst);
        sleep(Duration::from_millis(200)).await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        Ok(Value::Null)
    }
}

static WAITERS: Turns = Turns::new();
static BLOCKERS: Turns = Turns::new();

#[derive(Serialize, Deserialize)]
struct Waiter {}

impl Payload for Waiter {
    const NAME: &'static str = "waiter";
    const LANE: Lane = Lane::Io;
}

impl Work for Waiter {
    async fn run(self, _: &Context) -> Result<Value, Failure> {
        WAITERS.take().await
    }
}

#[derive(Serialize, Deserialize)]
struct Blocker {}

impl Payload for Blocker {
    const NAME: &'static str = "blocker";
    const LANE: Lane = Lane::Blocking;
}

impl Work for Blocker {
    async fn run(self, _: &Context) -> Result<Value, Failure> {
        BLOCKERS.take().await
    }
}

const KINDS: &[Kind] =
    &[kind::<Deaf>(), kind::<Brief>(), kind::<Waiting>(), kind::<Talkative>(), kind::<Waiter>(), kind::<Blocker>()];

/// A worker with one place in each of the lanes that need no process, on a node that has none of its own.
struct Place {
    app: TestApp,
    worker: JoinHandle<()>,
    stop: CancellationToken,
    _also_after_a_panic: DropGuard,
}

impl Place {
    async fn with(settle: impl FnOnce(&mut Limits), prepare: impl AsyncFnOnce(&TestApp)) -> Place {
        let app = TestApp::spawn_with(|config| {
            config.lanes = Vec::new();
            config.limits.task_grace_ms = 100;
            settle(&mut config.limits);
        })
        .await;
        prepare(&app).await;
        let stop = CancellationToken::new();
        let worker = Worker::new(app.state().clone(), KINDS, vec![(Lane::Io, 1), (Lane::Blocking, 1)]);
        let worker = tokio::spawn(worker.run(stop.clone()));
        Place { app, worker, _also_after_a_panic: stop.clone().drop_guard(), stop }
    }

    async fn enqueue(&self, task: NewTask) -> TaskId {
        self.app.store().enqueue(vec![task]).await.unwrap().remove(0)
    }

    async fn end(&self, id: &TaskId) -> Task {
        let ended = async {
            loop {
                let task = self.app.store().task(id).await.unwrap().unwrap();
                if task.state.is_final() {
                    return task;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, ended).await.expect("it ends")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_that_hears_nothing_is_given_up_at_its_hard_limit_and_keeps_its_place() {
    let (release, held): (Sender<()>, _) = channel();
    *RELEASE.lock().unwrap() = Some(held);
    let place = Place::with(|_| {}, async |_| {}).await;
    let deaf = place.enqueue(queue::task(&Deaf {})).await;
    let task = place.end(&deaf).await;
    assert_eq!((task.state, task.data.error.unwrap().code.as_str()), (TaskState::Failed, "timed_out"));
    let next = place.enqueue(queue::task(&Brief {})).await;
    let elsewhere = place.enqueue(NewTask { lane: Lane::Io, ..queue::task(&Brief {}) }).await;
    assert_eq!(place.end(&elsewhere).await.state, TaskState::Succeeded);
    let waits = place.app.store().task(&next).await.unwrap().unwrap();
    assert_eq!(waits.state, TaskState::Queued, "its thread lives, so that its place is not free");
    release.send(()).expect("the thread has waited all the while");
    assert_eq!(place.end(&next).await.state, TaskState::Succeeded);
    let ended = place.app.store().task(&deaf).await.unwrap().unwrap();
    assert_eq!(ended.state, TaskState::Failed, "and is not heard any more");
    place.stop.cancel();
    timeout(PATIENCE, place.worker).await.expect("it stops").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_told_to_end_at_its_soft_limit() {
    let place = Place::with(|_| {}, async |_| {}).await;
    let waiting = place.enqueue(queue::task(&Waiting {})).await;
    // Much sooner than its hard limit.
    let task = place.end(&waiting).await;
    assert_eq!((task.state, task.data.error.unwrap().code.as_str()), (TaskState::Failed, "timed_out"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_run_than_the_lane_has_places() {
    let place = Place::with(|_| {}, async |_| {}).await;
    let store = place.app.store();
    let tasks = (0..3).flat_map(|_| [queue::task(&Waiter {}), queue::task(&Blocker {})]).collect();
    for id in store.enqueue(tasks).await.unwrap() {
        assert_eq!(place.end(&id).await.state, TaskState::Succeeded);
    }
    for turns in [&WAITERS, &BLOCKERS] {
        assert_eq!((turns.most.load(Ordering::SeqCst), turns.runs.load(Ordering::SeqCst)), (1, 3));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_very_often_is_seen_a_few_times_a_second_and_the_last_of_it_always() {
    let place = Place::with(|_| {}, async |_| {}).await;
    let mina = place.app.member("mina").await;
    let room = place.app.room("general", Access::Open, &mina).await;
    let mut live = place.app.live(&mina).await;
    live.join(&room, 0).await;
    let id = place.app.store().room_head(&room, mina.id).await.unwrap().unwrap().id;
    let begun = Instant::now();
    let task = NewTask { actor: Some(mina.id), room: Some(id), card: true, ..queue::task(&Talkative {}) };
    let task = place.enqueue(task).await;
    let mut seen = Vec::new();
    while seen.last() != Some(&TOLD) {
        if let ServerFrame::Progress { progress, .. } = live.frame().await {
            seen.push(progress.current);
        }
    }
    let most = begun.elapsed().as_millis() / u128::from(Limits::default().task_progress_ms) + 2;
    assert!(seen.len() as u128 <= most, "{} of {most}: {seen:?}", seen.len());
    assert!(seen.is_sorted_by(|earlier, later| earlier < later), "{seen:?}");
    place.app.store().work(TaskWork::Cancel(task)).await.unwrap();
}

/// More than two looks forget: there is the node's own worker too, which has no lane.
const OLD: usize = 2_100;
const AT_A_LOOK: u64 = 1_000;

async fn with_old_tasks(task_poll_ms: u64) -> Place {
    let prepare = async |app: &TestApp| {
        let old = (0..OLD).map(|_| NewTask { lane: Lane::Io, ..queue::task(&Brief {}) }).collect();
        let ids = app.store().enqueue(old).await.unwrap();
        let cancel = ids.into_iter().map(|id| app.store().work(TaskWork::Cancel(id)));
        try_join_all(cancel).await.unwrap();
    };
    // Whatever has ended is too old.
    let settle = |limits: &mut Limits| (limits.task_days, limits.task_poll_ms) = (0, task_poll_ms);
    Place::with(settle, prepare).await
}

impl Place {
    /// How many there are of what was cancelled.
    async fn old(&self) -> u64 {
        let counts = self.app.store().task_counts(now_ms()).await.unwrap();
        counts
            .iter()
            .filter(|total| total.lane == Lane::Io && total.list == TaskList::Ended)
            .map(|total| total.count)
            .sum()
    }

    async fn forgets_all_but(&self, left: u64) {
        let forgotten = async {
            while self.old().await > left {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, forgotten).await.expect("they go");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_old_goes_a_part_at_a_look_so_that_the_worker_sees_to_its_runs_between() {
    // They look once, as they begin.
    let place = with_old_tasks(3_600_000).await;
    place.forgets_all_but(OLD as u64 - AT_A_LOOK).await;
    let task = place.enqueue(queue::task(&Brief {})).await;
    assert_eq!(place.end(&task).await.state, TaskState::Succeeded);
    assert!(place.old().await >= OLD as u64 - 2 * AT_A_LOOK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_is_too_old_goes_within_a_few_looks() {
    with_old_tasks(10).await.forgets_all_but(0).await;
}
