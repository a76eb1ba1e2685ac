//! How values of the domain stand in columns, whatever the engine.

use super::StoreError;
use super::writer::ReadMark;
use crate::domain::{Access, Role, RoomId, Seq, UserId};
use crate::i18n::Locale;
use std::collections::BTreeMap;

/// A seq as the engines count. Nothing is beyond `i64::MAX`, so a larger one reads as that.
pub(super) fn seq_column(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

pub(super) fn seq_from(column: i64) -> Result<Seq, StoreError> {
    u64::try_from(column).map(Seq).map_err(|_| damaged("seq", column))
}

pub(super) fn count_from(column: i64) -> Result<u32, StoreError> {
    u32::try_from(column).map_err(|_| damaged("count", column))
}

pub(super) fn access_column(access: Access) -> &'static str {
    match access {
        Access::Open => "open",
        Access::Closed => "closed",
    }
}

pub(super) fn access_from(column: &str) -> Result<Access, StoreError> {
    match column {
        "open" => Ok(Access::Open),
        "closed" => Ok(Access::Closed),
        other => Err(damaged("access", other)),
    }
}

pub(super) fn role_column(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Member => "member",
    }
}

pub(super) fn role_from(column: &str) -> Result<Role, StoreError> {
    match column {
        "owner" => Ok(Role::Owner),
        "member" => Ok(Role::Member),
        other => Err(damaged("role", other)),
    }
}

pub(super) fn locale_column(locale: Option<Locale>) -> Option<&'static str> {
    locale.map(|locale| match locale {
        Locale::Ko => "ko",
        Locale::En => "en",
    })
}

/// A language that this version does not know reads as none chosen.
pub(super) fn locale_from(column: Option<&str>) -> Option<Locale> {
    match column {
        Some("ko") => Some(Locale::Ko),
        Some("en") => Some(Locale::En),
        _ => None,
    }
}

pub(super) fn hash_from(column: &[u8]) -> Result<[u8; 32], StoreError> {
    column.try_into().map_err(|_| damaged("hash of bytes", column.len()))
}

pub(super) fn room_ids(rooms: &[RoomId]) -> Vec<i64> {
    rooms.iter().map(|room| room.0).collect()
}

/// A room and an account as the bulk statements take them.
#[derive(serde::Serialize)]
pub(super) struct PairColumns {
    room: i64,
    user: i64,
}

impl From<&(RoomId, UserId)> for PairColumns {
    fn from((room, user): &(RoomId, UserId)) -> PairColumns {
        PairColumns { room: room.0, user: user.0 }
    }
}

/// A member with the seq up to which it has read, as the bulk statements take them.
#[derive(serde::Serialize)]
pub(super) struct ReaderColumns {
    room: i64,
    user: i64,
    seq: i64,
}

pub(super) fn reader_columns<'a>(
    read: impl IntoIterator<Item = (&'a (RoomId, UserId), &'a Seq)>,
) -> Vec<ReaderColumns> {
    let columns = |(&(room, user), seq): (&(RoomId, UserId), &Seq)| ReaderColumns {
        room: room.0,
        user: user.0,
        seq: seq_column(*seq),
    };
    read.into_iter().map(columns).collect()
}

/// The furthest mark of each member, since one row is updated once a statement. `None`: there is none.
pub(super) fn furthest(marks: &[&ReadMark]) -> Option<Vec<ReaderColumns>> {
    let mut furthest = BTreeMap::new();
    for mark in marks {
        let seq = furthest.entry((mark.room, mark.user)).or_insert(mark.seq);
        *seq = mark.seq.max(*seq);
    }
    (!furthest.is_empty()).then(|| reader_columns(&furthest))
}

pub(super) fn damaged(what: &str, value: impl std::fmt::Display) -> StoreError {
    StoreError::Internal(format!("the database holds a {what} that cannot be: {value}"))
}
