use super::super::{Action, Grown, Intent, StoreOptions};
use super::company::BREATHS;
use super::*;
use crate::domain::{Access, Key, MessageBody, Slug};
use crate::protocol::{Event, EventKind};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the engine does with the next batch.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Commit,
    Panic,
    Refuse,
    LoseSight,
}

/// Numbers posts by one counter; `Internal` for every batch with a post whose body is "bad".
struct Script {
    acts: VecDeque<Act>,
    head: u64,
    /// Sizes of the batches it was given.
    batches: Arc<Mutex<Vec<usize>>>,
    foreign: Arc<Mutex<VecDeque<Option<Foreign>>>>,
    /// Holds the first batch back until the test says so.
    begin: Option<oneshot::Receiver<()>>,
    /// What comes while it breathes.
    breaths: Arc<Mutex<Breaths>>,
}

#[derive(Default)]
struct Breaths {
    taken: usize,
    /// Comes with the next one.
    coming: Option<(mpsc::Sender<Job>, Job)>,
}

#[async_trait]
impl Engine for Script {
    async fn commit(&mut self, batch: &Batch<'_>, at: i64) -> Result<Outcome, Failed> {
        if let Some(begin) = self.begin.take() {
            begin.await.unwrap();
        }
        self.batches.lock().unwrap().push(batch.commands.len());
        match self.acts.pop_front().unwrap_or(Act::Commit) {
            Act::Commit => {}
            Act::Panic => panic!("as the script says"),
            Act::Refuse => return Err(Failed::Before(StoreError::Unavailable("busy".into()))),
            Act::LoseSight => return Err(Failed::Unknown(StoreError::Unavailable("gone".into()))),
        }
        let bad = |command: &&Command| matches!(&command.action, Action::Post { body, .. } if body.as_str() == "bad");
        if batch.commands.iter().any(bad) {
            return Err(StoreError::Internal("bad".into()).into());
        }
        let (room, slug) = (RoomId(1), Slug::parse("general").unwrap());
        let mut outcome = Outcome::default();
        let mut events = Vec::new();
        for _ in &batch.commands {
            self.head += 1;
            outcome.answers.push(Ok(Committed {
                room,
                slug: slug.clone(),
                seq: Some(Seq(self.head)),
                repeated: false,
            }));
            events.push(Event { seq: Seq(self.head), at, kind: EventKind::Unknown });
        }
        outcome.grown.push(Grown { room, slug, access: Access::Open, events });
        Ok(outcome)
    }

    fn epoch(&self) -> Arc<str> {
        "e".into()
    }

    fn breathe(&self) {
        let mut breaths = self.breaths.lock().unwrap();
        breaths.taken += 1;
        if let Some((jobs, job)) = breaths.coming.take() {
            assert!(jobs.try_send(job).is_ok());
        }
    }

    async fn foreign_writes(&mut self) -> Result<Vec<Foreign>, StoreError> {
        Ok(self.foreign.lock().unwrap().pop_front().flatten().into_iter().collect())
    }

    async fn chores(&mut self, _now: i64) -> Result<(), StoreError> {
        Ok(())
    }
}

#[derive(Default)]
struct Told(Mutex<Vec<u64>>, AtomicU64);

impl Observer for Told {
    fn grown(&self, _epoch: &Arc<str>, rooms: &[Grown]) {
        self.0.lock().unwrap().extend(rooms.iter().flat_map(|grown| &grown.events).map(|event| event.seq.0));
    }

    fn foreign_write(&self, _kind: Foreign) {
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

struct Desk {
    writer: Writer,
    told: Arc<Told>,
    batches: Arc<Mutex<Vec<usize>>>,
    foreign: Arc<Mutex<VecDeque<Option<Foreign>>>>,
    begin: Option<oneshot::Sender<()>>,
    breaths: Arc<Mutex<Breaths>>,
}

fn spawn(engine: Script, options: &StoreOptions) -> Writer {
    let (writer, work) = Writer::new(engine, options);
    tokio::spawn(work);
    writer
}

fn desk(acts: &[Act]) -> Desk {
    let (told, batches, foreign) = (Arc::new(Told::default()), Arc::default(), Arc::default());
    let breaths = Arc::<Mutex<Breaths>>::default();
    let (sender, receiver) = oneshot::channel();
    let engine = Script {
        acts: acts.iter().copied().collect(),
        head: 0,
        batches: Arc::clone(&batches),
        foreign: Arc::clone(&foreign),
        begin: Some(receiver),
        breaths: Arc::clone(&breaths),
    };
    let options = StoreOptions { writer_batch: 4, observer: told.clone(), ..StoreOptions::default() };
    Desk { writer: spawn(engine, &options), told, batches, foreign, begin: Some(sender), breaths }
}

impl Desk {
    async fn post(&self, body: &str) -> oneshot::Receiver<Answer> {
        self.writer.submit(post(body)).await.unwrap()
    }

    /// Four are answered together.
    async fn four(&mut self) {
        let mut answers = Vec::new();
        for _ in 0..4 {
            answers.push(self.post("together").await);
        }
        self.begin();
        for answer in answers {
            seq(answer.await);
        }
    }

    fn breaths(&self) -> usize {
        self.breaths.lock().unwrap().taken
    }

    /// Lets the writer begin.
    fn begin(&mut self) {
        self.begin.take().unwrap().send(()).unwrap();
    }
}

fn post(body: &str) -> Command {
    let intent = Intent { actor: UserId(1), key: Key::parse("k").unwrap() };
    let action = Action::Post { body: MessageBody::parse(body, 100).unwrap(), files: vec![] };
    Command::new(intent, Slug::parse("general").unwrap(), action)
}

fn seq(answer: Result<Answer, oneshot::error::RecvError>) -> u64 {
    answer.unwrap().unwrap().seq.unwrap().0
}

#[tokio::test(start_paused = true)]
async fn who_comes_alone_after_many_is_waited_with_once() {
    let mut desk = desk(&[]);
    desk.four().await;
    assert_eq!(desk.breaths(), 0, "all that fits was there");
    seq(desk.post("alone").await.await);
    assert_eq!(desk.breaths(), BREATHS, "the others may come again");
    seq(desk.post("alone").await.await);
    assert_eq!(desk.breaths(), BREATHS, "they did not");
}

#[tokio::test(start_paused = true)]
async fn who_comes_again_shares_the_commit() {
    let mut desk = desk(&[]);
    desk.four().await;
    let (sender, second) = oneshot::channel();
    desk.breaths.lock().unwrap().coming = Some((desk.writer.jobs.clone(), Job::Command(post("again"), sender)));
    let first = desk.post("again").await;
    assert_eq!((seq(first.await), seq(second.await)), (5, 6));
    assert_eq!(*desk.batches.lock().unwrap(), [4, 2]);
}

#[tokio::test]
async fn what_gathers_is_one_batch_up_to_its_limit() {
    let mut desk = desk(&[]);
    let mut answers = vec![desk.post("first").await];
    // The first is on its way alone; the others gather behind it.
    tokio::task::yield_now().await;
    for _ in 0..6 {
        answers.push(desk.post("more").await);
    }
    desk.begin();
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(seq(answer.await), n as u64 + 1);
    }
    assert_eq!(*desk.batches.lock().unwrap(), [1, 4, 2]);
    assert_eq!(*desk.told.0.lock().unwrap(), [1, 2, 3, 4, 5, 6, 7]);
}

#[tokio::test]
async fn a_batch_that_fails_is_unavailable_and_the_next_goes_on() {
    for (act, may_be_committed) in [(Act::Refuse, false), (Act::LoseSight, true), (Act::Panic, true)] {
        let mut desk = desk(&[act]);
        let mut abroad = desk.writer.foreign_writes();
        let first = desk.post("first").await;
        desk.begin();
        let refused = first.await.unwrap();
        assert!(matches!(refused, Err(Refusal::Store(StoreError::Unavailable(_)))), "{act:?}: {refused:?}");
        assert_eq!(abroad.take().is_some(), may_be_committed, "{act:?}: who knows heads compares them");
        assert_eq!(seq(desk.post("second").await.await), 1, "{act:?}");
    }
}

#[tokio::test]
async fn one_bad_command_fails_alone() {
    let mut desk = desk(&[]);
    let first = desk.post("first").await;
    tokio::task::yield_now().await;
    let (good, bad, good_too) = (desk.post("a").await, desk.post("bad").await, desk.post("b").await);
    desk.begin();
    assert_eq!(seq(first.await), 1);
    assert_eq!(seq(good.await), 2);
    assert!(matches!(bad.await.unwrap(), Err(Refusal::Store(StoreError::Internal(_)))));
    assert_eq!(seq(good_too.await), 3);
    assert_eq!(*desk.batches.lock().unwrap(), [1, 3, 1, 1, 1]);
}

#[tokio::test]
async fn a_full_queue_makes_the_next_command_wait() {
    let (sender, receiver) = oneshot::channel();
    let engine = Script {
        acts: VecDeque::new(),
        head: 0,
        batches: Arc::default(),
        foreign: Arc::default(),
        begin: Some(receiver),
        breaths: Arc::default(),
    };
    let writer = spawn(engine, &StoreOptions { writer_queue: 1, writer_batch: 1, ..StoreOptions::default() });
    let desk = Desk {
        writer,
        told: Arc::default(),
        batches: Arc::default(),
        foreign: Arc::default(),
        begin: None,
        breaths: Arc::default(),
    };
    let first = desk.post("in hand").await;
    tokio::task::yield_now().await;
    let second = desk.post("queued").await;
    let mut third = std::pin::pin!(desk.post("waits"));
    assert!(futures_util::poll!(&mut third).is_pending());
    sender.send(()).unwrap();
    assert_eq!((seq(first.await), seq(second.await), seq(third.await.await)), (1, 2, 3));
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_stays_full_refuses_after_its_wait() {
    let desk = desk(&[]);
    // One in hand, the others in the queue; the writer does not begin.
    let mut answers = vec![desk.post("in hand").await];
    tokio::task::yield_now().await;
    let full = StoreOptions::default().writer_queue;
    for _ in 0..full {
        answers.push(desk.post("queued").await);
    }
    let mark = ReadMark { room: RoomId(1), user: UserId(1), seq: Seq(1) };
    let begun = tokio::time::Instant::now();
    assert!(matches!(desk.writer.mark_read(mark).await, Err(StoreError::Unavailable(_))));
    assert_eq!(begun.elapsed(), StoreOptions::default().writer_wait);
}

#[tokio::test]
async fn close_carries_out_what_is_queued_and_refuses_the_rest() {
    let mut desk = desk(&[]);
    let mut answers = Vec::new();
    for _ in 0..10 {
        answers.push(desk.post("hello").await);
    }
    desk.begin();
    desk.writer.close().await;
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(seq(answer.await), n as u64 + 1);
    }
    assert!(!desk.writer.is_open());
    let mark = ReadMark { room: RoomId(1), user: UserId(1), seq: Seq(1) };
    assert!(matches!(desk.writer.mark_read(mark).await, Err(StoreError::Unavailable(_))));
}

#[tokio::test(start_paused = true)]
async fn writes_of_others_are_announced_while_the_queue_is_empty() {
    let desk = desk(&[]);
    let mut abroad = desk.writer.foreign_writes();
    desk.foreign.lock().unwrap().extend([None, None, Some(Foreign::Logs), None, Some(Foreign::Rights)]);
    let start = tokio::time::Instant::now();
    assert_eq!(abroad.next().await, Some(Foreign::Logs));
    assert_eq!(desk.told.1.load(Ordering::Relaxed), 1, "the observer has forgotten before anybody hears of it");
    assert_eq!(abroad.next().await, Some(Foreign::Rights));
    assert_eq!(start.elapsed(), 4 * LOOK_ABROAD_EVERY, "the first look is at once, the fifth shows the second");
}
