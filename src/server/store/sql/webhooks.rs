pub const CREATE: &str = "INSERT INTO webhooks (room_id, url, secret, kinds, enabled, created_at, maker_id, key)
    SELECT $1, $2, $3, $4, 1, $5, $7, $8
    WHERE (SELECT count(*) FROM webhooks WHERE room_id = $1 AND ended_at IS NULL) < $6
    ON CONFLICT DO NOTHING RETURNING id";
pub const MADE: &str = "SELECT id, created_at, secret FROM webhooks WHERE room_id = $1 AND maker_id = $2 AND key = $3";
pub const LIST: &str = "SELECT id, url, kinds, enabled, created_at, failing_since, disabled_code FROM webhooks
    WHERE room_id = $1 AND ended_at IS NULL ORDER BY id";
/// Nobody needs its secret any more.
pub const REMOVE: &str = "UPDATE webhooks SET ended_at = $3, enabled = 0, secret = ''
    WHERE room_id = $1 AND id = $2 AND ended_at IS NULL";

pub const DELIVERIES: &str = "SELECT d.id, d.seq, d.state, d.attempts, d.status, d.error, d.queued_at, d.started_at,
        d.finished_at, d.due_at
    FROM deliveries d JOIN webhooks w ON w.id = d.webhook_id
    WHERE w.room_id = $1 AND d.webhook_id = $2 AND w.ended_at IS NULL ORDER BY d.id DESC LIMIT $3";
pub const ADD_TEST: &str = "INSERT INTO deliveries (webhook_id, seq, state, attempts, queued_at, due_at)
    SELECT id, 0, 'queued', 0, $3, $3 FROM webhooks WHERE room_id = $1 AND id = $2 AND ended_at IS NULL RETURNING id";
pub const DUE: &str = "SELECT id FROM deliveries WHERE webhook_id = $1 AND due_at <= $2 ORDER BY due_at, id LIMIT $3";
pub const DUE_WEBHOOKS: &str = "SELECT id FROM webhooks WHERE taken_until <= $1
        AND EXISTS (SELECT 1 FROM deliveries d WHERE d.webhook_id = webhooks.id AND d.due_at <= $1)
    ORDER BY taken_until, id LIMIT $2";
/// Of several at once one gets it.
pub const TAKE: &str = "UPDATE webhooks SET taken_until = $3 WHERE id = $1 AND taken_until <= $2";
pub const RELEASE: &str = "UPDATE webhooks SET taken_until = 0 WHERE id = $1 AND taken_until = $2";

/// Of several at once one finds it due.
pub const BEGIN: &str = "UPDATE deliveries SET state = 'sending', attempts = attempts + 1, started_at = $2, due_at = $3
    WHERE id = $1 AND due_at <= $2 RETURNING webhook_id, attempts, seq";
/// Whether its maker might still make it: an owner who can see the room.
pub const RECEIVER: &str = "SELECT r.id, r.slug, w.url, w.secret, w.enabled, w.ended_at,
        CAST(CASE WHEN u.role = 'owner' AND (r.access = 'open' OR EXISTS
            (SELECT 1 FROM memberships m WHERE m.room_id = r.id AND m.user_id = u.id)) THEN 1 ELSE 0 END AS BIGINT)
    FROM webhooks w JOIN rooms r ON r.id = w.room_id JOIN users u ON u.id = w.maker_id WHERE w.id = $1";
pub const END: &str = "UPDATE deliveries SET state = $3, status = $4, error = $5, finished_at = $6, due_at = $7
    WHERE id = $1 AND attempts = $2 AND state = 'sending'";

pub const FARES_WELL: &str = "UPDATE webhooks SET failing_since = NULL, failures = 0
    WHERE id = $1 AND failing_since IS NOT NULL";
pub const FARES_WELL_AGAIN: &str = "UPDATE webhooks SET failing_since = NULL, failures = 0, enabled = 1,
        disabled_code = NULL
    WHERE id = $1 AND ended_at IS NULL";
pub const FARES_BADLY: &str = "UPDATE webhooks SET failing_since = coalesce(failing_since, $2), failures = failures + 1
    WHERE id = $1";
pub const DISABLE_FAILING: &str = "UPDATE webhooks SET enabled = 0, disabled_code = 'failing_too_long'
    WHERE id = $1 AND enabled = 1 AND failing_since <= $2 AND failures >= $3";
pub const DISABLE_FULL: &str = "UPDATE webhooks SET enabled = 0, disabled_code = 'backlog_full'
    WHERE id = $1 AND enabled = 1";
/// A note in the log of the webhook, at the room's head: later events are not told.
pub const NOTE_DISABLED: &str =
    "INSERT INTO deliveries (webhook_id, seq, state, attempts, error, queued_at, finished_at)
    SELECT w.id, r.head, 'failed', 0, w.disabled_code, $2, $2
    FROM webhooks w JOIN rooms r ON r.id = w.room_id WHERE w.id = $1";
/// Whether events are sent to it, and how many deliveries wait for it.
pub const BACKLOG: &str =
    "SELECT enabled, (SELECT count(*) FROM deliveries WHERE webhook_id = $1 AND due_at IS NOT NULL)
    FROM webhooks WHERE id = $1";

pub const PURGE_REMOVED: &str = "DELETE FROM webhooks WHERE ended_at <= $1
    AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.webhook_id = webhooks.id)";
