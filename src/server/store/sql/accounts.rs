pub const META: &str = "SELECT value FROM meta WHERE name = $1";
pub const PUT_META: &str = "INSERT INTO meta (name, value) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
pub const ADD_META: &str = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
pub const TAKE_META: &str = "DELETE FROM meta WHERE name = $1 AND value = $2";

pub const OWNERS: &str = "SELECT count(*) FROM users WHERE role = 'owner'";
pub const INSERT_USER: &str = "INSERT INTO users (name, name_folded, role, password_hash, locale, created_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name_folded) DO NOTHING RETURNING id";
pub const USER_BY_NAME: &str = "SELECT id, name, role, password_hash, locale FROM users WHERE name_folded = $1";
pub const USER: &str = "SELECT id, name, role, password_hash, locale FROM users WHERE id = $1";
pub const PEOPLE: &str = "SELECT id, name, role, created_at FROM users ORDER BY name_folded, id";
pub const SET_LOCALE: &str = "UPDATE users SET locale = $2 WHERE id = $1";
pub const SET_ROLE: &str = "UPDATE users SET role = $2 WHERE id = $1
    AND ($2 = 'owner' OR EXISTS (SELECT 1 FROM users WHERE role = 'owner' AND id <> $1))";
pub const SET_PASSWORD: &str = "UPDATE users SET password_hash = $2 WHERE id = $1";

pub const INSERT_SESSION: &str = "INSERT INTO sessions (hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)";
pub const DROP_EXPIRED_SESSIONS: &str = "DELETE FROM sessions WHERE expires_at <= $1";
pub const END_SESSION: &str = "DELETE FROM sessions WHERE hash = $1";
pub const END_OTHER_SESSIONS: &str = "DELETE FROM sessions WHERE user_id = $1 AND hash <> $2";
pub const END_SESSIONS: &str = "DELETE FROM sessions WHERE user_id = $1";

/// Of the time of a backup.
pub const END_ALL_SESSIONS: &str = "DELETE FROM sessions";
pub const END_LINKS: &str = "DELETE FROM resets; DELETE FROM meta WHERE name = 'set_up_link'";
pub const REVOKE_INVITES: &str = "UPDATE invites SET revoked_at = $1 WHERE revoked_at IS NULL";

pub const INSERT_TOKEN: &str = "INSERT INTO tokens (hash, user_id, created_at) VALUES ($1, $2, $3)";

pub const INSERT_INVITE: &str = "INSERT INTO invites (hash, created_by, created_at, expires_at, max_uses)
    VALUES ($1, $2, $3, $4, $5) RETURNING id";
pub const INVITES: &str = "SELECT i.id, u.name, i.created_at, i.expires_at, i.uses, i.max_uses, i.revoked_at
    FROM invites i JOIN users u ON u.id = i.created_by
    ORDER BY i.revoked_at IS NULL AND i.expires_at > $2 AND i.uses < i.max_uses DESC, i.id DESC LIMIT $1";
pub const REVOKE_INVITE: &str = "UPDATE invites SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
pub const INVITE: &str = "SELECT i.id, u.name FROM invites i JOIN users u ON u.id = i.created_by
    WHERE i.hash = $1 AND i.revoked_at IS NULL AND i.expires_at > $2 AND i.uses < i.max_uses";
pub const USE_INVITE: &str = "UPDATE invites SET uses = uses + 1
    WHERE hash = $1 AND revoked_at IS NULL AND expires_at > $2 AND uses < max_uses";

pub const DROP_RESETS: &str = "DELETE FROM resets WHERE user_id = $1";
pub const INSERT_RESET: &str = "INSERT INTO resets (hash, user_id, expires_at) VALUES ($1, $2, $3)";
pub const RESET: &str = "SELECT u.id, u.name, u.role, u.locale
    FROM resets r JOIN users u ON u.id = r.user_id WHERE r.hash = $1 AND r.expires_at > $2";
pub const TAKE_RESET: &str = "DELETE FROM resets WHERE hash = $1 AND expires_at > $2 RETURNING user_id";
