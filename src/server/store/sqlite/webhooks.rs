use super::super::webhooks::{BacklogRow, BegunRow, DeliveryRow, MadeRow, ReceiverRow, WebhookRow, delivery, webhook};
use super::super::{Attempt, Backlog, Ending, Fares, MadeBefore, NewWebhook, StoreError, Webhooks, sql};
use super::SqliteStore;
use super::chores::drop_old;
use super::gate::Gate;
use crate::domain::{Key, RoomId, UserId};
use crate::protocol::{DeliveryView, WebhookView};
use async_trait::async_trait;
use sqlx::SqliteConnection;

/// Queues what events are to be told of, with the events themselves. Without a webhook they are not even looked at:
/// SQLite keeps the order of a `CROSS JOIN`.
macro_rules! tell_webhooks {
    ($events:literal) => {
        concat!(
            "INSERT INTO deliveries (webhook_id, seq, state, attempts, queued_at, due_at)
                SELECT w.id, j.value ->> 'seq', 'queued', 0, j.value ->> 'at', j.value ->> 'at'
                FROM (SELECT 1 FROM webhooks WHERE ended_at IS NULL LIMIT 1)
                CROSS JOIN jsonb_each(",
            $events,
            ") AS j CROSS JOIN webhooks AS w ON w.room_id = j.value ->> 'room' AND w.ended_at IS NULL
                WHERE w.enabled = 1
                    AND (w.kinds = '' OR instr(',' || w.kinds || ',', ',' || (j.value ->> 'kind') || ',') > 0)
                ORDER BY j.id, w.id;"
        )
    };
}
pub(super) use tell_webhooks;

/// Those of a disabled webhook, so few that no commit waits for long.
const GIVE_UP: &str = "UPDATE deliveries SET state = 'failed', finished_at = $2, due_at = NULL,
        error = (SELECT CASE WHEN ended_at IS NULL THEN 'webhook_disabled' ELSE 'webhook_removed' END
            FROM webhooks WHERE id = $1)
    WHERE id IN (SELECT id FROM deliveries WHERE webhook_id = $1 AND due_at IS NOT NULL AND state = 'queued' AND seq > 0
            LIMIT 500)
        AND EXISTS (SELECT 1 FROM webhooks WHERE id = $1 AND enabled = 0)";

const PURGE: &str = "DELETE FROM deliveries WHERE id IN
    (SELECT id FROM deliveries WHERE finished_at <= $1 ORDER BY finished_at LIMIT 1000)";

#[async_trait]
impl Webhooks for SqliteStore {
    async fn create_webhook(&self, new: NewWebhook, limit: u32, now: i64) -> Result<Option<i64>, StoreError> {
        let create = sqlx::query_as(sql::webhooks::CREATE).bind(new.room.0).bind(new.url).bind(new.secret.0);
        let create = create.bind(new.kinds.join(",")).bind(now).bind(i64::from(limit)).bind(new.maker.0);
        let create = create.bind(new.key.as_ref().map(Key::as_str));
        let made: Option<(i64,)> = create.fetch_optional(self.gate.turn().await.connection().await?).await?;
        Ok(made.map(|(id,)| id))
    }

    async fn made_webhook(&self, room: RoomId, maker: UserId, key: &Key) -> Result<Option<MadeBefore>, StoreError> {
        let query = sqlx::query_as(sql::webhooks::MADE).bind(room.0).bind(maker.0).bind(key.as_str());
        let made: Option<MadeRow> = query.fetch_optional(&self.readers).await?;
        Ok(made.map(MadeBefore::from_row))
    }

    async fn webhooks(&self, room: RoomId) -> Result<Vec<WebhookView>, StoreError> {
        let rows: Vec<WebhookRow> = sqlx::query_as(sql::webhooks::LIST).bind(room.0).fetch_all(&self.readers).await?;
        Ok(rows.into_iter().map(webhook).collect())
    }

    async fn remove_webhook(&self, room: RoomId, webhook: i64, now: i64) -> Result<bool, StoreError> {
        let remove = sqlx::query(sql::webhooks::REMOVE).bind(room.0).bind(webhook).bind(now);
        let removed = remove.execute(self.gate.turn().await.connection().await?).await?;
        Ok(removed.rows_affected() > 0)
    }

    async fn deliveries(&self, room: RoomId, webhook: i64, limit: u32) -> Result<Vec<DeliveryView>, StoreError> {
        let query = sqlx::query_as(sql::webhooks::DELIVERIES).bind(room.0).bind(webhook).bind(i64::from(limit));
        let rows: Vec<DeliveryRow> = query.fetch_all(&self.readers).await?;
        rows.into_iter().map(delivery).collect()
    }

    async fn add_test(&self, room: RoomId, webhook: i64, now: i64) -> Result<Option<i64>, StoreError> {
        let add = sqlx::query_as(sql::webhooks::ADD_TEST).bind(room.0).bind(webhook).bind(now);
        let added: Option<(i64,)> = add.fetch_optional(self.gate.turn().await.connection().await?).await?;
        Ok(added.map(|(id,)| id))
    }

    async fn due_webhooks(&self, now: i64, limit: u32) -> Result<Vec<i64>, StoreError> {
        let query = sqlx::query_as(sql::webhooks::DUE_WEBHOOKS).bind(now).bind(i64::from(limit));
        let rows: Vec<(i64,)> = query.fetch_all(&self.readers).await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    async fn take_webhook(&self, webhook: i64, now: i64, until: i64) -> Result<bool, StoreError> {
        let take = sqlx::query(sql::webhooks::TAKE).bind(webhook).bind(now).bind(until);
        let taken = take.execute(self.gate.turn().await.connection().await?).await?;
        Ok(taken.rows_affected() > 0)
    }

    async fn release_webhook(&self, webhook: i64, until: i64) -> Result<(), StoreError> {
        let release = sqlx::query(sql::webhooks::RELEASE).bind(webhook).bind(until);
        release.execute(self.gate.turn().await.connection().await?).await?;
        Ok(())
    }

    async fn due_deliveries(&self, webhook: i64, now: i64, limit: u32) -> Result<Vec<i64>, StoreError> {
        let query = sqlx::query_as(sql::webhooks::DUE).bind(webhook).bind(now).bind(i64::from(limit));
        let rows: Vec<(i64,)> = query.fetch_all(&self.readers).await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    async fn begin_attempt(&self, delivery: i64, now: i64, lost_at: i64) -> Result<Option<Attempt>, StoreError> {
        let mut turn = self.gate.turn().await;
        let mut tx = turn.begin().await?;
        let begin = sqlx::query_as(sql::webhooks::BEGIN).bind(delivery).bind(now).bind(lost_at);
        let begun: Option<BegunRow> = begin.fetch_optional(&mut *tx).await?;
        let Some(begun) = begun else { return Ok(None) };
        let receiver: ReceiverRow = sqlx::query_as(sql::webhooks::RECEIVER).bind(begun.0).fetch_one(&mut *tx).await?;
        tx.commit().await?;
        Attempt::from_rows(delivery, begun, receiver).map(Some)
    }

    async fn end_attempt(&self, attempt: &Attempt, ending: Ending, fares: Fares, now: i64) -> Result<bool, StoreError> {
        let mut turn = self.gate.turn().await;
        let mut tx = turn.begin().await?;
        let end = ending.columns(now);
        let query = sqlx::query(sql::webhooks::END).bind(attempt.delivery).bind(i64::from(attempt.number));
        let query = query.bind(end.state).bind(ending.status.map(i64::from)).bind(ending.error);
        let ended = query.bind(end.finished_at).bind(end.due_at).execute(&mut *tx).await?;
        let disabled = ended.rows_affected() > 0 && note_fares(&mut tx, attempt, fares, now).await?;
        tx.commit().await?;
        Ok(disabled)
    }

    async fn backlog(&self, webhook: i64) -> Result<Option<Backlog>, StoreError> {
        let query = sqlx::query_as(sql::webhooks::BACKLOG).bind(webhook);
        let row: Option<BacklogRow> = query.fetch_optional(&self.readers).await?;
        Ok(row.map(Backlog::from_row))
    }

    async fn disable_full_webhook(&self, webhook: i64, now: i64) -> Result<bool, StoreError> {
        let mut turn = self.gate.turn().await;
        let mut tx = turn.begin().await?;
        let disabled = sqlx::query(sql::webhooks::DISABLE_FULL).bind(webhook).execute(&mut *tx).await?;
        if disabled.rows_affected() > 0 {
            sqlx::query(sql::webhooks::NOTE_DISABLED).bind(webhook).bind(now).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(disabled.rows_affected() > 0)
    }

    async fn give_up_deliveries(&self, webhook: i64, now: i64) -> Result<bool, StoreError> {
        let give_up = sqlx::query(GIVE_UP).bind(webhook).bind(now);
        let given_up = give_up.execute(self.gate.turn().await.connection().await?).await?;
        Ok(given_up.rows_affected() > 0)
    }

    async fn purge_deliveries(&self, before: i64) -> Result<bool, StoreError> {
        purge(&self.gate, before).await
    }
}

/// Whether there may be more.
pub(super) async fn purge(gate: &Gate, before: i64) -> Result<bool, StoreError> {
    let more = drop_old(gate, PURGE, before).await?;
    drop_old(gate, sql::webhooks::PURGE_REMOVED, before).await?;
    Ok(more)
}

async fn note_fares(tx: &mut SqliteConnection, attempt: &Attempt, fares: Fares, now: i64) -> Result<bool, StoreError> {
    let webhook = attempt.webhook;
    match fares {
        Fares::AsBefore => {}
        Fares::Well => {
            sqlx::query(sql::webhooks::FARES_WELL).bind(webhook).execute(&mut *tx).await?;
        }
        Fares::Again => {
            sqlx::query(sql::webhooks::FARES_WELL_AGAIN).bind(webhook).execute(&mut *tx).await?;
        }
        Fares::Badly { disabled_if_since, and_failures } => {
            sqlx::query(sql::webhooks::FARES_BADLY).bind(webhook).bind(now).execute(&mut *tx).await?;
            let disable = sqlx::query(sql::webhooks::DISABLE_FAILING).bind(webhook).bind(disabled_if_since);
            if disable.bind(i64::from(and_failures)).execute(&mut *tx).await?.rows_affected() > 0 {
                sqlx::query(sql::webhooks::NOTE_DISABLED).bind(webhook).bind(now).execute(&mut *tx).await?;
                return Ok(true);
            }
        }
    }
    Ok(false)
}
