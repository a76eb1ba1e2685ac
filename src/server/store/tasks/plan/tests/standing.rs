//! What stands for one thing, and is asked for again and again.

use super::*;

#[test]
fn what_stands_for_one_thing_runs_again_in_the_same_row() {
    let mut store = Store::default();
    let standing = |id| NewTask { unique: Some(format!("{STANDING}a")), ..new(id) };
    let id = store.enqueue(0, standing("a"));
    assert_eq!(store.enqueue(0, standing("b")), id);
    let first = store.claim(0).remove(0);
    assert_eq!((store.enqueue(1, standing("c")), store.state(&id)), (id.clone(), TaskState::Running));
    for end in [RunEnd::Succeeded("1".into()), RunEnd::Failed(failed()), RunEnd::Cancelled] {
        let run = store.tasks[&id].run();
        assert!(store.end(2, &run, end));
        assert_eq!(store.enqueue(3, standing("d")), id);
        let data = &store.tasks[&id].data;
        assert_eq!((store.state(&id), &data.result, &data.error), (TaskState::Queued, &None, &None));
        store.claim(3);
    }
    assert_eq!((store.tasks.len(), store.tasks[&id].data.runs), (1, 4));
    let data = &store.tasks[&id].data;
    assert_eq!((data.attempts, data.max_attempts, data.created_at), (1, 2, 3), "as if it were new");
    assert!(!store.end(4, &first, RunEnd::Succeeded("1".into())), "that run was another");
    store.tasks.get_mut(&id).unwrap().data.max_attempts = 1;
    assert_eq!((store.enqueue(LEASE, standing("e")), store.state(&id)), (id.clone(), TaskState::Running));
    assert_eq!((store.enqueue(LEASE + 4, standing("e")), store.state(&id)), (id.clone(), TaskState::Queued));
    store.work(LEASE + 4, TaskWork::Cancel(id));
    let plain = |id| NewTask { unique: Some("a".into()), ..new(id) };
    let once = store.enqueue(5, plain("f"));
    let run = store.claim(5).remove(0);
    store.end(6, &run, RunEnd::Succeeded("1".into()));
    assert_eq!((store.enqueue(7, plain("g")), store.state(&once)), (once.clone(), TaskState::Succeeded));
}

#[test]
fn what_is_wanted_while_it_runs_runs_once_more_after_its_end() {
    let standing = |id| NewTask { unique: Some(format!("{STANDING}a")), max_attempts: 1, ..new(id) };
    for end in [RunEnd::Succeeded("1".into()), RunEnd::Failed(failed()), RunEnd::Cancelled, RunEnd::GivenBack] {
        let mut store = Store::default();
        let id = store.enqueue(0, standing("a"));
        let run = store.claim(0).remove(0);
        store.enqueue(1, standing("b"));
        store.enqueue(1, standing("c"));
        assert_eq!(store.state(&id), TaskState::Running);
        assert!(store.end(2, &run, end.clone()));
        let again = store.claim(2).remove(0);
        assert!(again.number > run.number, "{end:?}");
        assert!(store.end(3, &again, RunEnd::Succeeded("1".into())));
        assert_eq!(store.state(&id), TaskState::Succeeded, "{end:?}: once");
    }
    let mut store = Store::default();
    let id = store.enqueue(0, standing("a"));
    store.claim(0);
    store.enqueue(1, standing("b"));
    assert!(store.claim(LEASE + 1).is_empty(), "its only run is lost");
    assert_eq!(store.state(&id), TaskState::Queued);
    let run = store.claim(LEASE + 1).remove(0);
    store.enqueue(LEASE + 2, standing("c"));
    store.work(LEASE + 2, TaskWork::Cancel(id.clone()));
    store.end(LEASE + 3, &run, RunEnd::Cancelled);
    assert_eq!((store.state(&id), store.tasks[&id].data.cancelling), (TaskState::Queued, false));
}
