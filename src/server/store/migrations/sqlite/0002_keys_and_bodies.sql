-- What each idempotency key was used for, whatever the command: one space for each scope and actor.
-- The scope is the room, or 0 for what is done outside of rooms (making one); room_id is where it
-- was done. seq is what the first ack told, NULL where there was nothing to change. Keys of posts
-- have no expires_at: they live as long as the message or its tombstone.
CREATE TABLE keys (
    scope       INTEGER NOT NULL,
    actor_id    INTEGER NOT NULL REFERENCES users (id),
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL,
    room_id     INTEGER NOT NULL REFERENCES rooms (id),
    seq         INTEGER,
    expires_at  INTEGER,
    PRIMARY KEY (scope, actor_id, key)
) WITHOUT ROWID;
CREATE INDEX keys_by_expiry ON keys (expires_at) WHERE expires_at IS NOT NULL;

INSERT INTO keys (scope, actor_id, key, fingerprint, room_id, seq)
SELECT room_id, actor_id, key, coalesce(fingerprint, x''), room_id, seq
FROM events WHERE key IS NOT NULL AND actor_id IS NOT NULL;

DROP INDEX events_by_key;
ALTER TABLE events DROP COLUMN fingerprint;

-- Bodies in a table of their own that only ever grows at its end and whose rows are blanked, never
-- removed or made larger: SQLite then never moves a body from one page to another. A moved one
-- would leave its bytes in the unused part of the page it came from, where secure_delete, which
-- overwrites the place where a row is now, does not reach.
CREATE TABLE bodies (
    id   INTEGER NOT NULL PRIMARY KEY,
    body TEXT
);
CREATE TABLE message_rows (
    room_id   INTEGER NOT NULL REFERENCES rooms (id),
    seq       INTEGER NOT NULL,
    author_id INTEGER NOT NULL REFERENCES users (id),
    rev       INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    body_id   INTEGER REFERENCES bodies (id),
    PRIMARY KEY (room_id, seq)
) WITHOUT ROWID;

CREATE TEMP TABLE numbered AS
SELECT row_number() OVER (ORDER BY at, room_id, seq) AS id, room_id, seq FROM messages WHERE body IS NOT NULL;
CREATE UNIQUE INDEX temp.numbered_by_message ON numbered (room_id, seq);
INSERT INTO bodies (id, body)
SELECT n.id, m.body FROM numbered AS n JOIN messages AS m ON m.room_id = n.room_id AND m.seq = n.seq ORDER BY n.id;
-- rev is the seq of the last edit or of the deletion, at first the message's own.
INSERT INTO message_rows (room_id, seq, author_id, rev, at, body_id)
SELECT m.room_id, m.seq, m.author_id, m.rev, m.at, n.id
FROM messages AS m LEFT JOIN numbered AS n ON n.room_id = m.room_id AND n.seq = m.seq;
DROP TABLE numbered;
DROP TABLE messages;
ALTER TABLE message_rows RENAME TO messages;
