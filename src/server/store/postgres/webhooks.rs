use super::super::webhooks::{BacklogRow, BegunRow, DeliveryRow, MadeRow, ReceiverRow, WebhookRow, delivery, webhook};
use super::super::{Attempt, Backlog, Ending, Fares, MadeBefore, NewWebhook, StoreError, Webhooks, sql};
use super::PostgresStore;
use super::schedule::TURN;
use crate::domain::{Key, RoomId, UserId};
use crate::protocol::{DeliveryView, WebhookView};
use async_trait::async_trait;
use sqlx::PgConnection;

/// Queues what the events of $1 are to be told of, with the events themselves: a part of a statement.
macro_rules! tell_webhooks {
    () => {
        "told AS (
        INSERT INTO deliveries (webhook_id, seq, state, attempts, queued_at, due_at)
        SELECT w.id, j.seq, 'queued', 0, j.at, j.at
        FROM jsonb_to_recordset($1::jsonb) AS j (room bigint, seq bigint, kind text, at bigint)
        JOIN webhooks AS w ON w.room_id = j.room AND w.ended_at IS NULL
        WHERE w.enabled = 1 AND (w.kinds = '' OR j.kind = ANY(string_to_array(w.kinds, ',')))
        ORDER BY j.room, j.seq, w.id
    )"
    };
}
pub(super) use tell_webhooks;

/// Those of a disabled webhook, so few that nobody waits for them for long, and waiting for nobody: whoever begins an
/// attempt has its row.
const GIVE_UP: &str = "UPDATE deliveries SET state = 'failed', finished_at = $2, due_at = NULL,
        error = CASE WHEN w.ended_at IS NULL THEN 'webhook_disabled' ELSE 'webhook_removed' END
    FROM webhooks AS w WHERE w.id = $1 AND w.enabled = 0 AND deliveries.ctid = ANY(ARRAY(
        SELECT ctid FROM deliveries WHERE webhook_id = $1 AND due_at IS NOT NULL AND state = 'queued' AND seq > 0
        LIMIT 500 FOR UPDATE SKIP LOCKED))";

const PURGE: &str = "DELETE FROM deliveries WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM deliveries WHERE finished_at <= $1 ORDER BY finished_at LIMIT 1000 FOR UPDATE SKIP LOCKED))";

#[async_trait]
impl Webhooks for PostgresStore {
    async fn create_webhook(&self, new: NewWebhook, limit: u32, now: i64) -> Result<Option<i64>, StoreError> {
        self.connections
            .answer(async {
                let mut tx = self.connections.begin().await?;
                let create = sqlx::query_as(sql::webhooks::CREATE).bind(new.room.0).bind(new.url).bind(new.secret.0);
                let create = create.bind(new.kinds.join(",")).bind(now).bind(i64::from(limit)).bind(new.maker.0);
                let create = create.bind(new.key.as_ref().map(Key::as_str));
                let made: Option<(i64,)> = create.fetch_optional(&mut *tx).await?;
                tx.commit().await?;
                Ok(made.map(|(id,)| id))
            })
            .await
    }

    async fn made_webhook(&self, room: RoomId, maker: UserId, key: &Key) -> Result<Option<MadeBefore>, StoreError> {
        let query = sqlx::query_as(sql::webhooks::MADE).bind(room.0).bind(maker.0).bind(key.as_str());
        let made: Option<MadeRow> = self.connections.optional(query).await?;
        Ok(made.map(MadeBefore::from_row))
    }

    async fn webhooks(&self, room: RoomId) -> Result<Vec<WebhookView>, StoreError> {
        let rows: Vec<WebhookRow> = self.connections.all(sqlx::query_as(sql::webhooks::LIST).bind(room.0)).await?;
        Ok(rows.into_iter().map(webhook).collect())
    }

    async fn remove_webhook(&self, room: RoomId, webhook: i64, now: i64) -> Result<bool, StoreError> {
        self.connections
            .answer(async {
                let mut tx = self.connections.begin().await?;
                let remove = sqlx::query(sql::webhooks::REMOVE).bind(room.0).bind(webhook).bind(now);
                let removed = remove.execute(&mut *tx).await?;
                tx.commit().await?;
                Ok(removed.rows_affected() > 0)
            })
            .await
    }

    async fn deliveries(&self, room: RoomId, webhook: i64, limit: u32) -> Result<Vec<DeliveryView>, StoreError> {
        let query = sqlx::query_as(sql::webhooks::DELIVERIES).bind(room.0).bind(webhook).bind(i64::from(limit));
        let rows: Vec<DeliveryRow> = self.connections.all(query).await?;
        rows.into_iter().map(delivery).collect()
    }

    async fn add_test(&self, room: RoomId, webhook: i64, now: i64) -> Result<Option<i64>, StoreError> {
        self.connections
            .answer(async {
                let mut tx = self.connections.begin().await?;
                let add = sqlx::query_as(sql::webhooks::ADD_TEST).bind(room.0).bind(webhook).bind(now);
                let added: Option<(i64,)> = add.fetch_optional(&mut *tx).await?;
                tx.commit().await?;
                Ok(added.map(|(id,)| id))
            })
            .await
    }

    async fn due_webhooks(&self, now: i64, limit: u32) -> Result<Vec<i64>, StoreError> {
        let query = sqlx::query_as(sql::webhooks::DUE_WEBHOOKS).bind(now).bind(i64::from(limit));
        let rows: Vec<(i64,)> = self.connections.all(query).await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    async fn take_webhook(&self, webhook: i64, now: i64, until: i64) -> Result<bool, StoreError> {
        self.connections
            .answer(async {
                let mut tx = self.connections.begin().await?;
                let take = sqlx::query(sql::webhooks::TAKE).bind(webhook).bind(now).bind(until);
                let taken = take.execute(&mut *tx).await?;
                tx.commit().await?;
                Ok(taken.rows_affected() > 0)
            })
            .await
    }

    async fn release_webhook(&self, webhook: i64, until: i64) -> Result<(), StoreError> {
        self.connections
            .answer(async {
                let mut tx = self.connections.begin().await?;
                sqlx::query(sql::webhooks::RELEASE).bind(webhook).bind(until).execute(&mut *tx).await?;
                tx.commit().await?;
                Ok(())
            })
            .await
    }

    async fn due_deliveries(&self, webhook: i64, now: i64, limit: u32) -> Result<Vec<i64>, StoreError> {
        let query = sqlx::query_as(sql::webhooks::DUE).bind(webhook).bind(now).bind(i64::from(limit));
        let rows: Vec<(i64,)> = self.connections.all(query).await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    async fn begin_attempt(&self, delivery: i64, now: i64, lost_at: i64) -> Result<Option<Attempt>, StoreError> {
        self.connections
            .answer(async {
                let mut tx = self.connections.begin().await?;
                let begin = sqlx::query_as(sql::webhooks::BEGIN).bind(delivery).bind(now).bind(lost_at);
                let begun: Option<BegunRow> = begin.fetch_optional(&mut *tx).await?;
                let Some(begun) = begun else { return Ok(None) };
                let receiver = sqlx::query_as(sql::webhooks::RECEIVER).bind(begun.0);
                let receiver: ReceiverRow = receiver.fetch_one(&mut *tx).await?;
                tx.commit().await?;
                Attempt::from_rows(delivery, begun, receiver).map(Some)
            })
            .await
    }

    async fn end_attempt(&self, attempt: &Attempt, ending: Ending, fares: Fares, now: i64) -> Result<bool, StoreError> {
        self.connections
            .answer(async {
                let mut tx = self.connections.begin().await?;
                let end = ending.columns(now);
                let query = sqlx::query(sql::webhooks::END).bind(attempt.delivery).bind(i64::from(attempt.number));
                let query = query.bind(end.state).bind(ending.status.map(i64::from)).bind(ending.error);
                let ended = query.bind(end.finished_at).bind(end.due_at).execute(&mut *tx).await?;
                let disabled = ended.rows_affected() > 0 && note_fares(&mut tx, attempt, fares, now).await?;
                tx.commit().await?;
                Ok(disabled)
            })
            .await
    }

    async fn backlog(&self, webhook: i64) -> Result<Option<Backlog>, StoreError> {
        let query = sqlx::query_as(sql::webhooks::BACKLOG).bind(webhook);
        let row: Option<BacklogRow> = self.connections.optional(query).await?;
        Ok(row.map(Backlog::from_row))
    }

    async fn disable_full_webhook(&self, webhook: i64, now: i64) -> Result<bool, StoreError> {
        self.connections
            .answer(async {
                let mut tx = self.connections.begin().await?;
                let disabled = sqlx::query(sql::webhooks::DISABLE_FULL).bind(webhook).execute(&mut *tx).await?;
                if disabled.rows_affected() > 0 {
                    sqlx::query(sql::webhooks::NOTE_DISABLED).bind(webhook).bind(now).execute(&mut *tx).await?;
                }
                tx.commit().await?;
                Ok(disabled.rows_affected() > 0)
            })
            .await
    }

    async fn give_up_deliveries(&self, webhook: i64, now: i64) -> Result<bool, StoreError> {
        self.connections
            .answer(async {
                let mut tx = self.connections.begin().await?;
                let given_up = sqlx::query(GIVE_UP).bind(webhook).bind(now).execute(&mut *tx).await?;
                tx.commit().await?;
                Ok(given_up.rows_affected() > 0)
            })
            .await
    }

    async fn purge_deliveries(&self, before: i64) -> Result<bool, StoreError> {
        self.connections
            .answer(async {
                let mut tx = self.connections.begin().await?;
                let more = purge(&mut tx, before).await?;
                tx.commit().await?;
                Ok(more)
            })
            .await
    }
}

/// Whether there may be more.
pub(super) async fn purge(tx: &mut PgConnection, before: i64) -> Result<bool, StoreError> {
    let purged = sqlx::query(PURGE).bind(before).execute(&mut *tx).await?;
    sqlx::query(sql::webhooks::PURGE_REMOVED).bind(before).execute(&mut *tx).await?;
    Ok(purged.rows_affected() >= TURN)
}

async fn note_fares(tx: &mut PgConnection, attempt: &Attempt, fares: Fares, now: i64) -> Result<bool, StoreError> {
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
