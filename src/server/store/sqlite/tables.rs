//! The statements behind the rare commands.

use super::super::change::{Account, NewMembership, NewMessage, NewPreviews, NewRoom, Room, RoomRow, Standing, Tables};
use super::super::columns::{access_column, seq_column, seq_from};
use super::super::event_row::{NewEvent, json};
use super::super::file_row::Found;
use super::super::key_row::{KnownKey, NewKey};
use super::super::{Intent, StoreError, sql};
use super::commit::append;
use super::{keys, uploads};
use crate::domain::{Access, FileId, RoomId, RoomName, Seq, Slug, UserId};
use async_trait::async_trait;
use sqlx::SqliteConnection;

/// At the end of the table of bodies, as they are.
const PUT_PREVIEWS: &str = "INSERT INTO bodies (id, body) SELECT coalesce(max(id), 0) + 1, $4 FROM bodies;
    UPDATE messages SET previews_rev = $3, previews_id = (SELECT max(id) FROM bodies) WHERE room_id = $1 AND seq = $2";

/// In a transaction that may write: nobody else writes meanwhile.
#[async_trait]
impl Tables for SqliteConnection {
    async fn known(&mut self, room: Option<&Slug>, intent: &Intent) -> Result<Option<KnownKey>, StoreError> {
        keys::known(self, room, intent).await
    }

    async fn put_key(&mut self, key: &NewKey) -> Result<(), StoreError> {
        keys::put(self, key).await
    }

    async fn account(&mut self, user: UserId) -> Result<Option<Account>, StoreError> {
        let row = sqlx::query_as(sql::rooms::ACCOUNT).bind(user.0).fetch_optional(self).await?;
        row.map(|row| Account::from_row(user, row)).transpose()
    }

    async fn room(&mut self, slug: &Slug) -> Result<Option<Room>, StoreError> {
        let row: Option<RoomRow> =
            sqlx::query_as(sql::rooms::ROOM_BY_SLUG).bind(slug.as_str()).fetch_optional(self).await?;
        row.map(|row| Room::from_row(slug, row)).transpose()
    }

    async fn is_member(&mut self, room: RoomId, user: UserId) -> Result<bool, StoreError> {
        let (count,): (i64,) =
            sqlx::query_as(sql::rooms::MEMBERSHIPS).bind(room.0).bind(user.0).fetch_one(self).await?;
        Ok(count > 0)
    }

    async fn member_count(&mut self, room: RoomId) -> Result<i64, StoreError> {
        let (members,): (i64,) = sqlx::query_as(sql::rooms::MEMBER_COUNT).bind(room.0).fetch_one(self).await?;
        Ok(members)
    }

    async fn insert_room(&mut self, new: &NewRoom<'_>, at: i64) -> Result<RoomId, StoreError> {
        let (id,): (i64,) = sqlx::query_as(sql::rooms::INSERT_ROOM)
            .bind(new.slug.as_str())
            .bind(new.name.as_str())
            .bind(access_column(new.access))
            .bind(new.creator.map(|creator| creator.0))
            .bind(at)
            .fetch_one(self)
            .await?;
        Ok(RoomId(id))
    }

    async fn insert_membership(&mut self, new: NewMembership) -> Result<(), StoreError> {
        sqlx::query(sql::rooms::INSERT_MEMBERSHIP)
            .bind(new.room.0)
            .bind(new.member.0)
            .bind(new.joined_at)
            .bind(seq_column(new.last_read))
            .execute(self)
            .await?;
        Ok(())
    }

    async fn delete_membership(&mut self, room: RoomId, user: UserId) -> Result<(), StoreError> {
        sqlx::query(sql::rooms::DELETE_MEMBERSHIP).bind(room.0).bind(user.0).execute(self).await?;
        Ok(())
    }

    async fn set_name(&mut self, room: RoomId, name: &RoomName) -> Result<(), StoreError> {
        sqlx::query(sql::rooms::SET_NAME).bind(room.0).bind(name.as_str()).execute(self).await?;
        Ok(())
    }

    async fn set_access(&mut self, room: RoomId, access: Access) -> Result<(), StoreError> {
        sqlx::query(sql::rooms::SET_ACCESS).bind(room.0).bind(access_column(access)).execute(self).await?;
        Ok(())
    }

    async fn set_keep_days(&mut self, room: RoomId, days: Option<u32>) -> Result<(), StoreError> {
        let set = sqlx::query(sql::rooms::SET_KEEP_DAYS).bind(room.0).bind(days.map(i64::from));
        set.execute(self).await?;
        Ok(())
    }

    async fn prunable(&mut self, room: RoomId, before: i64) -> Result<Seq, StoreError> {
        let query = sqlx::query_as(sql::rooms::PRUNABLE).bind(room.0).bind(before);
        let (up_to,): (i64,) = query.fetch_one(self).await?;
        seq_from(up_to)
    }

    async fn prune(&mut self, room: RoomId, up_to: Seq) -> Result<bool, StoreError> {
        let prune = sqlx::query(sql::rooms::PRUNE).bind(room.0).bind(seq_column(up_to));
        Ok(prune.execute(self).await?.rows_affected() > 0)
    }

    async fn sweep(&mut self, room: RoomId) -> Result<Option<Seq>, StoreError> {
        let query = sqlx::query_as(sql::rooms::SWEEPABLE).bind(room.0);
        let (last,): (Option<i64>,) = query.fetch_one(&mut *self).await?;
        let Some(last) = last else { return Ok(None) };
        for statement in sql::rooms::SWEEP {
            sqlx::query(statement).bind(room.0).bind(last).execute(&mut *self).await?;
        }
        seq_from(last).map(Some)
    }

    async fn message(&mut self, room: RoomId, seq: Seq) -> Result<Option<Standing>, StoreError> {
        let query = sqlx::query_as(sql::previews::STANDING).bind(room.0).bind(seq_column(seq));
        let row: Option<(i64, Option<i64>)> = query.fetch_optional(self).await?;
        row.map(Standing::from_row).transpose()
    }

    async fn put_previews(&mut self, new: NewPreviews<'_>) -> Result<(), StoreError> {
        let put = sqlx::query(PUT_PREVIEWS).bind(new.room.0).bind(seq_column(new.target)).bind(seq_column(new.rev));
        put.bind(json(&new.list)?).execute(self).await?;
        Ok(())
    }

    async fn append(&mut self, events: &[NewEvent]) -> Result<(), StoreError> {
        append(self, events).await
    }

    async fn files(&mut self, ids: &[FileId]) -> Result<Vec<Found>, StoreError> {
        uploads::find(self, ids).await
    }

    async fn insert_message(&mut self, new: &NewMessage<'_>) -> Result<(), StoreError> {
        uploads::insert_message(self, new).await
    }
}
