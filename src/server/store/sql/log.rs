//! Every read takes the room's bounds and its events from one transaction.

use crate::server::store::event_row::row_kinds;

pub const BOUNDS: &str = "SELECT head, first FROM rooms WHERE id = $1";

/// In a room, or outside of rooms when $1 is NULL.
pub const KNOWN_KEY: &str = "SELECT k.room_id, r.slug, k.seq, k.fingerprint
    FROM keys AS k JOIN rooms AS r ON r.id = k.room_id
    WHERE k.scope = CASE WHEN $1 IS NULL THEN 0 ELSE (SELECT id FROM rooms WHERE slug = $1) END
        AND k.actor_id = $2 AND k.key = $3";

/// Events with the names in them and the message they post or change, as it stands now. One that is pruned is gone, also
/// while it waits to be swept away.
macro_rules! events_where {
    ($condition:expr) => {
        concat!(
            "SELECT e.seq, e.kind, e.at, e.actor_id, a.name, e.member_id, s.name, e.key, e.target, e.data, b.body, m.rev,
                f.body, m.previews_rev, p.body
            FROM events e
            LEFT JOIN users a ON a.id = e.actor_id
            LEFT JOIN users s ON s.id = e.member_id
            LEFT JOIN messages m ON m.room_id = e.room_id AND m.seq = coalesce(e.target, e.seq)
                AND m.seq >= (SELECT first FROM rooms WHERE id = $1)
            LEFT JOIN bodies b ON b.id = m.body_id
            LEFT JOIN bodies f ON f.id = m.files_id
            LEFT JOIN bodies p ON p.id = m.previews_id
            WHERE e.room_id = $1 AND e.seq >= (SELECT first FROM rooms WHERE id = $1) AND ",
            $condition
        )
    };
}

pub const EVENTS_AFTER: &str = events_where!("e.seq > $2 ORDER BY e.seq LIMIT $3");
pub const EVENTS_BEFORE: &str = events_where!("e.seq < $2 ORDER BY e.seq DESC LIMIT $3");
pub const ROWS_BEFORE: &str =
    events_where!(concat!("e.seq < $2 AND e.kind IN ", row_kinds!(), " ORDER BY e.seq DESC LIMIT $3"));
pub const MESSAGES_BEFORE: &str = events_where!("e.seq < $2 AND e.kind = 'posted' ORDER BY e.seq DESC LIMIT $3");
