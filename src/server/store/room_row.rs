//! Rooms and who is in them, from rows to what is shown.

use super::columns::{access_from, count_from, damaged, role_from, seq_from};
use super::{ReadPlace, RoomReaders, RoomView, StoreError};
use crate::domain::{Role, RoomId, Slug, UserId};
use crate::protocol::{MemberList, MemberView, RoomSummary};
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

/// A room as one reader may see it.
pub(super) struct RoomRow {
    id: i64,
    slug: String,
    name: String,
    access: String,
    creator: Option<i64>,
    head: i64,
    keep_days: Option<i64>,
    reader_role: String,
    membership: Option<i64>,
    unread: i64,
}

impl RoomRow {
    pub fn view(self, reader: UserId) -> Result<RoomView, StoreError> {
        let owner = role_from(&self.reader_role)? == Role::Owner;
        let summary = RoomSummary {
            slug: self.slug,
            name: self.name,
            access: access_from(&self.access)?,
            member: self.membership.is_some(),
            manages: owner || self.creator == Some(reader.0),
            head: seq_from(self.head)?,
            keep_days: self.keep_days.map(count_from).transpose()?,
            unread: count_from(self.unread)?,
        };
        Ok(RoomView { id: RoomId(self.id), summary })
    }
}

impl<'r, R: Row> FromRow<'r, R> for RoomRow
where
    usize: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    String: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<RoomRow, sqlx::Error> {
        Ok(RoomRow {
            id: row.try_get(0)?,
            slug: row.try_get(1)?,
            name: row.try_get(2)?,
            access: row.try_get(3)?,
            creator: row.try_get(4)?,
            head: row.try_get(5)?,
            keep_days: row.try_get(6)?,
            reader_role: row.try_get(7)?,
            membership: row.try_get(8)?,
            unread: row.try_get(9)?,
        })
    }
}

pub(super) fn pruned(rows: Vec<(String, Option<i64>)>) -> Result<Vec<(Slug, Option<u32>)>, StoreError> {
    let pruned = |(slug, days): (String, Option<i64>)| {
        let slug = Slug::parse(&slug).map_err(|_| damaged("slug", &slug))?;
        Ok((slug, days.map(count_from).transpose()?))
    };
    rows.into_iter().map(pruned).collect()
}

pub(super) fn read_place((room, head, read): (i64, i64, Option<i64>)) -> Result<ReadPlace, StoreError> {
    Ok(ReadPlace { room: RoomId(room), head: seq_from(head)?, read: read.map(seq_from).transpose()? })
}

/// Those joined first, each group by name.
pub(super) fn listed(rows: Vec<RoomRow>, reader: UserId) -> Result<Vec<RoomView>, StoreError> {
    let mut rooms = rows.into_iter().map(|row| row.view(reader)).collect::<Result<Vec<_>, _>>()?;
    rooms.sort_by_cached_key(|room| {
        let summary = &room.summary;
        (!summary.member, summary.name.to_lowercase(), summary.slug.clone())
    });
    Ok(rooms)
}

/// Account, name, since when, and how many members there are.
pub(super) type MemberRow = (i64, String, i64, i64);

pub(super) fn member_list(rows: Vec<MemberRow>) -> Result<MemberList, StoreError> {
    let count = rows.first().map_or(Ok(0), |(.., count)| count_from(*count))?;
    let first = rows.into_iter().map(|(id, name, joined_at, _)| MemberView { id, name, joined_at }).collect();
    Ok(MemberList { count, first })
}

/// A room and, if it is closed, one of its members; rows of one room stand together.
pub(super) type ReaderRow = (i64, String, String, Option<i64>);

pub(super) fn readers(rows: Vec<ReaderRow>) -> Result<Vec<RoomReaders>, StoreError> {
    let mut rooms: Vec<RoomReaders> = Vec::new();
    for (id, slug, access, member) in rows {
        let id = RoomId(id);
        if rooms.last().is_none_or(|room| room.id != id) {
            let slug = Slug::parse(&slug).map_err(|_| damaged("address", slug))?;
            rooms.push(RoomReaders { id, slug, access: access_from(&access)?, members: Vec::new() });
        }
        if let (Some(room), Some(member)) = (rooms.last_mut(), member) {
            room.members.push(UserId(member));
        }
    }
    Ok(rooms)
}
