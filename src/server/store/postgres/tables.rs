//! The statements behind the rare commands.

use super::super::change::{Account, NewMembership, NewMessage, NewPreviews, NewRoom, Room, RoomRow, Standing, Tables};
use super::super::columns::{access_column, seq_column, seq_from};
use super::super::event_row::{NewEvent, json};
use super::super::file_row::Found;
use super::super::key_row::{KnownKey, KnownKeyRow, NewKey, key_rows};
use super::super::{Intent, StoreError, sql};
use super::commit::append;
use super::connections::Query;
use super::uploads;
use crate::domain::{Access, FileId, RoomId, RoomName, Seq, Slug, UserId};
use async_trait::async_trait;
use sqlx::PgConnection;

const PUT_KEYS: &str = "INSERT INTO keys (scope, actor_id, key, fingerprint, room_id, seq, expires_at)
    SELECT scope, actor, key, decode(fingerprint, 'hex'), room, seq, expires_at FROM jsonb_to_recordset($1::jsonb)
        AS j (scope bigint, actor bigint, key text, fingerprint text, room bigint, seq bigint, expires_at bigint)";

const PUT_PREVIEWS: &str = "WITH kept AS (
        INSERT INTO bodies (id, body) VALUES (nextval('body_ids'), $4) RETURNING id
    )
    UPDATE messages SET previews_rev = $3, previews_id = kept.id FROM kept WHERE room_id = $1 AND seq = $2";

/// A transaction with the rooms that it has locked. Others are not there for it: one that was made after
/// the locks were taken could be changed by another node meanwhile.
pub(super) struct LockedRooms<'a> {
    pub tx: &'a mut PgConnection,
    pub ids: Vec<i64>,
    /// Those that the batch is about, which are looked at once the rooms are locked.
    pub tasks: Vec<String>,
}

/// Asks what the key was used for in the room; outside of rooms with `None`.
pub(super) fn known<'q>(room: Option<&'q Slug>, intent: &'q Intent) -> Query<'q, KnownKeyRow> {
    let query = sqlx::query_as(sql::log::KNOWN_KEY).bind(room.map(Slug::as_str)).bind(intent.actor.0);
    query.bind(intent.key.as_str())
}

#[async_trait]
impl Tables for LockedRooms<'_> {
    async fn known(&mut self, room: Option<&Slug>, intent: &Intent) -> Result<Option<KnownKey>, StoreError> {
        let row = known(room, intent).fetch_optional(&mut *self.tx).await?;
        row.map(KnownKey::from_row).transpose()
    }

    async fn put_key(&mut self, key: &NewKey) -> Result<(), StoreError> {
        let keys = key_rows(std::slice::from_ref(key))?;
        sqlx::query(PUT_KEYS).bind(keys).execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn account(&mut self, user: UserId) -> Result<Option<Account>, StoreError> {
        let row = sqlx::query_as(sql::rooms::ACCOUNT).bind(user.0).fetch_optional(&mut *self.tx).await?;
        row.map(|row| Account::from_row(user, row)).transpose()
    }

    async fn room(&mut self, slug: &Slug) -> Result<Option<Room>, StoreError> {
        let query = sqlx::query_as(sql::rooms::ROOM_BY_SLUG).bind(slug.as_str());
        let row: Option<RoomRow> = query.fetch_optional(&mut *self.tx).await?;
        let locked = row.filter(|(id, ..)| self.ids.contains(id));
        locked.map(|row| Room::from_row(slug, row)).transpose()
    }

    async fn is_member(&mut self, room: RoomId, user: UserId) -> Result<bool, StoreError> {
        let query = sqlx::query_as(sql::rooms::MEMBERSHIPS).bind(room.0).bind(user.0);
        let (count,): (i64,) = query.fetch_one(&mut *self.tx).await?;
        Ok(count > 0)
    }

    async fn member_count(&mut self, room: RoomId) -> Result<i64, StoreError> {
        let query = sqlx::query_as(sql::rooms::MEMBER_COUNT).bind(room.0);
        let (members,): (i64,) = query.fetch_one(&mut *self.tx).await?;
        Ok(members)
    }

    /// Whoever makes rooms holds [`Lock::Rooms`](super::lock::Lock::Rooms), so the address is still free.
    async fn insert_room(&mut self, new: &NewRoom<'_>, at: i64) -> Result<RoomId, StoreError> {
        let (id,): (i64,) = sqlx::query_as(sql::rooms::INSERT_ROOM)
            .bind(new.slug.as_str())
            .bind(new.name.as_str())
            .bind(access_column(new.access))
            .bind(new.creator.map(|creator| creator.0))
            .bind(at)
            .fetch_one(&mut *self.tx)
            .await?;
        self.ids.push(id);
        Ok(RoomId(id))
    }

    async fn insert_membership(&mut self, new: NewMembership) -> Result<(), StoreError> {
        sqlx::query(sql::rooms::INSERT_MEMBERSHIP)
            .bind(new.room.0)
            .bind(new.member.0)
            .bind(new.joined_at)
            .bind(seq_column(new.last_read))
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    async fn delete_membership(&mut self, room: RoomId, user: UserId) -> Result<(), StoreError> {
        let delete = sqlx::query(sql::rooms::DELETE_MEMBERSHIP).bind(room.0).bind(user.0);
        delete.execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn set_name(&mut self, room: RoomId, name: &RoomName) -> Result<(), StoreError> {
        sqlx::query(sql::rooms::SET_NAME).bind(room.0).bind(name.as_str()).execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn set_access(&mut self, room: RoomId, access: Access) -> Result<(), StoreError> {
        let set = sqlx::query(sql::rooms::SET_ACCESS).bind(room.0).bind(access_column(access));
        set.execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn set_keep_days(&mut self, room: RoomId, days: Option<u32>) -> Result<(), StoreError> {
        let set = sqlx::query(sql::rooms::SET_KEEP_DAYS).bind(room.0).bind(days.map(i64::from));
        set.execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn prunable(&mut self, room: RoomId, before: i64) -> Result<Seq, StoreError> {
        let query = sqlx::query_as(sql::rooms::PRUNABLE).bind(room.0).bind(before);
        let (up_to,): (i64,) = query.fetch_one(&mut *self.tx).await?;
        seq_from(up_to)
    }

    async fn prune(&mut self, room: RoomId, up_to: Seq) -> Result<bool, StoreError> {
        let prune = sqlx::query(sql::rooms::PRUNE).bind(room.0).bind(seq_column(up_to));
        Ok(prune.execute(&mut *self.tx).await?.rows_affected() > 0)
    }

    async fn sweep(&mut self, room: RoomId) -> Result<Option<Seq>, StoreError> {
        let query = sqlx::query_as(sql::rooms::SWEEPABLE).bind(room.0);
        let (last,): (Option<i64>,) = query.fetch_one(&mut *self.tx).await?;
        let Some(last) = last else { return Ok(None) };
        for statement in sql::rooms::SWEEP {
            sqlx::query(statement).bind(room.0).bind(last).execute(&mut *self.tx).await?;
        }
        seq_from(last).map(Some)
    }

    async fn message(&mut self, room: RoomId, seq: Seq) -> Result<Option<Standing>, StoreError> {
        let query = sqlx::query_as(sql::previews::STANDING).bind(room.0).bind(seq_column(seq));
        let row: Option<(i64, Option<i64>)> = query.fetch_optional(&mut *self.tx).await?;
        row.map(Standing::from_row).transpose()
    }

    async fn put_previews(&mut self, new: NewPreviews<'_>) -> Result<(), StoreError> {
        let put = sqlx::query(PUT_PREVIEWS).bind(new.room.0).bind(seq_column(new.target)).bind(seq_column(new.rev));
        put.bind(json(&new.list)?).execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn append(&mut self, events: &[NewEvent]) -> Result<(), StoreError> {
        append(self.tx, events).await
    }

    async fn files(&mut self, ids: &[FileId]) -> Result<Vec<Found>, StoreError> {
        uploads::find(self.tx, ids).await
    }

    async fn insert_message(&mut self, new: &NewMessage<'_>) -> Result<(), StoreError> {
        uploads::insert_message(self.tx, new).await
    }
}
