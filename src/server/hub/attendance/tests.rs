use super::*;
use crate::protocol::ServerFrame;
use crate::server::encode::tests::read;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const ROOM: RoomId = RoomId(1);
const MS: Duration = Duration::from_millis(1);
const LIMITS: PresenceLimits =
    PresenceLimits { people: 3, gather: MS, count_every: Duration::from_millis(50), grace: GRACE };
const GRACE: Duration = Duration::from_millis(10);

fn people(users: impl IntoIterator<Item = i64>) -> People {
    users.into_iter().map(|user| (UserId(user), format!("u{user}").into())).collect()
}

/// Nobody but members follows the room.
fn look(attendance: &mut Attendance, following: &People, now: Instant) -> Option<People> {
    for user in attendance.unknown(ROOM, following) {
        attendance.learn(ROOM, user, true);
    }
    attendance.gather(ROOM, following, now)
}

/// What a client makes of the frames it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Screen {
    version: u64,
    shows: Shows,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Shows {
    People(BTreeSet<i64>),
    Count(u32),
}

impl Default for Shows {
    fn default() -> Shows {
        Shows::People(BTreeSet::new())
    }
}

impl Screen {
    fn show(&mut self, view: &View) {
        let Some(frame) = view.after(self.version) else { return };
        self.version = view.version;
        match &read(frame)[..] {
            [ServerFrame::Presence { present: Some(present), .. }] => {
                self.shows = Shows::People(present.iter().map(|author| author.id).collect());
            }
            [ServerFrame::Presence { count: Some(count), .. }] => self.shows = Shows::Count(*count),
            [ServerFrame::Presence { came, left, .. }] => {
                let Shows::People(people) = &mut self.shows else { panic!("a change to a number") };
                came.iter().for_each(|author| assert!(people.insert(author.id), "{author:?} was there"));
                left.iter().for_each(|author| assert!(people.remove(&author.id), "{author:?} was not there"));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_first_view_has_everybody_and_later_ones_the_change() {
    let (mut attendance, now) = (Attendance::new(LIMITS), Instant::now());
    look(&mut attendance, &people([1, 2]), now);
    let first = attendance.view(ROOM, "a", now).unwrap();
    assert!(first.change.is_none());
    assert!(attendance.view(ROOM, "a", now).is_none(), "nothing is new");
    attendance.hear(ROOM, people([2, 3]));
    let second = attendance.view(ROOM, "a", now).unwrap();
    let (mut follower, mut late) = (Screen::default(), Screen::default());
    follower.show(&first);
    let [ServerFrame::Presence { present: None, came, left, count: None, .. }] =
        &read(second.after(first.version).unwrap())[..]
    else {
        panic!("not a change")
    };
    assert_eq!((came.len(), came[0].id, left.len()), (1, 3, 0));
    follower.show(&second);
    late.show(&second);
    assert_eq!(follower, late);
    assert!(second.after(second.version).is_none() && first.after(second.version).is_none(), "never back");
}

#[test]
fn a_short_absence_is_none_and_a_long_one_ends_when_it_was_said_to() {
    let (mut attendance, start) = (Attendance::new(LIMITS), Instant::now());
    assert_eq!(look(&mut attendance, &people([1]), start), Some(people([1])));
    assert_eq!(look(&mut attendance, &people([]), start + MS), None);
    assert_eq!(look(&mut attendance, &people([1]), start + GRACE), None);
    assert_eq!(look(&mut attendance, &people([]), start + GRACE + MS), None);
    let due = attendance.due().unwrap();
    assert_eq!(due, start + MS + GRACE, "the first absence is looked at and found to be over");
    assert_eq!((attendance.take_due(due), attendance.due()), (vec![ROOM], None));
    assert_eq!(look(&mut attendance, &people([]), due), None);
    let due = attendance.due().unwrap();
    assert_eq!(due, start + GRACE + MS + GRACE);
    attendance.take_due(due);
    assert_eq!(look(&mut attendance, &people([]), due), Some(people([])));
    assert!(attendance.rooms.is_empty() && attendance.agenda.is_empty(), "nothing is kept of it");
}

#[test]
fn in_doubt_what_the_store_said_last_counts() {
    let (mut attendance, start) = (Attendance::new(LIMITS), Instant::now());
    let both = people([1, 2]);
    look(&mut attendance, &both, start);
    attendance.doubt(None, start);
    assert_eq!(attendance.unknown(ROOM, &both).len(), 2, "they are looked up again");
    let later = start + GRACE * 2;
    assert_eq!(attendance.gather(ROOM, &both, later), None, "and stay while the store is away");
    attendance.learn(ROOM, UserId(2), false);
    attendance.gather(ROOM, &both, later);
    assert_eq!(attendance.gather(ROOM, &both, later + GRACE), Some(people([1])));
}

#[test]
fn of_many_only_the_number_is_told_and_that_not_often() {
    let (mut attendance, start) = (Attendance::new(LIMITS), Instant::now());
    look(&mut attendance, &people([1, 2, 3, 4]), start);
    let mut screen = Screen::default();
    screen.show(&attendance.view(ROOM, "a", start).unwrap());
    assert_eq!(screen.shows, Shows::Count(4));
    attendance.hear(ROOM, people([4, 5]));
    assert!(attendance.view(ROOM, "a", start + MS).is_none());
    assert_eq!(attendance.due(), Some(start + LIMITS.count_every));
    screen.show(&attendance.view(ROOM, "a", start + LIMITS.count_every).unwrap());
    assert_eq!(screen.shows, Shows::Count(5));
    attendance.hear(ROOM, people([]));
    look(&mut attendance, &people([1]), start + GRACE);
    look(&mut attendance, &people([1]), start + GRACE * 2);
    screen.show(&attendance.view(ROOM, "a", start + GRACE * 2).unwrap());
    assert_eq!(screen.shows, Shows::People([1].into()), "few are named at once");
}

#[test]
fn who_is_no_member_is_not_shown_until_that_is_doubted() {
    let (mut attendance, now) = (Attendance::new(LIMITS), Instant::now());
    assert_eq!(attendance.unknown(ROOM, &people([1, 2])), [UserId(1), UserId(2)]);
    attendance.learn(ROOM, UserId(1), true);
    attendance.learn(ROOM, UserId(2), false);
    assert_eq!(attendance.gather(ROOM, &people([1, 2]), now), Some(people([1])));
    assert_eq!(attendance.unknown(ROOM, &people([1, 2])), []);
    attendance.doubt(Some(UserId(2)), now);
    assert_eq!((attendance.unknown(ROOM, &people([1, 2])), attendance.due()), (vec![UserId(2)], Some(now + MS)));
}

#[test]
fn a_view_that_somebody_could_not_take_is_offered_again() {
    let (mut attendance, now) = (Attendance::new(LIMITS), Instant::now());
    look(&mut attendance, &people([1]), now);
    let view = attendance.view(ROOM, "a", now).unwrap();
    attendance.missed(ROOM);
    assert_eq!(attendance.missing(), [ROOM]);
    assert_eq!(attendance.view(ROOM, "a", now).unwrap().version, view.version);
    assert!(attendance.missing().is_empty() && attendance.view(ROOM, "a", now).is_none());
}

/// Some nodes, what each has said, and what the sockets on them show.
struct World {
    nodes: Vec<Node>,
    now: Instant,
}

struct Node {
    attendance: Attendance,
    /// The sockets that follow the room, and whose they are.
    sockets: BTreeMap<u32, (i64, Screen)>,
    said: People,
    /// What it says reaches nobody, and it hears nobody.
    cut_off: bool,
}

#[derive(Clone, Debug)]
enum Act {
    Join {
        node: usize,
        user: i64,
    },
    Leave {
        node: usize,
        pick: usize,
    },
    /// The node looks at the room. Some of its sockets have no space for what is new.
    Look {
        node: usize,
        deaf: usize,
    },
    CutOff {
        node: usize,
    },
    Heal {
        node: usize,
    },
    Pass {
        ms: u32,
    },
}

const NODES: usize = 3;

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let node = 0..NODES;
    let act = prop_oneof![
        4 => (node.clone(), 1..7_i64).prop_map(|(node, user)| Act::Join { node, user }),
        3 => (node.clone(), any::<usize>()).prop_map(|(node, pick)| Act::Leave { node, pick }),
        5 => (node.clone(), 1..5_usize).prop_map(|(node, deaf)| Act::Look { node, deaf }),
        1 => node.clone().prop_map(|node| Act::CutOff { node }),
        1 => node.prop_map(|node| Act::Heal { node }),
        3 => (1..20_u32).prop_map(|ms| Act::Pass { ms }),
    ];
    prop::collection::vec(act, 0..80)
}

impl World {
    fn new() -> World {
        let node = || Node {
            attendance: Attendance::new(LIMITS),
            sockets: BTreeMap::new(),
            said: People::new(),
            cut_off: false,
        };
        World { nodes: (0..NODES).map(|_| node()).collect(), now: Instant::now() }
    }

    /// One in `deaf` sockets has no space.
    fn look(&mut self, at: usize, deaf: usize) {
        let others = self.nodes.iter().enumerate().filter(|(index, other)| *index != at && !other.cut_off);
        let elsewhere: People = others.flat_map(|(_, node)| node.said.clone()).collect();
        let (node, now) = (&mut self.nodes[at], self.now);
        let following = people(node.sockets.values().map(|(user, _)| *user));
        look(&mut node.attendance, &following, now);
        match node.cut_off {
            true => node.attendance.forget_elsewhere(now),
            false => {
                node.said = node.attendance.all().into_iter().flat_map(|(_, people)| people).collect();
                node.attendance.hear(ROOM, elsewhere);
            }
        }
        let Some(view) = node.attendance.view(ROOM, "a", now) else { return };
        for (id, (_, screen)) in &mut node.sockets {
            if deaf > 1 && (*id as usize).is_multiple_of(deaf) {
                node.attendance.missed(ROOM);
            } else {
                screen.show(&view);
            }
        }
    }

    fn act(&mut self, act: Act, id: u32) {
        match act {
            Act::Join { node, user } => {
                let node = &mut self.nodes[node];
                let mut screen = Screen::default();
                node.attendance.shown(ROOM).iter().for_each(|view| screen.show(view));
                node.sockets.insert(id, (user, screen));
            }
            Act::Leave { node, pick } => {
                let sockets = &mut self.nodes[node].sockets;
                let gone = sockets.keys().nth(pick % sockets.len().max(1)).copied();
                gone.and_then(|id| sockets.remove(&id));
            }
            Act::Look { node, deaf } => self.look(node, deaf),
            Act::CutOff { node } => self.nodes[node].cut_off = true,
            Act::Heal { node } => self.nodes[node].cut_off = false,
            Act::Pass { ms } => self.now += MS * ms,
        }
    }
}

proptest! {
    #[test]
    fn presence_converges(acts in acts()) {
        let mut world = World::new();
        for (id, act) in (1..).zip(acts) {
            world.act(act, id);
        }
        world.nodes.iter_mut().for_each(|node| node.cut_off = false);
        // Once to begin the last absences, once to end them, once to hear of it.
        for _ in 0..3 {
            world.now += LIMITS.count_every;
            (0..NODES).for_each(|node| world.look(node, 1));
        }
        let there: BTreeSet<i64> = world.nodes.iter().flat_map(|node| node.sockets.values().map(|(user, _)| *user)).collect();
        let expected = match there.len() > LIMITS.people {
            true => Shows::Count(there.len() as u32),
            false => Shows::People(there),
        };
        for (id, (_, screen)) in world.nodes.iter().flat_map(|node| &node.sockets) {
            prop_assert_eq!(&screen.shows, &expected, "socket {}", id);
        }
    }
}
