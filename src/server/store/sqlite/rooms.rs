use super::super::columns::{PairColumns, access_from, count_from, damaged, role_from, seq_from};
use super::super::event_row::json;
use super::super::writer::ReadMark;
use super::super::{RoomHead, RoomReaders, RoomView, Rooms, StoreError, sql};
use super::SqliteStore;
use crate::domain::{Role, RoomId, Seq, Slug, UserId};
use crate::protocol::{MemberList, MemberView, RoomSummary};
use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

const READABLE: &str = "SELECT r.id, u.id FROM json_each($1) AS j
    JOIN rooms AS r ON r.id = j.value ->> 'room'
    JOIN users AS u ON u.id = j.value ->> 'user'
    LEFT JOIN memberships AS m ON m.room_id = r.id AND m.user_id = u.id
    WHERE r.access = 'open' OR m.user_id IS NOT NULL";

const READERS: &str = "SELECT r.id, r.slug, r.access, m.user_id FROM rooms AS r
    LEFT JOIN memberships AS m ON m.room_id = r.id AND r.access = 'closed'
    WHERE r.slug IN (SELECT value FROM json_each($1)) ORDER BY r.id";

#[async_trait]
impl Rooms for SqliteStore {
    async fn room(&self, slug: &Slug, user: UserId) -> Result<Option<RoomView>, StoreError> {
        let row: Option<RoomRow> =
            sqlx::query_as(sql::rooms::ROOM).bind(user.0).bind(slug.as_str()).fetch_optional(&self.readers).await?;
        row.map(|row| row.view(user)).transpose()
    }

    async fn room_head(&self, slug: &Slug, user: UserId) -> Result<Option<RoomHead>, StoreError> {
        let query = sqlx::query_as(sql::rooms::ROOM_HEAD).bind(user.0).bind(slug.as_str());
        let row: Option<(i64, i64)> = query.fetch_optional(&self.readers).await?;
        row.map(|(id, head)| Ok(RoomHead { id: RoomId(id), head: seq_from(head)? })).transpose()
    }

    async fn rooms(&self, user: UserId) -> Result<Vec<RoomView>, StoreError> {
        let rows: Vec<RoomRow> = sqlx::query_as(sql::rooms::ROOMS).bind(user.0).fetch_all(&self.readers).await?;
        let mut rooms = rows.into_iter().map(|row| row.view(user)).collect::<Result<Vec<_>, _>>()?;
        rooms.sort_by_cached_key(|room| {
            let summary = &room.summary;
            (!summary.member, summary.name.to_lowercase(), summary.slug.clone())
        });
        Ok(rooms)
    }

    async fn members(&self, room: RoomId, limit: u32) -> Result<MemberList, StoreError> {
        let rows: Vec<(i64, String, i64, i64)> =
            sqlx::query_as(sql::rooms::MEMBERS).bind(room.0).bind(i64::from(limit)).fetch_all(&self.readers).await?;
        let count = rows.first().map_or(Ok(0), |(.., count)| count_from(*count))?;
        let first = rows.into_iter().map(|(id, name, joined_at, _)| MemberView { id, name, joined_at }).collect();
        Ok(MemberList { count, first })
    }

    async fn readable(&self, pairs: &[(RoomId, UserId)]) -> Result<Vec<(RoomId, UserId)>, StoreError> {
        let asked: Vec<_> = pairs.iter().map(PairColumns::from).collect();
        let rows: Vec<(i64, i64)> = sqlx::query_as(READABLE).bind(json(&asked)?).fetch_all(&self.readers).await?;
        Ok(rows.into_iter().map(|(room, user)| (RoomId(room), UserId(user))).collect())
    }

    async fn readers(&self, slugs: &[Slug]) -> Result<Vec<RoomReaders>, StoreError> {
        let asked: Vec<_> = slugs.iter().map(Slug::as_str).collect();
        let rows: Vec<(i64, String, String, Option<i64>)> =
            sqlx::query_as(READERS).bind(json(&asked)?).fetch_all(&self.readers).await?;
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

    async fn mark_read(&self, room: RoomId, user: UserId, seq: Seq) -> Result<(), StoreError> {
        self.writer.mark_read(ReadMark { room, user, seq }).await
    }
}

struct RoomRow {
    id: i64,
    slug: String,
    name: String,
    access: String,
    creator: Option<i64>,
    head: i64,
    reader_role: String,
    membership: Option<i64>,
    unread: i64,
}

impl RoomRow {
    fn view(self, reader: UserId) -> Result<RoomView, StoreError> {
        let owner = role_from(&self.reader_role)? == Role::Owner;
        let summary = RoomSummary {
            slug: self.slug,
            name: self.name,
            access: access_from(&self.access)?,
            member: self.membership.is_some(),
            manages: owner || self.creator == Some(reader.0),
            head: seq_from(self.head)?,
            unread: count_from(self.unread)?,
        };
        Ok(RoomView { id: RoomId(self.id), summary })
    }
}

impl FromRow<'_, SqliteRow> for RoomRow {
    fn from_row(row: &SqliteRow) -> Result<RoomRow, sqlx::Error> {
        Ok(RoomRow {
            id: row.try_get(0)?,
            slug: row.try_get(1)?,
            name: row.try_get(2)?,
            access: row.try_get(3)?,
            creator: row.try_get(4)?,
            head: row.try_get(5)?,
            reader_role: row.try_get(6)?,
            membership: row.try_get(7)?,
            unread: row.try_get(8)?,
        })
    }
}
