use super::super::columns::seq_from;
use super::super::room_row::{MemberRow, ReaderRow, RoomRow, listed, member_list, pruned, read_place, readers};
use super::super::writer::ReadMark;
use super::super::{ReadPlace, RoomHead, RoomReaders, RoomView, Rooms, StoreError, sql};
use super::PostgresStore;
use crate::domain::{RoomId, Seq, Slug, UserId};
use crate::protocol::MemberList;
use async_trait::async_trait;

const READABLE: &str = "SELECT r.id, u.id FROM unnest($1::bigint[], $2::bigint[]) AS j (room, reader)
    JOIN rooms AS r ON r.id = j.room
    JOIN users AS u ON u.id = j.reader
    LEFT JOIN memberships AS m ON m.room_id = r.id AND m.user_id = u.id
    WHERE r.access = 'open' OR m.user_id IS NOT NULL";

const ARE_MEMBERS: &str = "SELECT m.room_id, m.user_id FROM unnest($1::bigint[], $2::bigint[]) AS j (room, member)
    JOIN memberships AS m ON m.room_id = j.room AND m.user_id = j.member";

const READERS: &str = "SELECT r.id, r.slug, r.access, m.user_id FROM rooms AS r
    LEFT JOIN memberships AS m ON m.room_id = r.id AND r.access = 'closed'
    WHERE r.slug = ANY($1) ORDER BY r.id";

#[async_trait]
impl Rooms for PostgresStore {
    async fn room(&self, slug: &Slug, user: UserId) -> Result<Option<RoomView>, StoreError> {
        let query = sqlx::query_as(sql::rooms::ROOM).bind(user.0).bind(slug.as_str());
        let row: Option<RoomRow> = self.connections.optional(query).await?;
        row.map(|row| row.view(user)).transpose()
    }

    async fn room_head(&self, slug: &Slug, user: UserId) -> Result<Option<RoomHead>, StoreError> {
        let query = sqlx::query_as(sql::rooms::ROOM_HEAD).bind(user.0).bind(slug.as_str());
        let row: Option<(i64, i64)> = self.connections.optional(query).await?;
        row.map(|(id, head)| Ok(RoomHead { id: RoomId(id), head: seq_from(head)? })).transpose()
    }

    async fn rooms(&self, user: UserId) -> Result<Vec<RoomView>, StoreError> {
        let query = sqlx::query_as(sql::rooms::ROOMS).bind(user.0);
        let rows: Vec<RoomRow> = self.connections.all(query).await?;
        listed(rows, user)
    }

    async fn members(&self, room: RoomId, limit: u32) -> Result<MemberList, StoreError> {
        let query = sqlx::query_as(sql::rooms::MEMBERS).bind(room.0).bind(i64::from(limit));
        let rows: Vec<MemberRow> = self.connections.all(query).await?;
        member_list(rows)
    }

    async fn readable(&self, pairs: &[(RoomId, UserId)]) -> Result<Vec<(RoomId, UserId)>, StoreError> {
        let (rooms, users): (Vec<_>, Vec<_>) = pairs.iter().map(|(room, user)| (room.0, user.0)).unzip();
        let query = sqlx::query_as(READABLE).bind(rooms).bind(users);
        let rows: Vec<(i64, i64)> = self.connections.all(query).await?;
        Ok(rows.into_iter().map(|(room, user)| (RoomId(room), UserId(user))).collect())
    }

    async fn memberships(&self, pairs: &[(RoomId, UserId)]) -> Result<Vec<(RoomId, UserId)>, StoreError> {
        let (rooms, users): (Vec<_>, Vec<_>) = pairs.iter().map(|(room, user)| (room.0, user.0)).unzip();
        let query = sqlx::query_as(ARE_MEMBERS).bind(rooms).bind(users);
        let rows: Vec<(i64, i64)> = self.connections.all(query).await?;
        Ok(rows.into_iter().map(|(room, user)| (RoomId(room), UserId(user))).collect())
    }

    async fn readers(&self, slugs: &[Slug]) -> Result<Vec<RoomReaders>, StoreError> {
        let asked: Vec<_> = slugs.iter().map(Slug::as_str).collect();
        let rows: Vec<ReaderRow> = self.connections.all(sqlx::query_as(READERS).bind(asked)).await?;
        readers(rows)
    }

    async fn pruned_rooms(&self) -> Result<Vec<(Slug, Option<u32>)>, StoreError> {
        pruned(self.connections.all(sqlx::query_as(sql::rooms::PRUNED)).await?)
    }

    async fn read_place(&self, slug: &Slug, user: UserId) -> Result<Option<ReadPlace>, StoreError> {
        let query = sqlx::query_as(sql::rooms::READ_PLACE).bind(user.0).bind(slug.as_str());
        self.connections.optional(query).await?.map(read_place).transpose()
    }

    async fn mark_read(&self, room: RoomId, user: UserId, seq: Seq) -> Result<(), StoreError> {
        self.marks.put(ReadMark { room, user, seq }, self.connections.patience()).await
    }
}
