/// Of a message that is kept and has a body: its room's address, the text, since when it stands so, and the seq of its previews.
pub const LINKING: &str = "SELECT r.slug, b.body, m.rev, m.previews_rev FROM messages m
    JOIN rooms r ON r.id = m.room_id JOIN bodies b ON b.id = m.body_id
    WHERE m.room_id = $1 AND m.seq = $2 AND m.seq >= r.first AND b.body IS NOT NULL";

/// Of a message that is kept and has a body: since when it stands so, and the seq of its previews.
pub const STANDING: &str = "SELECT m.rev, m.previews_rev FROM messages m JOIN rooms r ON r.id = m.room_id
    WHERE m.room_id = $1 AND m.seq = $2 AND m.seq >= r.first AND m.body_id IS NOT NULL";

pub const PAGE_NOTE: &str =
    "SELECT title, description, site, failure FROM previews WHERE hash = $1 AND expires_at > $2";
pub const PUT_PAGE_NOTE: &str = "INSERT INTO previews (hash, fetched_at, expires_at, title, description, site, failure)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (hash) DO UPDATE SET fetched_at = excluded.fetched_at, expires_at = excluded.expires_at,
        title = excluded.title, description = excluded.description, site = excluded.site, failure = excluded.failure";
