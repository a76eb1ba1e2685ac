//! The law of the log against the real store: whatever a reader was served at whatever times, late,
//! twice, with pages under way, the rest as it is served now makes it what the room is now.

use super::world::*;
use pickmate::client::timeline::{Applied, Generation, Timeline};
use pickmate::domain::{Access, RoomId, Seq, UserId};
use pickmate::protocol::{Event, Page};
use pickmate::server::store::Store;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use std::collections::VecDeque;
use std::sync::Arc;

const ROOM: &str = "general";

/// Something that happens in the room, or to its reader.
#[derive(Clone, Debug)]
enum Turn {
    Post(usize),
    /// Of a message by its author.
    Edit(Index),
    Delete(Index),
    Join(usize),
    Leave(usize),
    Rename(u8),
    SetAccess(Access),
    /// The server reads on for the reader.
    Serve(u32),
    /// What was served first arrives.
    Arrive,
    /// A frame that has arrived comes again.
    Again(Index),
    /// Older rows are asked for and read; they are under way.
    AskOlder(u32),
    OlderArrive,
    /// The connection starts over from the head, and the newest page is read.
    Gap(u32),
    NewestArrive,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let limit = 1..6_u32;
    let access = prop_oneof![3 => Just(Access::Open), 1 => Just(Access::Closed)];
    let turn = prop_oneof![
        8 => (0..3_usize).prop_map(Turn::Post),
        6 => any::<Index>().prop_map(Turn::Edit),
        4 => any::<Index>().prop_map(Turn::Delete),
        1 => (0..3_usize).prop_map(Turn::Join),
        1 => (0..3_usize).prop_map(Turn::Leave),
        1 => (0..3_u8).prop_map(Turn::Rename),
        1 => access.prop_map(Turn::SetAccess),
        8 => limit.clone().prop_map(Turn::Serve),
        8 => Just(Turn::Arrive),
        2 => any::<Index>().prop_map(Turn::Again),
        3 => limit.clone().prop_map(Turn::AskOlder),
        3 => Just(Turn::OlderArrive),
        1 => limit.prop_map(Turn::Gap),
        2 => Just(Turn::NewestArrive),
    ];
    prop::collection::vec(turn, 1..80)
}

/// A reader, its connection, and what is on the way between them.
struct Reader {
    store: Arc<dyn Store>,
    room: RoomId,
    timeline: Timeline,
    /// The connection's cursor.
    served: Seq,
    events: VecDeque<Vec<Event>>,
    arrived: Vec<Vec<Event>>,
    older: Option<(Generation, Seq, Page)>,
    newest: Option<Page>,
}

impl Reader {
    async fn enter(store: Arc<dyn Store>, room: RoomId, limit: u32) -> Reader {
        let page = store.page(room, None, limit).await.unwrap();
        let served = page.head;
        let timeline = Timeline::from_page(page);
        let (events, arrived) = (VecDeque::new(), Vec::new());
        Reader { store, room, timeline, served, events, arrived, older: None, newest: None }
    }

    async fn take(&mut self, turn: &Turn) {
        match turn {
            Turn::Serve(limit) => self.serve(*limit).await,
            Turn::Arrive => self.arrive(),
            Turn::Again(frame) if !self.arrived.is_empty() => {
                let again = frame.get(&self.arrived).clone();
                assert_ne!(self.timeline.apply(&again), Applied::Hole);
            }
            Turn::AskOlder(limit) => self.ask_older(*limit).await,
            Turn::OlderArrive => self.older_arrive(),
            Turn::Gap(limit) => self.gap(*limit).await,
            Turn::NewestArrive => self.newest_arrive(),
            _ => {}
        }
    }

    async fn serve(&mut self, limit: u32) {
        let stretch = self.store.events_after(self.room, self.served, limit).await.unwrap();
        if let Some(last) = stretch.events.last() {
            self.served = last.seq;
            self.events.push_back(stretch.events);
        }
    }

    fn arrive(&mut self) {
        let Some(events) = self.events.pop_front() else { return };
        assert_ne!(self.timeline.apply(&events), Applied::Hole);
        self.arrived.push(events);
    }

    async fn ask_older(&mut self, limit: u32) {
        let Some(before) = self.timeline.oldest().filter(|_| self.timeline.has_older()) else { return };
        if self.older.is_none() && self.newest.is_none() {
            let asked = self.timeline.expect_older();
            self.older = Some((asked, before, self.store.page(self.room, Some(before), limit).await.unwrap()));
        }
    }

    fn older_arrive(&mut self) {
        if let Some((asked, before, page)) = self.older.take() {
            self.timeline.prepend(asked, before, page);
        }
    }

    async fn gap(&mut self, limit: u32) {
        if self.newest.is_none() {
            self.older = None;
            self.timeline.expect_newest();
            self.served = self.store.heads(&[self.room]).await.unwrap()[0].1;
            self.newest = Some(self.store.page(self.room, None, limit).await.unwrap());
        }
    }

    fn newest_arrive(&mut self) {
        if let Some(page) = self.newest.take() {
            assert_eq!(self.timeline.replace(page), Applied::Changed);
        }
    }

    /// Everything arrives, and all older rows are fetched.
    async fn settle(&mut self, limit: u32) {
        self.older_arrive();
        self.newest_arrive();
        while !self.events.is_empty() {
            self.arrive();
        }
        self.serve(u32::MAX).await;
        self.arrive();
        while self.timeline.has_older() {
            self.ask_older(limit).await;
            self.older_arrive();
        }
    }
}

/// The people of the room, and what they have posted.
struct People<'a, E> {
    world: &'a World<E>,
    users: [UserId; 3],
    posts: Vec<(Seq, UserId)>,
    texts: u32,
}

impl<E: Engine> People<'_, E> {
    /// What may not be done is refused and changes nothing.
    async fn take(&mut self, turn: &Turn) {
        self.texts += 1;
        let text = format!("text {}", self.texts);
        match turn {
            Turn::Post(user) => {
                let author = self.users[*user];
                if let Ok(committed) = self.world.post(ROOM, author, &format!("k{}", self.texts), &text).await {
                    self.posts.push((committed.seq.unwrap(), author));
                }
            }
            Turn::Edit(index) if !self.posts.is_empty() => {
                let (target, author) = *index.get(&self.posts);
                let _ = self.world.edit(ROOM, author, target, &text).await;
            }
            Turn::Delete(index) if !self.posts.is_empty() => {
                let (target, author) = *index.get(&self.posts);
                let _ = self.world.delete(ROOM, author, target).await;
            }
            Turn::Join(user) => drop(self.world.join(ROOM, self.users[*user]).await),
            Turn::Leave(user) => drop(self.world.leave(ROOM, self.users[*user]).await),
            Turn::Rename(name) => drop(self.world.rename(ROOM, self.users[0], &format!("name {name}")).await),
            Turn::SetAccess(access) => drop(self.world.set_access(ROOM, self.users[0], *access).await),
            _ => {}
        }
    }
}

/// The reader comes when `past` has happened.
async fn live_through<E: Engine>(past: Vec<Turn>, turns: Vec<Turn>, limit: u32) {
    let world = World::<E>::new().await;
    let users = [world.owner("a").await, world.user("b").await, world.user("c").await];
    let room = world.room(ROOM, Access::Open, users[0]).await;
    let mut people = People { world: &world, users, posts: Vec::new(), texts: 0 };
    for turn in &past {
        people.take(turn).await;
    }
    let mut reader = Reader::enter(world.store.clone(), room, limit).await;
    for turn in &turns {
        people.take(turn).await;
        reader.take(turn).await;
    }
    reader.settle(limit).await;
    let now = Timeline::from_page(world.store.page(room, None, u32::MAX).await.unwrap());
    assert_eq!(shown(&reader.timeline), shown(&now));
}

/// Whatever the reader went through.
fn shown(timeline: &Timeline) -> (&str, Seq, Vec<&Event>, bool, Option<Seq>) {
    let rows = timeline.rows().map(Arc::as_ref).collect();
    (timeline.epoch(), timeline.head(), rows, timeline.has_older(), timeline.seam())
}

pub async fn a_reader_ends_where_the_room_is_however_it_got_there<E: Engine>(_world: World<E>) {
    let handle = tokio::runtime::Handle::current();
    let mut runner = TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
    tokio::task::block_in_place(|| {
        let outcome = runner.run(&(turns(), turns(), 1..6_u32), |(past, turns, limit)| {
            handle.block_on(live_through::<E>(past, turns, limit));
            Ok(())
        });
        outcome.unwrap();
    });
}
