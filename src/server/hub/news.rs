//! What a room's log gained and not every follower here may have got yet.

use crate::domain::Seq;
use crate::server::channel_layer::Growth;
use crate::server::encode::{self, EventsFrame, LogName};
use bytes::Bytes;
use std::collections::VecDeque;

/// The newest events of one room, consecutive and of bounded size.
#[derive(Clone, Debug)]
pub struct News {
    log: LogName,
    head: Seq,
    events: VecDeque<Bytes>,
    bytes: usize,
}

impl News {
    pub fn of(growth: &Growth) -> News {
        let bytes = growth.events.iter().map(Bytes::len).sum();
        News { log: growth.log.clone(), head: growth.last(), events: growth.events.iter().cloned().collect(), bytes }
    }

    pub fn head(&self) -> Seq {
        self.head
    }

    /// Adds what the log grew by and keeps the newest events, at most `limit` bytes of them: who lacks
    /// what is let go reads the log. What is held already changes nothing; after a jump, or when
    /// another history begins, nothing of before is kept.
    pub fn add(&mut self, growth: &Growth, limit: usize) {
        if growth.log == self.log && growth.last() <= self.head {
            return;
        }
        if growth.log != self.log || growth.first > self.head.next() {
            *self = News::of(growth);
            return;
        }
        let known = self.head.next().0 - growth.first.0;
        for event in growth.events.iter().skip(known as usize) {
            self.bytes += event.len();
            self.events.push_back(event.clone());
        }
        self.head = growth.last();
        while self.bytes > limit && self.events.len() > growth.events.len() {
            self.let_go();
        }
    }

    /// Whether it has events that are not after `seq`.
    pub fn reaches_back_to(&self, seq: Seq) -> bool {
        self.before() < seq && !self.events.is_empty()
    }

    /// Everybody has the events up to `seq`.
    pub fn forget_up_to(&mut self, seq: Seq) {
        while self.reaches_back_to(seq) {
            self.let_go();
        }
    }

    fn let_go(&mut self) {
        if let Some(event) = self.events.pop_front() {
            self.bytes -= event.len();
        }
    }

    /// The seq before the first event.
    fn before(&self) -> Seq {
        Seq(self.head.0 - self.events.len() as u64)
    }
}

/// News on their way to many connections, most of which stand at the same place: they share the bytes.
pub struct Joined<'a> {
    news: &'a News,
    made: Option<(Seq, Vec<EventsFrame>)>,
}

impl<'a> Joined<'a> {
    pub fn new(news: &'a News) -> Joined<'a> {
        Joined { news, made: None }
    }

    pub fn head(&self) -> Seq {
        self.news.head
    }

    /// All events after `at` in as few frames as they fit; `None` when the news begin later.
    pub fn after(&mut self, at: Seq) -> Option<&[EventsFrame]> {
        let known = usize::try_from(at.0.checked_sub(self.news.before().0)?).ok()?;
        if self.made.as_ref().is_none_or(|(made, _)| *made != at) {
            let events: Vec<_> = self.news.events.iter().skip(known).collect();
            self.made = Some((at, encode::events(&self.news.log, at.next(), &events)));
        }
        self.made.as_ref().map(|(_, frames)| &frames[..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{RoomId, Slug};

    fn growth(epoch: &str, first: u64, last: u64) -> Growth {
        let events = (first..=last).map(|seq| Bytes::from(format!("{seq:010}")));
        let log = LogName { slug: Slug::parse("general").unwrap(), epoch: epoch.into() };
        Growth { room: RoomId(1), log, first: Seq(first), events: events.collect(), changes: Vec::new() }
    }

    /// Which events a reader at `at` is given.
    fn given(news: &News, at: u64) -> Option<(u64, u64)> {
        let mut joined = Joined::new(news);
        let frames = joined.after(Seq(at))?;
        Some((at + 1, frames.last()?.last.0))
    }

    #[test]
    fn news_go_on_where_they_ended_and_repeat_nothing() {
        let mut news = News::of(&growth("e", 5, 6));
        news.add(&growth("e", 6, 8), 1_000);
        news.add(&growth("e", 5, 5), 1_000);
        assert_eq!([given(&news, 4), given(&news, 6)], [Some((5, 8)), Some((7, 8))]);
        assert_eq!(given(&news, 3), None, "older than the news");
    }

    #[test]
    fn after_a_jump_and_in_another_history_nothing_of_before_is_kept() {
        let mut news = News::of(&growth("e", 5, 6));
        news.add(&growth("e", 9, 9), 1_000);
        assert_eq!((given(&news, 6), given(&news, 8)), (None, Some((9, 9))));
        news.add(&growth("f", 2, 3), 1_000);
        assert_eq!((news.head(), given(&news, 8), given(&news, 1)), (Seq(3), None, Some((2, 3))));
    }

    #[test]
    fn the_oldest_news_are_let_go_beyond_the_limit_and_when_everybody_has_them() {
        let mut news = News::of(&growth("e", 1, 4));
        news.add(&growth("e", 5, 6), 40);
        assert_eq!((given(&news, 1), given(&news, 2)), (None, Some((3, 6))));
        news.forget_up_to(Seq(4));
        assert_eq!((given(&news, 3), given(&news, 4)), (None, Some((5, 6))));
    }
}
