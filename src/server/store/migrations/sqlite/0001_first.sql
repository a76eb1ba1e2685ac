-- Times are Unix milliseconds. Enumerations are the words of the wire.

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- The epoch names this history, the database id this installation.
INSERT INTO meta (name, value)
VALUES ('epoch', lower(hex(randomblob(8)))), ('database_id', lower(hex(randomblob(16))));

-- AUTOINCREMENT: an id is never given twice, so nothing old points at a newcomer.
CREATE TABLE users (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT    NOT NULL,
    name_folded   TEXT    NOT NULL UNIQUE,
    role          TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    locale        TEXT,
    created_at    INTEGER NOT NULL
);

CREATE TABLE sessions (
    hash       BLOB    NOT NULL PRIMARY KEY,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE tokens (
    hash       BLOB    NOT NULL PRIMARY KEY,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE invites (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    hash       BLOB    NOT NULL UNIQUE,
    created_by INTEGER NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    uses       INTEGER NOT NULL DEFAULT 0,
    max_uses   INTEGER NOT NULL,
    revoked_at INTEGER
);

CREATE TABLE resets (
    hash       BLOB    NOT NULL PRIMARY KEY,
    user_id    INTEGER NOT NULL UNIQUE REFERENCES users (id),
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;

-- The log of a room holds the events first..=head without holes; an empty log has first = head + 1.
CREATE TABLE rooms (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    slug       TEXT    NOT NULL UNIQUE,
    name       TEXT    NOT NULL,
    access     TEXT    NOT NULL,
    creator_id INTEGER REFERENCES users (id),
    head       INTEGER NOT NULL,
    first      INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE memberships (
    room_id   INTEGER NOT NULL REFERENCES rooms (id),
    user_id   INTEGER NOT NULL REFERENCES users (id),
    joined_at INTEGER NOT NULL,
    last_read INTEGER NOT NULL,
    PRIMARY KEY (room_id, user_id)
) WITHOUT ROWID;
CREATE INDEX memberships_by_user ON memberships (user_id);

-- actor_id did it (NULL: the operator), member_id is whom it is about, target the seq of the
-- message it changes. key and fingerprint are those of the command; data is JSON.
CREATE TABLE events (
    room_id     INTEGER NOT NULL REFERENCES rooms (id),
    seq         INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    actor_id    INTEGER REFERENCES users (id),
    member_id   INTEGER REFERENCES users (id),
    key         TEXT,
    fingerprint BLOB,
    target      INTEGER,
    data        TEXT,
    PRIMARY KEY (room_id, seq)
) WITHOUT ROWID;
-- The one idempotency mechanism: a key is used once per room and actor, whatever the command.
CREATE UNIQUE INDEX events_by_key ON events (room_id, actor_id, key) WHERE key IS NOT NULL;

-- Bodies live here only. rev is the seq of the last edit, at first the message's own;
-- body is NULL once the message is erased.
CREATE TABLE messages (
    room_id   INTEGER NOT NULL REFERENCES rooms (id),
    seq       INTEGER NOT NULL,
    author_id INTEGER NOT NULL REFERENCES users (id),
    body      TEXT,
    rev       INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (room_id, seq)
) WITHOUT ROWID;
