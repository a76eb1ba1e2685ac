//! The room list and its unread counts, moved by the events of every joined room. Pure.
//!
//! A fetched list joins by the same law as a page: events that arrive while it is under way are
//! kept, and those after a room's `head` counted.

use super::read_position::ReadPositions;
use crate::domain::Seq;
use crate::protocol::{Author, Event, EventKind, MOST_UNREAD, RoomSummary};

/// Counts stop here: more than is counted out.
const UNREAD_MAX: u32 = MOST_UNREAD + 1;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomList {
    reader: i64,
    rooms: Vec<RoomSummary>,
    /// Events of rooms since the list was asked for; `None` when none is under way.
    kept: Option<Vec<(String, Event)>>,
}

impl RoomList {
    pub fn new(reader: &Author, rooms: Vec<RoomSummary>) -> RoomList {
        RoomList { reader: reader.id, rooms, kept: None }
    }

    pub fn rooms(&self) -> &[RoomSummary] {
        &self.rooms
    }

    pub fn room(&self, slug: &str) -> Option<&RoomSummary> {
        self.rooms.iter().find(|room| room.slug == slug)
    }

    /// A list has been asked for.
    pub fn expect(&mut self) {
        self.kept = Some(Vec::new());
    }

    /// The list that was asked for.
    pub fn replace(&mut self, rooms: Vec<RoomSummary>, read: &ReadPositions) {
        self.rooms = rooms;
        for room in &mut self.rooms {
            if read.seen(&room.slug) >= room.head {
                room.unread = 0;
            }
        }
        for (slug, event) in self.kept.take().unwrap_or_default() {
            self.count(&slug, &event);
        }
    }

    /// Counts events of a room. Whether anything but its head changed.
    pub fn apply(&mut self, slug: &str, events: &[Event]) -> bool {
        if let Some(kept) = &mut self.kept {
            kept.extend(events.iter().map(|event| (slug.to_owned(), event.clone())));
        }
        let changes = events.iter().filter(|event| self.count(slug, event)).count();
        changes > 0
    }

    /// The reader has seen everything that is counted. Whether that changed anything.
    pub fn clear_unread(&mut self, slug: &str) -> bool {
        let room = self.rooms.iter_mut().find(|room| room.slug == slug && room.unread > 0);
        room.map(|room| room.unread = 0).is_some()
    }

    /// The reader has seen the room up to `seq`: no more is unread than came after it. Whether that
    /// changed anything.
    pub fn read_to(&mut self, slug: &str, seq: Seq) -> bool {
        let Some(room) = self.rooms.iter_mut().find(|room| room.slug == slug) else { return false };
        let after = u32::try_from(room.head.0.saturating_sub(seq.0)).unwrap_or(UNREAD_MAX);
        let less = after < room.unread;
        room.unread = room.unread.min(after);
        less
    }

    /// The reader may no longer see the room. Whether it was there.
    pub fn remove(&mut self, slug: &str) -> bool {
        let before = self.rooms.len();
        self.rooms.retain(|room| room.slug != slug);
        self.rooms.len() != before
    }

    fn count(&mut self, slug: &str, event: &Event) -> bool {
        let reader = self.reader;
        let Some(room) = self.rooms.iter_mut().find(|room| room.slug == slug && room.head < event.seq) else {
            return false;
        };
        room.head = event.seq;
        match &event.kind {
            EventKind::Posted { author, deleted: false, .. } if author.id != reader && room.member => {
                room.unread = (room.unread + 1).min(UNREAD_MAX);
            }
            EventKind::Joined { member } if member.id == reader => room.member = true,
            EventKind::Left { member } if member.id == reader => (room.member, room.unread) = (false, 0),
            EventKind::Renamed { name, .. } => room.name.clone_from(name),
            EventKind::AccessChanged { access, .. } => room.access = *access,
            EventKind::RetentionChanged { days, .. } => room.keep_days = *days,
            _ => return false,
        }
        true
    }
}

/// The sum over all rooms, for the title.
pub fn unread_total(rooms: &[RoomSummary]) -> u32 {
    rooms.iter().filter(|room| room.member).map(|room| room.unread).sum()
}

/// Where the log of a listed room is followed from, to keep counting.
pub fn cursor(room: &RoomSummary) -> Option<Seq> {
    room.member.then_some(room.head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Access;

    const ME: i64 = 1;

    fn person(id: i64) -> Author {
        Author { id, name: "민아".into() }
    }

    fn summary(slug: &str, head: u64, unread: u32) -> RoomSummary {
        RoomSummary {
            keep_days: None,
            slug: slug.into(),
            name: slug.into(),
            access: Access::Open,
            member: true,
            manages: false,
            head: Seq(head),
            unread,
        }
    }

    fn list(rooms: Vec<RoomSummary>) -> RoomList {
        RoomList::new(&person(ME), rooms)
    }

    fn posted(seq: u64, author: i64) -> Event {
        let (key, body, rev) = (format!("k{seq}"), Some("body".into()), Some(Seq(seq)));
        Event {
            seq: Seq(seq),
            at: 0,
            kind: EventKind::Posted {
                key,
                author: person(author),
                body,
                rev,
                deleted: false,
                files: vec![],
                previews: None,
            },
        }
    }

    fn event(seq: u64, kind: EventKind) -> Event {
        Event { seq: Seq(seq), at: 0, kind }
    }

    fn unread(list: &RoomList) -> u32 {
        list.room("a").unwrap().unread
    }

    #[test]
    fn what_was_read_elsewhere_counts_no_more() {
        let mut list = list(vec![summary("a", 9, 5)]);
        assert!(!list.read_to("a", Seq(4)) && !list.read_to("b", Seq(9)));
        assert!(list.read_to("a", Seq(7)));
        assert_eq!(unread(&list), 2);
        assert!(list.read_to("a", Seq(12)) && !list.read_to("a", Seq(12)));
        assert_eq!(unread(&list), 0);
    }

    #[test]
    fn posts_by_others_count_once() {
        let mut list = list(vec![summary("a", 4, 2), summary("b", 0, 0)]);
        let news = [posted(4, 2), posted(5, 2), posted(6, ME), event(7, EventKind::Unknown)];
        assert!(list.apply("a", &news));
        assert!(!list.apply("a", &news));
        assert_eq!((unread(&list), list.room("a").unwrap().head), (3, Seq(7)));
        assert_eq!(list.room("b").unwrap().unread, 0);
    }

    #[test]
    fn counting_stops_at_its_limit() {
        let mut list = list(vec![summary("a", 0, 99)]);
        list.apply("a", &[posted(1, 2), posted(2, 2), posted(3, 2)]);
        assert_eq!(unread(&list), UNREAD_MAX);
    }

    #[test]
    fn a_list_that_is_older_than_the_events_loses_no_count() {
        let mut list = list(vec![summary("a", 4, 0)]);
        list.expect();
        list.apply("a", &[posted(5, 2), posted(6, 2)]);
        // Read after event 5 was there.
        list.replace(vec![summary("a", 5, 1)], &ReadPositions::default());
        assert_eq!((unread(&list), list.room("a").unwrap().head), (2, Seq(6)));
    }

    #[test]
    fn a_list_does_not_bring_back_what_was_read_here() {
        let mut list = list(vec![summary("a", 4, 3)]);
        let mut read = ReadPositions::default();
        read.see("a", Seq(4));
        list.clear_unread("a");
        list.expect();
        list.replace(vec![summary("a", 4, 3)], &read);
        assert_eq!(unread(&list), 0);
    }

    #[test]
    fn membership_name_and_access_follow_the_log() {
        let mut list = list(vec![RoomSummary { member: false, ..summary("a", 0, 0) }]);
        list.apply("a", &[posted(1, 2)]);
        assert_eq!(unread(&list), 0, "nothing is unread for those who are not members");
        list.apply("a", &[event(2, EventKind::Joined { member: person(ME) }), posted(3, 2)]);
        assert_eq!(unread(&list), 1);
        list.apply("a", &[event(4, EventKind::Renamed { by: person(2), name: "새 이름".into() })]);
        list.apply("a", &[event(5, EventKind::AccessChanged { by: person(2), access: Access::Closed })]);
        let room = list.room("a").unwrap();
        assert_eq!((room.name.as_str(), room.access), ("새 이름", Access::Closed));
        list.apply("a", &[event(6, EventKind::Left { member: person(ME) })]);
        assert_eq!((unread(&list), list.room("a").unwrap().member), (0, false));
    }

    #[test]
    fn the_total_is_over_the_readers_rooms() {
        let rooms = [summary("a", 0, 3), summary("b", 0, 4), RoomSummary { member: false, ..summary("c", 0, 5) }];
        assert_eq!(unread_total(&rooms), 7);
    }
}
