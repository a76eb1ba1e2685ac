use super::*;
use crate::domain::{FileId, Slug};
use crate::protocol::{Attached, Author, Event, EventKind, Preview, Previews, ServerFrame};
use crate::server::encode;
use proptest::prelude::*;
use proptest::sample::Index;

const EPOCH: &str = "e1";

/// Budgets that hold a few events of one room and of two.
fn limits() -> Limits {
    Limits { ring_room_bytes: 4_096, ring_bytes: 6_000, ..Limits::default() }
}

fn step() -> Budget {
    Budget { events: 5, bytes: 1_000 }
}

fn log(room: RoomId) -> RoomLog {
    RoomLog { room, slug: Slug::parse("general").unwrap() }
}

fn wanted(room: RoomId, after: Seq, head: Seq) -> Wanted {
    Wanted { log: log(room), after, head }
}

/// Every second message carries something.
fn carried(seq: Seq) -> Vec<Attached> {
    let file = |id| Attached { id, name: "a".into(), media_type: "b/c".into(), bytes: 1, width: None, height: None };
    let id = FileId::from_random([seq.0 as u8; 16]);
    if seq.0.is_multiple_of(2) { vec![file(id)] } else { vec![] }
}

/// The store: what it would serve now.
#[derive(Clone, Debug, Default)]
struct Model {
    events: Vec<Event>,
}

impl Model {
    fn head(&self) -> Seq {
        Seq(self.events.len() as u64)
    }

    /// Appends events and changes the messages that they change.
    fn commit(&mut self, room: RoomId, writes: &[Write]) -> Arc<Growth> {
        let first = self.head().next();
        let mut told = Vec::new();
        for write in writes {
            let seq = self.head().next();
            let event = Event { seq, at: 1, kind: self.kind(write, seq) };
            if let Some(target) = event.kind.target() {
                self.change(target, &event);
            }
            self.events.push(event.clone());
            told.push(event);
        }
        let changes = told.iter().filter_map(|event| Some((event.seq, event.kind.target()?))).collect();
        let events = told.iter().map(encode::event).collect();
        let log = LogName { slug: log(room).slug, epoch: EPOCH.into() };
        Arc::new(Growth { room, log, first, events, changes })
    }

    fn kind(&self, write: &Write, seq: Seq) -> EventKind {
        let standing = |pick: &usize| {
            let standing = |event: &&Event| matches!(event.kind, EventKind::Posted { deleted: false, .. });
            let posts: Vec<Seq> = self.events.iter().filter(standing).map(|event| event.seq).collect();
            (!posts.is_empty()).then(|| posts[pick % posts.len()])
        };
        match write {
            Write::Edit(pick, body) if standing(pick).is_some() => {
                EventKind::Edited { target: standing(pick).unwrap(), rev: seq, body: Some(body.clone()) }
            }
            Write::Delete(pick) if standing(pick).is_some() => EventKind::Deleted { target: standing(pick).unwrap() },
            Write::Preview(pick, title) if standing(pick).is_some() => {
                let list = vec![Preview { title: title.clone(), ..Preview::default() }];
                EventKind::Preview { target: standing(pick).unwrap(), rev: Some(seq), list }
            }
            Write::Post(body) | Write::Edit(_, body) | Write::Preview(_, body) => EventKind::Posted {
                key: format!("k{}", seq.0),
                author: Author { id: 1, name: "민아".into() },
                body: Some(body.clone()),
                rev: Some(seq),
                deleted: false,
                files: carried(seq),
                previews: None,
            },
            Write::Delete(_) => EventKind::Joined { member: Author { id: 2, name: "Joon".into() } },
        }
    }

    fn change(&mut self, changed: Seq, change: &Event) {
        if let EventKind::Preview { rev: Some(shown), list: now, .. } = &change.kind {
            return self.show(changed, *shown, now);
        }
        let now = match &change.kind {
            EventKind::Edited { body, .. } => body.clone(),
            _ => None,
        };
        for event in &mut self.events {
            let seq = event.seq;
            match &mut event.kind {
                EventKind::Posted { body, rev, deleted, files, previews, .. } if seq == changed => {
                    (*body, *deleted, *previews) = (now.clone(), now.is_none(), None);
                    if now.is_none() {
                        files.clear();
                    }
                    *rev = now.is_some().then_some(change.seq);
                }
                EventKind::Edited { target, body, rev } if *target == changed => {
                    (*body, *rev) = (now.clone(), change.seq);
                }
                EventKind::Preview { target, rev, list } if *target == changed => (*rev, *list) = (None, Vec::new()),
                _ => {}
            }
        }
    }

    fn show(&mut self, changed: Seq, shown: Seq, now: &[Preview]) {
        for event in &mut self.events {
            let seq = event.seq;
            match &mut event.kind {
                EventKind::Posted { previews, .. } if seq == changed => {
                    *previews = Some(Previews { rev: shown, list: now.to_vec() });
                }
                EventKind::Preview { target, rev, list } if *target == changed => {
                    (*rev, *list) = (Some(shown), now.to_vec());
                }
                _ => {}
            }
        }
    }

    /// As the store reads a tail: whole events until the budget is spent.
    fn tail(&self, budget: Budget) -> EventPage {
        let size = |event: &Event| match &event.kind {
            EventKind::Posted { body: Some(body), .. } => body.len(),
            _ => 0,
        };
        let mut bytes = 0;
        let newest = self.events.iter().rev().take_while(|event| {
            let fits = bytes < budget.bytes;
            bytes += size(event);
            fits
        });
        let mut events: Vec<Event> = newest.cloned().collect();
        events.reverse();
        EventPage { head: self.head(), first: Seq(1), events }
    }
}

#[derive(Clone, Debug)]
enum Write {
    Post(String),
    /// Of some message, or a post when there is none.
    Edit(usize, String),
    Delete(usize),
    Preview(usize, String),
}

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<Write>),
    /// A growth that was told before is told again, late.
    Repeat(Index),
    /// A read of the tail begins, sees the store, and comes back: three steps of a slow one.
    Begin,
    Look,
    Finish,
    GiveUp,
    /// Another process commits; then that is noticed.
    Foreign(Vec<Write>),
    Unfollow,
}

fn write() -> impl Strategy<Value = Write> {
    let body = || "[a-z가-힣\"]{0,80}";
    prop_oneof![
        3 => body().prop_map(Write::Post),
        2 => (any::<usize>(), body()).prop_map(|(pick, body)| Write::Edit(pick, body)),
        1 => any::<usize>().prop_map(Write::Delete),
        2 => (any::<usize>(), "[가-다]{0,9}").prop_map(|(pick, title)| Write::Preview(pick, title)),
    ]
}

fn writes() -> impl Strategy<Value = Vec<Write>> {
    prop::collection::vec(write(), 1..4)
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let step = prop_oneof![
        8 => writes().prop_map(Step::Commit),
        1 => any::<Index>().prop_map(Step::Repeat),
        3 => Just(Step::Begin),
        3 => Just(Step::Look),
        3 => Just(Step::Finish),
        1 => Just(Step::GiveUp),
        1 => writes().prop_map(Step::Foreign),
        1 => Just(Step::Unfollow),
    ];
    prop::collection::vec((0..2usize, step), 1..80)
}

#[derive(Default)]
struct Room {
    store: Model,
    told: Vec<Arc<Growth>>,
    load: Option<(Ticket, Option<EventPage>)>,
}

struct World {
    ring: Arc<Ring>,
    rooms: [Room; 2],
    served: usize,
}

impl World {
    fn new() -> World {
        World { ring: Arc::new(Ring::new(&limits())), rooms: Default::default(), served: 0 }
    }

    fn take(&mut self, index: usize, step: Step) {
        let id = RoomId(index as i64);
        let (ring, room) = (&self.ring, &mut self.rooms[index]);
        match step {
            Step::Commit(writes) => {
                let growth = room.store.commit(id, &writes);
                ring.apply(&growth);
                room.told.push(growth);
            }
            Step::Repeat(index) if !room.told.is_empty() => ring.apply(index.get(&room.told)),
            Step::Begin => room.load = Some((ring.begin(log(id)), None)),
            Step::Look => {
                if let Some((_, seen)) = &mut room.load {
                    seen.get_or_insert_with(|| room.store.tail(ring.budget()));
                }
            }
            Step::Finish => {
                if let Some((ticket, Some(page))) = room.load.take() {
                    ring.finish(&ticket, EPOCH.into(), &page);
                }
            }
            Step::GiveUp => room.load = None,
            Step::Foreign(writes) => {
                room.store.commit(id, &writes);
                ring.forget_all();
            }
            Step::Unfollow => ring.forget(id),
            Step::Repeat(_) => {}
        }
    }

    /// Whatever it serves is what the store would serve now.
    fn check(&mut self) {
        assert!(self.ring.bytes() <= limits().ring_bytes);
        for (index, room) in self.rooms.iter().enumerate() {
            let (id, head) = (RoomId(index as i64), room.store.head());
            assert!(self.ring.head(id, EPOCH).is_none_or(|known| known == head));
            for after in (0..head.0).rev().take(20).map(Seq) {
                if let Found::Stretch(stretch) = self.ring.after(&wanted(id, after, head), EPOCH, step()) {
                    assert_eq!(stretch.head, head);
                    let served = events(&stretch);
                    assert_eq!(served, room.store.events[after.0 as usize..][..served.len()], "after {after:?}");
                    assert!(!served.is_empty());
                    self.served += 1;
                }
            }
        }
    }
}

fn events(stretch: &Stretch) -> Vec<Event> {
    let frames = stretch.frames.iter().flat_map(|frame| encode::tests::read(&frame.bytes));
    let lists = frames.map(|frame| match frame {
        ServerFrame::Events { list, .. } => list,
        other => panic!("{other:?}"),
    });
    lists.flatten().collect()
}

proptest! {
    #[test]
    fn what_the_ring_serves_is_what_the_store_would_serve_now(steps in steps()) {
        let mut world = World::new();
        for (room, step) in steps {
            world.take(room, step);
            world.check();
        }
    }
}

fn posts(count: usize) -> Vec<Write> {
    (0..count).map(|n| Write::Post(format!("text {n}"))).collect()
}

fn loaded(world: &mut World, index: usize) {
    for step in [Step::Begin, Step::Look, Step::Finish] {
        world.take(index, step);
    }
    world.check();
}

#[test]
fn a_room_that_was_read_once_serves_from_then_on_without_the_store() {
    let mut world = World::new();
    world.take(0, Step::Commit(posts(3)));
    assert!(world.ring.head(RoomId(0), EPOCH).is_none());
    loaded(&mut world, 0);
    world.take(0, Step::Commit(posts(3)));
    world.check();
    assert_eq!(world.ring.head(RoomId(0), EPOCH), Some(Seq(6)));
    assert!(world.served >= 9, "{}", world.served);
    assert_eq!(world.ring.head(RoomId(0), "e2"), None, "of another history");
}

#[test]
fn a_commit_during_a_slow_read_is_not_lost() {
    let mut world = World::new();
    world.take(0, Step::Commit(posts(2)));
    world.take(0, Step::Begin);
    world.take(0, Step::Look);
    world.take(0, Step::Commit(vec![Write::Edit(0, "새로".into()), Write::Post("x".into())]));
    world.take(0, Step::Finish);
    world.check();
    assert_eq!(world.ring.head(RoomId(0), EPOCH), Some(Seq(4)));
}

#[test]
fn a_read_that_another_process_interrupts_is_not_entered() {
    let mut world = World::new();
    world.take(0, Step::Commit(posts(2)));
    world.take(0, Step::Begin);
    world.take(0, Step::Look);
    world.take(0, Step::Foreign(posts(1)));
    world.take(0, Step::Finish);
    assert!(world.ring.head(RoomId(0), EPOCH).is_none());
}

#[test]
fn an_erased_body_is_in_no_byte_of_the_ring() {
    let mut world = World::new();
    world.take(0, Step::Commit(vec![Write::Post("비밀".into())]));
    loaded(&mut world, 0);
    world.take(0, Step::Commit(vec![Write::Edit(0, "비밀 둘".into())]));
    world.take(0, Step::Commit(vec![Write::Delete(0)]));
    world.check();
    let Found::Stretch(stretch) = world.ring.after(&wanted(RoomId(0), Seq(0), Seq(3)), EPOCH, step()) else {
        panic!("absent")
    };
    assert!(stretch.frames.iter().all(|frame| !String::from_utf8_lossy(&frame.bytes).contains("비밀")));
    assert_eq!(events(&stretch).last().unwrap().seq, Seq(3));
}

#[test]
fn who_comes_back_together_shares_the_bytes() {
    let mut world = World::new();
    world.take(0, Step::Commit(posts(3)));
    loaded(&mut world, 0);
    let stretch = |world: &World, after| match world.ring.after(&wanted(RoomId(0), Seq(after), Seq(3)), EPOCH, step()) {
        Found::Stretch(stretch) => stretch,
        other => panic!("{other:?}"),
    };
    let (one, two, other) = (stretch(&world, 0), stretch(&world, 0), stretch(&world, 1));
    assert!(Arc::ptr_eq(&one.frames, &two.frames) && !Arc::ptr_eq(&one.frames, &other.frames));
}

#[test]
fn the_room_that_was_asked_for_longest_ago_makes_room() {
    let mut world = World::new();
    let full = || Step::Commit((0..20).map(|_| Write::Post("가".repeat(60))).collect());
    for room in [0, 1] {
        world.take(room, full());
        loaded(&mut world, room);
    }
    assert!(world.ring.head(RoomId(0), EPOCH).is_none() && world.ring.head(RoomId(1), EPOCH).is_some());
}

#[test]
fn a_tail_that_the_store_has_outrun_is_forgotten_and_a_read_under_way_too() {
    let (mut model, ring, room) = (Model::default(), Arc::new(Ring::new(&limits())), RoomId(1));
    model.commit(room, &[Write::Post("a".into()), Write::Post("b".into())]);
    let load = |ring: &Arc<Ring>, model: &Model| {
        let (ticket, page) = (ring.begin(log(room)), model.tail(ring.budget()));
        ring.finish(&ticket, EPOCH.into(), &page);
    };
    load(&ring, &model);
    ring.outrun(room, Seq(2));
    assert_eq!(ring.head(room, EPOCH), Some(Seq(2)));
    let (ticket, page) = (ring.begin(log(room)), model.tail(ring.budget()));
    ring.outrun(room, Seq(3));
    assert_eq!(ring.head(room, EPOCH), None);
    ring.finish(&ticket, EPOCH.into(), &page);
    assert_eq!(ring.head(room, EPOCH), None, "it began before");
}
