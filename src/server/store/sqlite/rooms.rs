use super::super::columns::{PairColumns, seq_from};
use super::super::event_row::json;
use super::super::room_row::{MemberRow, ReaderRow, RoomRow, listed, member_list, pruned, read_place, readers};
use super::super::writer::ReadMark;
use super::super::{ReadPlace, RoomHead, RoomReaders, RoomView, Rooms, StoreError, sql};
use super::SqliteStore;
use crate::domain::{RoomId, Seq, Slug, UserId};
use crate::protocol::MemberList;
use async_trait::async_trait;

const READABLE: &str = "SELECT r.id, u.id FROM json_each($1) AS j
    JOIN rooms AS r ON r.id = j.value ->> 'room'
    JOIN users AS u ON u.id = j.value ->> 'user'
    LEFT JOIN memberships AS m ON m.room_id = r.id AND m.user_id = u.id
    WHERE r.access = 'open' OR m.user_id IS NOT NULL";

const ARE_MEMBERS: &str = "SELECT m.room_id, m.user_id FROM json_each($1) AS j
    JOIN memberships AS m ON m.room_id = j.value ->> 'room' AND m.user_id = j.value ->> 'user'";

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
        listed(rows, user)
    }

    async fn members(&self, room: RoomId, limit: u32) -> Result<MemberList, StoreError> {
        let rows: Vec<MemberRow> =
            sqlx::query_as(sql::rooms::MEMBERS).bind(room.0).bind(i64::from(limit)).fetch_all(&self.readers).await?;
        member_list(rows)
    }

    async fn readable(&self, pairs: &[(RoomId, UserId)]) -> Result<Vec<(RoomId, UserId)>, StoreError> {
        let asked: Vec<_> = pairs.iter().map(PairColumns::from).collect();
        let rows: Vec<(i64, i64)> = sqlx::query_as(READABLE).bind(json(&asked)?).fetch_all(&self.readers).await?;
        Ok(rows.into_iter().map(|(room, user)| (RoomId(room), UserId(user))).collect())
    }

    async fn memberships(&self, pairs: &[(RoomId, UserId)]) -> Result<Vec<(RoomId, UserId)>, StoreError> {
        let asked: Vec<_> = pairs.iter().map(PairColumns::from).collect();
        let rows: Vec<(i64, i64)> = sqlx::query_as(ARE_MEMBERS).bind(json(&asked)?).fetch_all(&self.readers).await?;
        Ok(rows.into_iter().map(|(room, user)| (RoomId(room), UserId(user))).collect())
    }

    async fn readers(&self, slugs: &[Slug]) -> Result<Vec<RoomReaders>, StoreError> {
        let asked: Vec<_> = slugs.iter().map(Slug::as_str).collect();
        let rows: Vec<ReaderRow> = sqlx::query_as(READERS).bind(json(&asked)?).fetch_all(&self.readers).await?;
        readers(rows)
    }

    async fn pruned_rooms(&self) -> Result<Vec<(Slug, Option<u32>)>, StoreError> {
        pruned(sqlx::query_as(sql::rooms::PRUNED).fetch_all(&self.readers).await?)
    }

    async fn read_place(&self, slug: &Slug, user: UserId) -> Result<Option<ReadPlace>, StoreError> {
        let query = sqlx::query_as(sql::rooms::READ_PLACE).bind(user.0).bind(slug.as_str());
        query.fetch_optional(&self.readers).await?.map(read_place).transpose()
    }

    async fn mark_read(&self, room: RoomId, user: UserId, seq: Seq) -> Result<(), StoreError> {
        self.writer.mark_read(ReadMark { room, user, seq }).await
    }
}
