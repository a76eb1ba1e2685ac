mod standing;

use super::*;
use crate::domain::{RoomId, UserId};
use crate::server::store::Repeat;
use proptest::prelude::*;

const LEASE: i64 = 100;

fn new(id: &str) -> NewTask {
    NewTask {
        id: TaskId::parse(id).unwrap(),
        name: "demo".into(),
        lane: Lane::Io,
        args: "{}".into(),
        actor: Some(UserId(1)),
        room: Some(RoomId(1)),
        card: true,
        priority: 0,
        run_at: None,
        max_attempts: 2,
        unique: None,
        repeat: None,
    }
}

/// A store of tasks that forgets nothing, one transaction a call.
#[derive(Default)]
struct Store {
    tasks: BTreeMap<TaskId, Task>,
    told: Vec<(TaskId, TaskStatus)>,
    /// What the last work did to them.
    files: FileChanges,
}

impl Store {
    fn work(&mut self, now: i64, work: TaskWork) -> TaskAnswer {
        self.batch(now, &[work]).remove(0)
    }

    /// All in one transaction.
    fn batch(&mut self, now: i64, works: &[TaskWork]) -> Vec<TaskAnswer> {
        let mut found: Vec<Task> = self.tasks.values().cloned().collect();
        found.sort_by_key(|task| (std::cmp::Reverse(task.priority), task.run_at));
        let mut plan = Plan::new(found, now);
        let answers = works.iter().map(|work| plan.decide(work)).collect();
        self.told.append(&mut plan.told);
        self.files = plan.files();
        for task in plan.into_changed() {
            self.tasks.insert(task.id.clone(), task);
        }
        answers
    }

    fn enqueue(&mut self, now: i64, task: NewTask) -> TaskId {
        match self.work(now, TaskWork::Enqueue(vec![task])) {
            TaskAnswer::Enqueued(ids) => ids[0].clone(),
            other => panic!("{other:?}"),
        }
    }

    fn claim(&mut self, now: i64) -> Vec<RunId> {
        let work = TaskWork::Claim { worker: "w".into(), free: vec![(Lane::Io, 10)], lease_ms: LEASE };
        match self.work(now, work) {
            TaskAnswer::Claimed(tasks) => tasks.iter().map(Task::run).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn end(&mut self, now: i64, run: &RunId, end: RunEnd) -> bool {
        self.work(now, TaskWork::End(run.clone(), end)) == TaskAnswer::Done(true)
    }

    fn state(&self, id: &TaskId) -> TaskState {
        self.tasks[id].state
    }
}

fn failed() -> TaskFailure {
    TaskFailure { code: "broken".into(), message: "it broke".into() }
}

#[test]
fn a_task_runs_to_its_end() {
    let mut store = Store::default();
    let id = store.enqueue(0, new("a"));
    let runs = store.claim(0);
    assert_eq!((runs.len(), store.state(&id)), (1, TaskState::Running));
    assert!(store.claim(0).is_empty(), "it is somebody's");
    assert!(store.end(5, &runs[0], RunEnd::Succeeded("\"done\"".into())));
    assert!(!store.end(6, &runs[0], RunEnd::Failed(failed())), "it ends once");
    let states: Vec<_> = store.told.iter().map(|(_, status)| status.state).collect();
    assert_eq!(states, [TaskState::Queued, TaskState::Running, TaskState::Succeeded]);
    assert_eq!(store.told[2].1.result.as_deref(), Some("done"));
}

#[test]
fn a_lost_run_counts_and_cannot_end_the_task_any_more() {
    let mut store = Store::default();
    let id = store.enqueue(0, new("a"));
    let first = store.claim(0).remove(0);
    assert!(store.claim(LEASE).is_empty(), "its lease is not over");
    let second = store.claim(LEASE + 1).remove(0);
    assert_eq!((first.number, second.number), (1, 2));
    assert!(!store.end(LEASE + 2, &first, RunEnd::Succeeded("1".into())));
    assert_eq!(store.state(&id), TaskState::Running);
    assert!(store.claim(LEASE * 2 + 2).is_empty(), "two attempts were two runs");
    assert_eq!(store.state(&id), TaskState::Failed);
    assert_eq!(store.tasks[&id].data.error.as_ref().unwrap().code, WORKER_LOST);
}

#[test]
fn a_lease_that_is_renewed_is_not_over() {
    let mut store = Store::default();
    store.enqueue(0, new("a"));
    let run = store.claim(0).remove(0);
    let renew = TaskWork::Renew { runs: vec![run.clone()], lease_ms: LEASE };
    assert_eq!(store.work(90, renew), TaskAnswer::Renewed(vec![run.clone()]));
    assert!(store.claim(150).is_empty());
    let again = store.claim(191).remove(0);
    let renew = TaskWork::Renew { runs: vec![run, again.clone()], lease_ms: LEASE };
    assert_eq!(store.work(192, renew), TaskAnswer::Renewed(vec![again]), "the former one is to end");
}

#[test]
fn what_repeats_by_itself_is_left_out_once_and_can_be_enqueued_again() {
    let mut store = Store::default();
    let series = |id| NewTask { run_at: Some(9), unique: Some(format!("{SERIES}x")), ..new(id) };
    let first = store.enqueue(0, series("a"));
    assert_eq!(store.enqueue(0, series("b")), first);
    store.work(1, TaskWork::Cancel(first.clone()));
    let next = store.enqueue(2, series("c"));
    assert_eq!((store.state(&first), store.state(&next)), (TaskState::Cancelled, TaskState::Queued));
    assert_ne!(first, next);
}

#[test]
fn cancelling_ends_what_waits_and_is_told_to_what_runs() {
    let mut store = Store::default();
    let (a, b) = (store.enqueue(0, new("a")), store.enqueue(0, NewTask { run_at: Some(9), ..new("b") }));
    let run = store.claim(0).remove(0);
    assert_eq!(store.work(1, TaskWork::Cancel(b.clone())), TaskAnswer::Done(true));
    assert_eq!(store.work(1, TaskWork::Cancel(a.clone())), TaskAnswer::Done(true));
    assert_eq!((store.state(&a), store.state(&b)), (TaskState::Running, TaskState::Cancelled));
    let renew = TaskWork::Renew { runs: vec![run.clone()], lease_ms: LEASE };
    assert_eq!(store.work(2, renew), TaskAnswer::Renewed(vec![]));
    assert!(store.end(3, &run, RunEnd::Retry { failure: failed(), run_at: 4 }), "whatever became of it");
    assert_eq!(store.state(&a), TaskState::Cancelled);
    assert!(store.claim(1_000).is_empty());
}

#[test]
fn a_failure_is_tried_again_at_its_time_and_not_too_often() {
    let mut store = Store::default();
    let id = store.enqueue(0, new("a"));
    let run = store.claim(0).remove(0);
    store.end(1, &run, RunEnd::Retry { failure: failed(), run_at: 50 });
    assert_eq!(store.state(&id), TaskState::Retrying);
    assert!(store.claim(49).is_empty());
    let run = store.claim(50).remove(0);
    store.end(51, &run, RunEnd::Retry { failure: failed(), run_at: 60 });
    assert_eq!(store.state(&id), TaskState::Failed);
    assert_eq!(store.work(70, TaskWork::Again(id.clone())), TaskAnswer::Done(true));
    assert_eq!((store.claim(70).len(), store.tasks[&id].data.max_attempts), (1, 4));
    assert_eq!(store.work(71, TaskWork::Again(id)), TaskAnswer::Done(false), "it runs");
}

#[test]
fn a_run_that_is_given_back_does_not_count() {
    let mut store = Store::default();
    let id = store.enqueue(0, new("a"));
    for _ in 0..5 {
        let run = store.claim(0).remove(0);
        assert_eq!(store.tasks[&id].data.attempts, 1);
        store.end(0, &run, RunEnd::GivenBack);
    }
    assert_eq!(store.state(&id), TaskState::Retrying);
}

#[test]
fn a_run_that_was_given_back_is_another_than_the_next() {
    let mut store = Store::default();
    let id = store.enqueue(0, new("a"));
    let first = store.claim(0).remove(0);
    store.end(0, &first, RunEnd::GivenBack);
    let second = store.claim(0).remove(0);
    assert!(!store.end(1, &first, RunEnd::Failed(failed())));
    let renew = TaskWork::Renew { runs: vec![first], lease_ms: LEASE };
    assert_eq!(store.work(1, renew), TaskAnswer::Renewed(vec![]));
    assert!(store.end(1, &second, RunEnd::Succeeded("1".into())));
    assert_eq!(store.state(&id), TaskState::Succeeded);
}

#[test]
fn runs_of_before_they_were_counted_are_others() {
    let mut store = Store::default();
    let id = store.enqueue(0, new("a"));
    let first = store.claim(0).remove(0);
    // As a version that did not count runs writes it.
    store.tasks.get_mut(&id).unwrap().data.runs = 0;
    let second = store.claim(LEASE + 1).remove(0);
    assert_eq!((first.number, second.number), (1, 2));
}

#[test]
fn a_file_is_refused_for_as_long_as_its_task_has_failed() {
    let file = FileId::from_random([7; 16]);
    let image = |id| NewTask { unique: Some(format!("{IMAGE}{}", file.as_str())), card: false, ..new(id) };
    let mut store = Store::default();
    let (given_up, wanted) = (
        FileChanges { given_up: vec![file.clone()], ..FileChanges::default() },
        FileChanges { wanted: vec![file.clone()], ..FileChanges::default() },
    );
    let id = store.enqueue(0, image("a"));
    assert_eq!(store.files, wanted);
    let run = store.claim(0).remove(0);
    store.end(1, &run, RunEnd::Retry { failure: failed(), run_at: 2 });
    assert_eq!(store.files, FileChanges::default(), "it has another attempt");
    store.claim(2);
    store.claim(LEASE + 3);
    assert_eq!((store.state(&id), &store.files), (TaskState::Failed, &given_up), "it has lost its worker");
    assert_eq!(store.enqueue(LEASE + 4, image("b")), id);
    assert_eq!((store.state(&id), &store.files), (TaskState::Queued, &wanted), "it is asked for once more");
    store.work(LEASE + 5, TaskWork::Cancel(id.clone()));
    assert_eq!(store.files, given_up);
    store.work(LEASE + 6, TaskWork::Again(id));
    assert_eq!(store.files, wanted);
}

#[test]
fn a_file_is_wanted_whose_task_runs_again_in_the_same_transaction() {
    let file = FileId::from_random([7; 16]);
    let image = |id| NewTask { unique: Some(format!("{IMAGE}{}", file.as_str())), card: false, ..new(id) };
    let claim = || TaskWork::Claim { worker: "w".into(), free: vec![(Lane::Io, 1)], lease_ms: LEASE };
    let wanted = FileChanges { wanted: vec![file.clone()], ..FileChanges::default() };
    let mut store = Store::default();
    let id = store.enqueue(0, image("a"));
    for again in [TaskWork::Again(id.clone()), TaskWork::Enqueue(vec![image("b")])] {
        store.work(1, TaskWork::Cancel(id.clone()));
        store.batch(2, &[again, claim()]);
        assert_eq!((store.state(&id), &store.files), (TaskState::Running, &wanted));
        let run = store.tasks[&id].run();
        store.work(3, TaskWork::Renew { runs: vec![run.clone()], lease_ms: LEASE });
        assert_eq!(store.files, FileChanges::default(), "nothing has become of it");
        store.end(4, &run, RunEnd::Failed(failed()));
    }
}

#[test]
fn the_same_words_are_enqueued_once() {
    let mut store = Store::default();
    let unique = |id| NewTask { unique: Some("1:k".into()), ..new(id) };
    let first = store.enqueue(0, unique("a"));
    assert_eq!(store.enqueue(1, unique("b")), first);
    assert_eq!(store.tasks.len(), 1);
}

#[test]
fn the_urgent_come_first_and_then_those_who_waited_longest() {
    let mut store = Store::default();
    for (id, priority, run_at) in [("a", 0, 2), ("b", 0, 1), ("c", 1, 3)] {
        store.enqueue(0, NewTask { priority, run_at: Some(run_at), ..new(id) });
    }
    let order: Vec<_> = store.claim(5).into_iter().map(|run| run.task.to_string()).collect();
    assert_eq!(order, ["c", "b", "a"]);
}

#[test]
fn of_those_that_repeat_there_is_always_one_that_waits() {
    let mut store = Store::default();
    let hourly = Repeat::parse("0 * * * *", "UTC").unwrap();
    store.enqueue(0, NewTask { repeat: Some(hourly), card: false, ..new("a") });
    let hour = 3_600_000;
    for n in 0..3 {
        let run = store.claim(n * hour).remove(0);
        // The worker goes away, and another one does it again: no second one is enqueued for that.
        let run_again = store.claim(n * hour + LEASE + 1);
        assert_eq!(run_again.len(), 1);
        store.end(n * hour + LEASE + 2, &run_again[0], RunEnd::Succeeded("1".into()));
        let _lost = run;
        let waiting: Vec<_> = store.tasks.values().filter(|task| task.state == TaskState::Queued).collect();
        assert_eq!((waiting.len(), waiting[0].run_at), (1, (n + 1) * hour));
    }
    // Nobody was there for a day: what was missed is made up for once.
    let run = store.claim(30 * hour).remove(0);
    store.end(30 * hour, &run, RunEnd::Succeeded("1".into()));
    assert!(store.claim(30 * hour).is_empty());
    assert_eq!(store.tasks.values().find(|task| task.state == TaskState::Queued).unwrap().run_at, 31 * hour);
}

#[test]
fn a_series_stays_one_through_stops_and_goes_by_its_words() {
    let mut store = Store::default();
    let daily = || NewTask {
        repeat: Some(Repeat::parse("0 0 * * *", "UTC").unwrap()),
        unique: Some("series:prune".into()),
        card: false,
        ..new("a")
    };
    store.enqueue(0, daily());
    let (run, day) = (store.claim(0).remove(0), 86_400_000);
    store.end(0, &run, RunEnd::GivenBack);
    // Enqueued by every worker that starts.
    store.enqueue(0, NewTask { id: TaskId::parse("b").unwrap(), ..daily() });
    let runs = store.claim(3 * day);
    assert_eq!(runs.len(), 2, "the one given back, and the one that was due meanwhile");
    let waiting: Vec<_> = store.tasks.values().filter(|task| task.state == TaskState::Queued).collect();
    assert_eq!((waiting.len(), waiting[0].run_at), (1, 4 * day));
    assert_eq!(waiting[0].unique.as_deref(), Some("series:prune"));
}

#[derive(Clone, Debug)]
enum Step {
    Wait(i64),
    Claim,
    End(usize, u8),
    Cancel(usize),
    Again(usize),
    Renew(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (1..150_i64).prop_map(Step::Wait),
        Just(Step::Claim),
        (any::<prop::sample::Index>(), 0..5_u8).prop_map(|(run, end)| Step::End(run.index(64), end)),
        (0..4_usize).prop_map(Step::Cancel),
        (0..4_usize).prop_map(Step::Again),
        (0..64_usize).prop_map(Step::Renew),
    ];
    prop::collection::vec(step, 0..80)
}

proptest! {
    /// Whatever workers, people and the clock do: no task runs more often than it may, an end is one end until
    /// somebody tries again, and no run but the last is heard.
    #[test]
    fn every_task_ends_once_and_within_its_attempts(steps in steps()) {
        let (mut store, mut now, mut runs) = (Store::default(), 0, Vec::<RunId>::new());
        let ids: Vec<_> = ["a", "b", "c", "d"].iter().map(|id| store.enqueue(0, new(id))).collect();
        for step in steps {
            let before: BTreeMap<_, _> = store.tasks.clone();
            let mut again = None;
            match step {
                Step::Wait(ms) => now += ms,
                Step::Claim => runs.extend(store.claim(now)),
                Step::End(run, end) => if let Some(run) = runs.get(run % runs.len().max(1)).cloned() {
                    let end = match end {
                        0 => RunEnd::Succeeded("1".into()),
                        1 => RunEnd::Failed(failed()),
                        2 => RunEnd::Retry { failure: failed(), run_at: now + 10 },
                        3 => RunEnd::Cancelled,
                        _ => RunEnd::GivenBack,
                    };
                    let last = before[&run.task].data.runs == run.number
                        && before[&run.task].state == TaskState::Running;
                    prop_assert_eq!(store.end(now, &run, end), last);
                },
                Step::Cancel(n) => { store.work(now, TaskWork::Cancel(ids[n].clone())); }
                Step::Again(n) => {
                    again = Some(ids[n].clone());
                    store.work(now, TaskWork::Again(ids[n].clone()));
                }
                Step::Renew(n) => if let Some(run) = runs.get(n % runs.len().max(1)).cloned() {
                    store.work(now, TaskWork::Renew { runs: vec![run], lease_ms: LEASE });
                },
            }
            for (id, task) in &store.tasks {
                prop_assert!(task.data.attempts <= task.data.max_attempts);
                prop_assert_eq!(task.state.is_final(), task.ended_at.is_some());
                prop_assert_eq!(task.state == TaskState::Running, task.lease_until.is_some());
                if before[id].state.is_final() && again.as_ref() != Some(id) {
                    prop_assert_eq!(&before[id], task);
                }
            }
        }
    }
}
