//! One room's people: this node's, the other nodes', and what they looked like when they were last told.

use crate::domain::UserId;
use crate::protocol::{Author, ServerFrame};
use crate::server::encode;
use crate::server::presence::People;
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

#[derive(Default)]
pub struct Room {
    own: BTreeMap<UserId, Own>,
    /// What other nodes were last told of them.
    said: People,
    /// Of those who follow the room here and have been looked up.
    pub members: HashMap<UserId, Membership>,
    pub elsewhere: People,
    told: Told,
    pub view: Option<View>,
    /// Of a room where only a number is told: when that may be next.
    pub not_before: Option<Instant>,
    pub missed: bool,
}

/// Whether somebody is a member, as the store said last.
#[derive(Clone, Copy)]
pub struct Membership {
    pub member: bool,
    /// It may be otherwise by now. Until the store has been asked, which may be away, it counts.
    pub doubtful: bool,
}

/// Somebody who is here, or was a moment ago.
struct Own {
    name: Arc<str>,
    gone_since: Option<Instant>,
}

/// What followers know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Told {
    #[default]
    Nothing,
    People(People),
    Count(usize),
}

/// What is shown to the followers of a room, encoded once for all.
#[derive(Clone, Debug)]
pub struct View {
    pub version: u64,
    /// For who was shown the version before, where that is shorter.
    pub change: Option<(u64, Bytes)>,
    /// For everybody else.
    pub whole: Bytes,
}

impl View {
    /// The frame for somebody who was last shown version `shown`, 0 for nothing; `None` for who has this or a later one.
    pub fn after(&self, shown: u64) -> Option<&Bytes> {
        let change = self.change.as_ref().filter(|(from, _)| *from == shown).map(|(_, frame)| frame);
        (shown < self.version).then_some(change.unwrap_or(&self.whole))
    }
}

impl Room {
    /// The membership of this account, or of any, may be another. Whether any was known.
    pub fn doubt(&mut self, user: Option<UserId>) -> bool {
        let doubted = self.members.iter_mut().filter(|(id, _)| user.is_none_or(|user| user == **id));
        doubted.map(|(_, known)| known.doubtful = true).count() > 0
    }

    /// Compares with who follows the room here now. When somebody's absence will have been too long for a short one.
    pub fn gather(&mut self, following: &People, now: Instant, grace: Duration) -> Option<Instant> {
        self.members.retain(|user, _| following.contains_key(user));
        let members = following.iter().filter(|(user, _)| self.members.get(user).is_some_and(|known| known.member));
        let here: BTreeMap<_, _> = members.collect();
        self.own.retain(|user, own| {
            let since = *own.gone_since.get_or_insert(now);
            here.contains_key(user) || since + grace > now
        });
        for (user, name) in here {
            self.own.insert(*user, Own { name: Arc::clone(name), gone_since: None });
        }
        self.own.values().filter_map(|own| own.gone_since).min().map(|since| since + grace)
    }

    /// This node's people, if that is not what was said last.
    pub fn take_news(&mut self) -> Option<People> {
        let own = self.own();
        let news = own != self.said;
        if news {
            self.said.clone_from(&own);
        }
        news.then_some(own)
    }

    pub fn own(&self) -> People {
        self.own.iter().map(|(user, own)| (*user, Arc::clone(&own.name))).collect()
    }

    /// How many are here and elsewhere.
    pub fn present(&self) -> usize {
        let others = self.elsewhere.keys().filter(|user| !self.own.contains_key(user));
        self.own.len() + others.count()
    }

    /// Makes the view anew, as this version, if it is another one. With more than `most` people it is their number.
    pub fn changes(&mut self, slug: &str, version: u64, most: usize) -> bool {
        let count = self.present();
        let now = match count > most {
            true => Told::Count(count),
            false => Told::People(self.elsewhere.clone().into_iter().chain(self.own()).collect()),
        };
        if now == self.told {
            return false;
        }
        let before = std::mem::replace(&mut self.told, now);
        let from = self.view.as_ref().map(|view| view.version);
        let change = from.and_then(|from| Some((from, change(slug, &before, &self.told)?)));
        self.view = Some(View { version, change, whole: whole(slug, &self.told) });
        true
    }
}

fn whole(slug: &str, told: &Told) -> Bytes {
    let mut frame = Parts { room: slug.to_owned(), ..Parts::default() };
    match told {
        Told::Nothing => {}
        Told::People(people) => frame.present = Some(authors(people, |_| true)),
        Told::Count(count) => frame.count = Some(u32::try_from(*count).unwrap_or(u32::MAX)),
    }
    frame.encoded()
}

/// Between two lists of names.
fn change(slug: &str, before: &Told, now: &Told) -> Option<Bytes> {
    let (Told::People(before), Told::People(now)) = (before, now) else { return None };
    let came = authors(now, |user| !before.contains_key(user));
    let left = authors(before, |user| !now.contains_key(user));
    // Who has another name than before is neither.
    let same = before.len() + came.len() - left.len() == now.len() && !(came.is_empty() && left.is_empty());
    same.then(|| Parts { room: slug.to_owned(), came, left, ..Parts::default() }.encoded())
}

fn authors(people: &People, wanted: impl Fn(&UserId) -> bool) -> Vec<Author> {
    let wanted = people.iter().filter(|(user, _)| wanted(user));
    wanted.map(|(user, name)| Author { id: user.0, name: name.to_string() }).collect()
}

/// The fields of a `presence` frame.
#[derive(Default)]
struct Parts {
    room: String,
    present: Option<Vec<Author>>,
    came: Vec<Author>,
    left: Vec<Author>,
    count: Option<u32>,
}

impl Parts {
    fn encoded(self) -> Bytes {
        let Parts { room, present, came, left, count } = self;
        encode::frame(&ServerFrame::Presence { room, present, came, left, count })
    }
}
