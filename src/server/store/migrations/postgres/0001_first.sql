-- The tables of sqlite/, as they are after its second migration, and one more: `writes`. Times are Unix
-- milliseconds. Enumerations are the words of the wire. COLLATE "C": compared by bytes, as SQLite does.

CREATE TABLE meta (
    name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- The epoch names this history, the database id this installation.
INSERT INTO meta (name, value)
VALUES ('epoch', substr(replace(gen_random_uuid()::text, '-', ''), 1, 16)),
    ('database_id', replace(gen_random_uuid()::text, '-', ''));

-- The last transaction that each node wrote in, for the others to see that it did, by what it may have
-- changed: src/server/store/postgres/notes.rs has the parts. The writer and those beside it never share one.
CREATE TABLE writes (
    node TEXT COLLATE "C" NOT NULL,
    part BIGINT NOT NULL,
    last BIGINT NOT NULL,
    at   BIGINT NOT NULL,
    PRIMARY KEY (node, part)
);

CREATE TABLE users (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          TEXT NOT NULL,
    name_folded   TEXT COLLATE "C" NOT NULL UNIQUE,
    role          TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    locale        TEXT,
    created_at    BIGINT NOT NULL
);

CREATE TABLE sessions (
    hash       BYTEA  NOT NULL PRIMARY KEY,
    user_id    BIGINT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE tokens (
    hash       BYTEA  NOT NULL PRIMARY KEY,
    user_id    BIGINT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL
);

CREATE TABLE invites (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash       BYTEA  NOT NULL UNIQUE,
    created_by BIGINT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    uses       BIGINT NOT NULL DEFAULT 0,
    max_uses   BIGINT NOT NULL,
    revoked_at BIGINT
);

CREATE TABLE resets (
    hash       BYTEA  NOT NULL PRIMARY KEY,
    user_id    BIGINT NOT NULL UNIQUE REFERENCES users (id),
    expires_at BIGINT NOT NULL
);

-- The log of a room holds the events first..=head without holes; an empty log has first = head + 1.
-- Whoever changes anything of a room holds the lock of its row.
CREATE TABLE rooms (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug       TEXT COLLATE "C" NOT NULL UNIQUE,
    name       TEXT   NOT NULL,
    access     TEXT   NOT NULL,
    creator_id BIGINT REFERENCES users (id),
    head       BIGINT NOT NULL,
    first      BIGINT NOT NULL,
    created_at BIGINT NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE memberships (
    room_id   BIGINT NOT NULL REFERENCES rooms (id),
    user_id   BIGINT NOT NULL REFERENCES users (id),
    joined_at BIGINT NOT NULL,
    last_read BIGINT NOT NULL,
    PRIMARY KEY (room_id, user_id)
) WITH (fillfactor = 70);
CREATE INDEX memberships_by_user ON memberships (user_id);

-- actor_id did it (NULL: the operator), member_id is whom it is about, target the seq of the
-- message it changes. key is that of the command; data is JSON.
CREATE TABLE events (
    room_id   BIGINT NOT NULL REFERENCES rooms (id),
    seq       BIGINT NOT NULL,
    kind      TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    actor_id  BIGINT REFERENCES users (id),
    member_id BIGINT REFERENCES users (id),
    key       TEXT COLLATE "C",
    target    BIGINT,
    data      TEXT,
    PRIMARY KEY (room_id, seq)
);

-- What each idempotency key was used for, whatever the command: one space for each scope and actor.
-- The scope is the room, or 0 for what is done outside of rooms (making one); room_id is where it
-- was done. seq is what the first ack told, NULL where there was nothing to change. Keys of posts
-- have no expires_at: they live as long as the message or its tombstone.
CREATE TABLE keys (
    scope       BIGINT NOT NULL,
    actor_id    BIGINT NOT NULL REFERENCES users (id),
    key         TEXT COLLATE "C" NOT NULL,
    fingerprint BYTEA  NOT NULL,
    room_id     BIGINT NOT NULL REFERENCES rooms (id),
    seq         BIGINT,
    expires_at  BIGINT,
    PRIMARY KEY (scope, actor_id, key)
);
CREATE INDEX keys_by_expiry ON keys (expires_at) WHERE expires_at IS NOT NULL;

CREATE SEQUENCE body_ids AS BIGINT;
CREATE TABLE bodies (
    id   BIGINT NOT NULL PRIMARY KEY,
    body TEXT
);

-- rev is the seq of the last edit or of the deletion, at first the message's own; body_id is NULL once
-- the message is deleted.
CREATE TABLE messages (
    room_id   BIGINT NOT NULL REFERENCES rooms (id),
    seq       BIGINT NOT NULL,
    author_id BIGINT NOT NULL REFERENCES users (id),
    rev       BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    body_id   BIGINT REFERENCES bodies (id),
    PRIMARY KEY (room_id, seq)
);
