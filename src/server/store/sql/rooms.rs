//! A reader's unread count and the head it stands at come from one statement, so they agree.

/// A room, its one reader and the reader's membership. $1 is the reader.
macro_rules! rooms_of_a_reader {
    ($condition:literal) => {
        concat!(
            "SELECT r.id, r.slug, r.name, r.access, r.creator_id, r.head, u.role, m.user_id,
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
pub const ROOM_BY_SLUG: &str = "SELECT id, name, access, creator_id, head FROM rooms WHERE slug = $1";
pub const MEMBERSHIPS: &str = "SELECT count(*) FROM memberships WHERE room_id = $1 AND user_id = $2";
pub const MEMBER_COUNT: &str = "SELECT count(*) FROM memberships WHERE room_id = $1";
pub const INSERT_ROOM: &str = "INSERT INTO rooms (slug, name, access, creator_id, head, first, created_at)
    VALUES ($1, $2, $3, $4, 0, 1, $5) RETURNING id";
pub const INSERT_MEMBERSHIP: &str =
    "INSERT INTO memberships (room_id, user_id, joined_at, last_read) VALUES ($1, $2, $3, $4)";
pub const DELETE_MEMBERSHIP: &str = "DELETE FROM memberships WHERE room_id = $1 AND user_id = $2";
pub const SET_NAME: &str = "UPDATE rooms SET name = $2 WHERE id = $1";
pub const SET_ACCESS: &str = "UPDATE rooms SET access = $2 WHERE id = $1";
