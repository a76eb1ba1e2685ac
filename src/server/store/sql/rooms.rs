//! A reader's unread count and the head it stands at come from one statement, so they agree.

/// A room, its one reader and the reader's membership. $1 is the reader.
macro_rules! rooms_of_a_reader {
    ($condition:literal) => {
        concat!(
            "SELECT r.id, r.slug, r.name, r.access, r.creator_id, r.head, r.keep_days, u.role, m.user_id,
                (SELECT count(*) FROM (
                    SELECT 1 FROM messages p
                    WHERE p.room_id = r.id AND p.seq > m.last_read AND p.author_id <> $1 AND p.body_id IS NOT NULL
                    LIMIT 100) AS capped)
            FROM rooms r JOIN users u ON u.id = $1
            LEFT JOIN memberships m ON m.room_id = r.id AND m.user_id = u.id
            WHERE (r.access = 'open' OR m.user_id IS NOT NULL)",
            $condition
        )
    };
}

pub const ROOM: &str = rooms_of_a_reader!(" AND r.slug = $2");
/// Without counting what is unread.
pub const ROOM_HEAD: &str = "SELECT r.id, r.head FROM rooms r JOIN users u ON u.id = $1
    LEFT JOIN memberships m ON m.room_id = r.id AND m.user_id = u.id
    WHERE (r.access = 'open' OR m.user_id IS NOT NULL) AND r.slug = $2";
pub const READ_PLACE: &str = "SELECT r.id, r.head, m.last_read FROM rooms r JOIN users u ON u.id = $1
    LEFT JOIN memberships m ON m.room_id = r.id AND m.user_id = u.id
    WHERE (r.access = 'open' OR m.user_id IS NOT NULL) AND r.slug = $2";
pub const ROOMS: &str = rooms_of_a_reader!("");
pub const MEMBERS: &str =
    "SELECT u.id, u.name, m.joined_at, count(*) OVER () FROM memberships m JOIN users u ON u.id = m.user_id
    WHERE m.room_id = $1 ORDER BY u.name_folded, u.id LIMIT $2";

pub const ACCOUNT: &str = "SELECT name, role FROM users WHERE id = $1";
pub const ROOM_BY_SLUG: &str = "SELECT id, name, access, creator_id, head, keep_days FROM rooms WHERE slug = $1";
pub const MEMBERSHIPS: &str = "SELECT count(*) FROM memberships WHERE room_id = $1 AND user_id = $2";
pub const MEMBER_COUNT: &str = "SELECT count(*) FROM memberships WHERE room_id = $1";
pub const INSERT_ROOM: &str = "INSERT INTO rooms (slug, name, access, creator_id, head, first, created_at)
    VALUES ($1, $2, $3, $4, 0, 1, $5) RETURNING id";
pub const INSERT_MEMBERSHIP: &str =
    "INSERT INTO memberships (room_id, user_id, joined_at, last_read) VALUES ($1, $2, $3, $4)";
pub const DELETE_MEMBERSHIP: &str = "DELETE FROM memberships WHERE room_id = $1 AND user_id = $2";
pub const SET_NAME: &str = "UPDATE rooms SET name = $2 WHERE id = $1";
pub const SET_KEEP_DAYS: &str = "UPDATE rooms SET keep_days = $2 WHERE id = $1";
/// The last of the oldest events that are all older than $2. The head stays, so that a log keeps an event.
pub const PRUNABLE: &str = "SELECT coalesce(
        (SELECT min(e.seq) - 1 FROM events AS e WHERE e.room_id = r.id AND e.seq >= r.first AND e.at >= $2),
        CASE WHEN r.head > 0 THEN r.head - 1 ELSE 0 END)
    FROM rooms AS r WHERE r.id = $1";
pub const PRUNE: &str = "UPDATE rooms SET first = $2 + 1 WHERE id = $1 AND first <= $2";

/// The last of the oldest events before the log's first, so many at most.
pub const SWEEPABLE: &str = "SELECT max(seq) FROM (
        SELECT seq FROM events WHERE room_id = $1 AND seq < (SELECT first FROM rooms WHERE id = $1)
        ORDER BY seq LIMIT 500) AS oldest";
/// All of a room up to a seq, in this order.
pub const SWEEP: [&str; 6] = [
    "UPDATE bodies SET body = NULL
        WHERE id IN (SELECT body_id FROM messages WHERE room_id = $1 AND seq <= $2 AND body_id IS NOT NULL)",
    "UPDATE bodies SET body = NULL
        WHERE id IN (SELECT previews_id FROM messages WHERE room_id = $1 AND seq <= $2 AND previews_id IS NOT NULL)",
    "DELETE FROM keys WHERE (scope, actor_id, key) IN (
        SELECT room_id, actor_id, key FROM events WHERE room_id = $1 AND seq <= $2 AND key IS NOT NULL)",
    // What a message carries goes as it does when the message is deleted.
    "UPDATE messages SET body_id = NULL WHERE room_id = $1 AND seq <= $2 AND body_id IS NOT NULL",
    "DELETE FROM messages WHERE room_id = $1 AND seq <= $2",
    "DELETE FROM events WHERE room_id = $1 AND seq <= $2",
];
/// Rooms whose messages are not kept for ever, and those that something was pruned of, with their days.
pub const PRUNED: &str = "SELECT slug, keep_days FROM rooms WHERE keep_days IS NOT NULL OR first > 1 ORDER BY id";
pub const SET_ACCESS: &str = "UPDATE rooms SET access = $2 WHERE id = $1";
