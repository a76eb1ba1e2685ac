//! Statements about tasks that both engines take.

use crate::domain::TaskList;

macro_rules! tasks_where {
    ($condition:literal) => {
        concat!("SELECT ", crate::server::store::tasks::columns!(), " FROM tasks WHERE ", $condition)
    };
}
pub(in crate::server::store) use tasks_where;

pub const TASK: &str = tasks_where!("id = $1");

pub const CALLED: &str = tasks_where!("unique_key = $1");

/// In the lane or any, at the moment $2.
const WAITING: &str = tasks_where!(
    "state IN ('queued', 'retrying') AND ($1 IS NULL OR lane = $1) AND run_at <= $2
    ORDER BY priority DESC, run_at, id LIMIT $3"
);
const SCHEDULED: &str = tasks_where!(
    "state IN ('queued', 'retrying') AND ($1 IS NULL OR lane = $1) AND run_at > $2
    ORDER BY run_at, id LIMIT $3"
);
const RUNNING: &str = tasks_where!("state = 'running' AND ($1 IS NULL OR lane = $1) AND $2 = $2 ORDER BY id LIMIT $3");
const FAILED: &str = tasks_where!(
    "ended_at IS NOT NULL AND state = 'failed' AND ($1 IS NULL OR lane = $1) AND $2 = $2
    ORDER BY ended_at DESC, id LIMIT $3"
);
const ENDED: &str = tasks_where!(
    "ended_at IS NOT NULL AND state <> 'failed' AND ($1 IS NULL OR lane = $1) AND $2 = $2
    ORDER BY ended_at DESC, id LIMIT $3"
);

pub fn listed(list: TaskList) -> &'static str {
    match list {
        TaskList::Running => RUNNING,
        TaskList::Waiting => WAITING,
        TaskList::Scheduled => SCHEDULED,
        TaskList::Failed => FAILED,
        TaskList::Ended => ENDED,
    }
}

/// How many of each list there are in each lane at the moment $1.
pub const COUNTS: &str = "SELECT lane, list, count(*) FROM (
        SELECT lane, CASE WHEN ended_at IS NULL THEN
                CASE WHEN state = 'running' THEN 'running' WHEN run_at <= $1 THEN 'waiting' ELSE 'scheduled' END
            WHEN state = 'failed' THEN 'failed' ELSE 'ended' END AS list
        FROM tasks) AS listed
    GROUP BY lane, list";

/// Cards whose progress was noted after $1.
pub const PROGRESS_AFTER: &str = "SELECT r.slug, t.room_id, t.id, t.progress, t.progress_at
    FROM tasks AS t JOIN rooms AS r ON r.id = t.room_id
    WHERE t.state = 'running' AND t.progress_at > $1 ORDER BY t.progress_at LIMIT 1000";

pub const SET_CARD: &str = "UPDATE events SET data = $3 WHERE room_id = $1 AND seq = $2";
