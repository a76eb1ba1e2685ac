use super::world::*;
use pickmate::domain::{Access, Lane, Progress, RoomId, Seq, TaskId, TaskList, TaskState, UserId};
use pickmate::protocol::EventKind;
use pickmate::server::secret::new_task_id;
use pickmate::server::store::{NewTask, RunEnd, RunId, Store, Task, TaskAnswer, TaskFailure, TaskFilter, TaskWork};
use std::sync::Arc;

const LEASE_MS: i64 = 60_000;

fn task(actor: UserId, room: Option<RoomId>) -> NewTask {
    NewTask {
        id: new_task_id(),
        name: "demo".into(),
        lane: Lane::Io,
        args: r#"{"said":"안녕"}"#.into(),
        actor: Some(actor),
        room,
        card: room.is_some(),
        priority: 0,
        run_at: None,
        max_attempts: 3,
        unique: None,
        repeat: None,
    }
}

async fn enqueue(store: &Arc<dyn Store>, tasks: Vec<NewTask>) -> Vec<TaskId> {
    store.enqueue(tasks).await.unwrap()
}

async fn claim(store: &Arc<dyn Store>, most: u32, lease_ms: i64) -> Vec<Task> {
    store.claim("w", vec![(Lane::Io, most)], lease_ms).await.unwrap()
}

async fn end(store: &Arc<dyn Store>, run: RunId, end: RunEnd) -> bool {
    store.work(TaskWork::End(run, end)).await.unwrap() == TaskAnswer::Done(true)
}

fn done() -> RunEnd {
    RunEnd::Succeeded("\"작업 완료\"".into())
}

fn now() -> i64 {
    pickmate::server::clock::now_ms()
}

pub async fn a_card_tells_each_state_and_stands_as_the_last_one<E: Engine>(world: World<E>) {
    let mina = world.owner("mina").await;
    let room = world.room("den", Access::Closed, mina).await;
    let id = enqueue(&world.store, vec![task(mina, Some(room))]).await.remove(0);
    let claimed = claim(&world.store, 1, LEASE_MS).await.remove(0);
    assert_eq!((&claimed.id, claimed.data.attempts), (&id, 1));
    assert!(end(&world.store, claimed.run(), done()).await);
    let log = world.log(room).await;
    let states = log.iter().filter_map(|event| match &event.kind {
        EventKind::Task { status, rev, .. } => Some((event.seq, status.state, *rev)),
        EventKind::TaskChanged { target, status, rev } => {
            assert_eq!(*target, Seq(2));
            Some((event.seq, status.state, *rev))
        }
        _ => None,
    });
    let states: Vec<_> = states.collect();
    // The card is served as it stands now, its changes as they were.
    assert_eq!(
        states,
        [
            (Seq(2), TaskState::Succeeded, Seq(4)),
            (Seq(3), TaskState::Running, Seq(3)),
            (Seq(4), TaskState::Succeeded, Seq(4)),
        ]
    );
    let page = world.store.page(room, None, 10).await.unwrap();
    let EventKind::Task { status, by, .. } = &page.rows.last().unwrap().kind else { panic!("{page:?}") };
    assert_eq!((status.result.as_deref(), by.id, status.attempts), (Some("작업 완료"), mina.0, 1));
    assert_eq!(world.witness.events(room).len(), 4, "and the observer heard of each");
}

pub async fn a_task_and_what_caused_it_are_one_commit<E: Engine>(world: World<E>) {
    let mina = world.user("mina").await;
    let room = world.room("den", Access::Closed, mina).await;
    let follow = || vec![NewTask { card: false, ..task(mina, None) }];
    let command = post("den", mina, "k1", "안녕").followed_by(follow());
    let seq = world.run(command).await.unwrap().seq;
    let repeat = post("den", mina, "k1", "안녕").followed_by(follow());
    assert!(world.run(repeat).await.unwrap().repeated);
    let stranger = world.user("stranger").await;
    world.run(post("den", stranger, "k2", "?").followed_by(follow())).await.unwrap_err();
    let tasks = claim(&world.store, 10, LEASE_MS).await;
    assert_eq!(tasks.len(), 1, "neither a repeat nor a refusal enqueues anything");
    assert_eq!((tasks[0].room, tasks[0].data.cause), (Some(room), seq));
    assert_eq!(tasks[0].data.args, r#"{"said":"안녕"}"#);
}

pub async fn two_processes_never_have_the_same_task<E: Engine>(world: World<E>) {
    let mina = world.user("mina").await;
    let other = world.another_process().await;
    let ids = enqueue(&world.store, (0..40).map(|_| task(mina, None)).collect()).await;
    let mut taken = Vec::new();
    while taken.len() < ids.len() {
        let (a, b) = tokio::join!(claim(&world.store, 3, LEASE_MS), claim(&other, 3, LEASE_MS));
        taken.extend(a.into_iter().chain(b).map(|task| task.id));
    }
    taken.sort();
    let mut ids = ids;
    ids.sort();
    assert_eq!(taken, ids);
}

pub async fn what_matters_most_is_claimed_first<E: Engine>(world: World<E>) {
    let mina = world.user("mina").await;
    let mattering = |priority| NewTask { priority, ..task(mina, None) };
    let ids = enqueue(&world.store, [0, 10, -5].map(mattering).into()).await;
    let mut claimed = Vec::new();
    for _ in 0..ids.len() {
        claimed.push(claim(&world.store, 1, LEASE_MS).await.remove(0).id);
    }
    assert_eq!(claimed, [1, 0, 2].map(|number: usize| ids[number].clone()));
}

pub async fn what_outlives_its_lease_is_another_run<E: Engine>(world: World<E>) {
    let mina = world.user("mina").await;
    let other = world.another_process().await;
    let id = enqueue(&world.store, vec![task(mina, None)]).await.remove(0);
    let lost = claim(&world.store, 1, -1).await.remove(0).run();
    assert!(other.due(&[Lane::Io], now()).await.unwrap());
    let again = claim(&other, 1, LEASE_MS).await.remove(0).run();
    assert!(!end(&world.store, lost, RunEnd::Cancelled).await);
    assert!(end(&other, again, done()).await);
    assert_eq!(world.store.task(&id).await.unwrap().unwrap().state, TaskState::Succeeded);
    assert!(!other.due(&[Lane::Io], now() + 2 * LEASE_MS).await.unwrap());
}

pub async fn a_run_that_was_given_back_ends_no_later_one<E: Engine>(world: World<E>) {
    let mina = world.user("mina").await;
    let other = world.another_process().await;
    let id = enqueue(&world.store, vec![task(mina, None)]).await.remove(0);
    let first = claim(&world.store, 1, LEASE_MS).await.remove(0);
    assert!(end(&world.store, first.run(), RunEnd::GivenBack).await);
    let second = claim(&other, 1, LEASE_MS).await.remove(0);
    assert_eq!((first.data.attempts, second.data.attempts), (1, 1), "it did not count");
    let failure = TaskFailure { code: "late".into(), message: "it is over".into() };
    assert!(!end(&world.store, first.run(), RunEnd::Failed(failure)).await);
    assert!(world.store.renew(vec![first.run()], LEASE_MS).await.unwrap().is_empty());
    assert_eq!(world.store.task(&id).await.unwrap().unwrap().state, TaskState::Running);
    assert!(end(&other, second.run(), done()).await);
    assert_eq!(world.store.task(&id).await.unwrap().unwrap().state, TaskState::Succeeded);
}

pub async fn lists_are_by_state_and_time<E: Engine>(world: World<E>) {
    let mina = world.user("mina").await;
    let at = now() + 1_000_000;
    let later = NewTask { run_at: Some(at), ..task(mina, None) };
    let soon = NewTask { lane: Lane::Cpu, ..task(mina, None) };
    let ids = enqueue(&world.store, vec![task(mina, None), later, soon]).await;
    let run = claim(&world.store, 1, LEASE_MS).await.remove(0).run();
    let listed = async |list, lane| {
        let filter = TaskFilter { list, lane, now: now(), limit: 10 };
        let tasks = world.store.tasks(&filter).await.unwrap();
        tasks.into_iter().map(|task| task.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(TaskList::Running, None).await, [ids[0].clone()]);
    assert_eq!(listed(TaskList::Scheduled, Some(Lane::Io)).await, [ids[1].clone()]);
    assert_eq!(listed(TaskList::Waiting, None).await, [ids[2].clone()]);
    assert!(listed(TaskList::Waiting, Some(Lane::Io)).await.is_empty());
    let failure = TaskFailure { code: "broken".into(), message: "it broke".into() };
    end(&world.store, run, RunEnd::Failed(failure)).await;
    assert_eq!(listed(TaskList::Failed, None).await, [ids[0].clone()]);
    let counts = world.store.task_counts(now()).await.unwrap();
    let mut counts: Vec<_> = counts.into_iter().map(|total| (total.lane, total.list, total.count)).collect();
    counts.sort();
    assert_eq!(
        counts,
        [(Lane::Io, TaskList::Scheduled, 1), (Lane::Io, TaskList::Failed, 1), (Lane::Cpu, TaskList::Waiting, 1),]
    );
    assert!(!world.store.forget_tasks(now() + 1).await.unwrap(), "that was all");
    assert!(listed(TaskList::Failed, None).await.is_empty());
}

pub async fn what_is_under_way_is_counted_whether_or_not_it_runs<E: Engine>(world: World<E>) {
    let (mina, joon) = (world.owner("mina").await, world.user("joon").await);
    let (one, two) = (world.room("one", Access::Open, mina).await, world.room("two", Access::Open, mina).await);
    let later = NewTask { run_at: Some(now() + LEASE_MS), ..task(mina, Some(one)) };
    let other = NewTask { name: "primes".into(), ..task(mina, Some(one)) };
    let all = vec![task(mina, Some(one)), task(mina, Some(two)), task(joon, Some(one)), later, other];
    let ids = enqueue(&world.store, all).await;
    let count = async |actor, room| {
        let counted = world.store.under_way("demo", actor, room).await.unwrap();
        (counted.theirs, counted.in_room)
    };
    assert_eq!(count(Some(mina), Some(one)).await, (3, 3));
    let running = claim(&world.store, 10, LEASE_MS).await;
    assert_eq!((running.len(), count(Some(mina), Some(one)).await), (4, (3, 3)));
    let first = running.into_iter().find(|task| task.id == ids[0]).unwrap();
    assert!(end(&world.store, first.run(), done()).await);
    assert_eq!(count(Some(mina), Some(one)).await, (2, 2));
    assert_eq!(count(Some(joon), Some(two)).await, (1, 1));
    assert_eq!(count(None, None).await, (0, 0));
}

pub async fn progress_and_cancelling_are_seen_by_other_processes<E: Engine>(world: World<E>) {
    let mina = world.user("mina").await;
    let room = world.room("den", Access::Closed, mina).await;
    let other = world.another_process().await;
    let id = enqueue(&world.store, vec![task(mina, Some(room))]).await.remove(0);
    let run = claim(&world.store, 1, LEASE_MS).await.remove(0).run();
    let before = now() - 1;
    let progress = Progress { current: 2, total: Some(5), message: Some("둘".into()) };
    world.store.work(TaskWork::Progress(vec![(run, progress.clone())])).await.unwrap();
    let noted = other.progress_after(before).await.unwrap();
    assert_eq!((noted.len(), &noted[0].progress, noted[0].room), (1, &progress, room));
    assert!(other.progress_after(noted[0].at).await.unwrap().is_empty());
    assert!(world.store.cancelling(std::slice::from_ref(&id)).await.unwrap().is_empty());
    other.work(TaskWork::Cancel(id.clone())).await.unwrap();
    assert_eq!(world.store.cancelling(std::slice::from_ref(&id)).await.unwrap(), [id]);
}

pub async fn a_page_has_the_progress_of_its_running_cards<E: Engine>(world: World<E>) {
    let mina = world.owner("mina").await;
    let room = world.room("den", Access::Closed, mina).await;
    enqueue(&world.store, vec![task(mina, Some(room)), task(mina, None)]).await;
    let runs: Vec<RunId> = claim(&world.store, 2, LEASE_MS).await.iter().map(Task::run).collect();
    let progress = Progress { current: 2, total: Some(5), message: Some("둘".into()) };
    let noted = runs.iter().map(|run| (run.clone(), progress.clone())).collect();
    world.store.work(TaskWork::Progress(noted)).await.unwrap();
    let page = world.store.page(room, None, 10).await.unwrap();
    assert_eq!(page.progress.len(), 1, "of the card, and not of what has none");
    assert_eq!(page.progress[0].progress, progress);
    assert!(
        page.rows.iter().any(|row| matches!(&row.kind, EventKind::Task { id, .. } if *id == page.progress[0].task))
    );
    let before = world.store.page(room, page.rows.last().map(|row| row.seq), 10).await.unwrap();
    assert_eq!(before.progress, [], "its card is not on that page");
    for run in runs {
        end(&world.store, run, done()).await;
    }
    assert_eq!(world.store.page(room, None, 10).await.unwrap().progress, []);
}
