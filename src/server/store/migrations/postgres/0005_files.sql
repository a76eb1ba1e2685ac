-- What people uploaded; the bytes are kept elsewhere, under the id. Until a message carries it (seq) a file has an
-- expires_at, and gets one again with the message's deletion. state: uploaded (an image not yet made anew), ready,
-- refused (code tells why), removed (its bytes are being removed). hash is of the bytes as they came.
CREATE TABLE files (
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    room_id         BIGINT NOT NULL REFERENCES rooms (id),
    uploader_id     BIGINT NOT NULL REFERENCES users (id),
    key             TEXT COLLATE "C" NOT NULL,
    hash            BYTEA  NOT NULL,
    name            TEXT   NOT NULL,
    media_type      TEXT   NOT NULL,
    bytes           BIGINT NOT NULL,
    state           TEXT   NOT NULL,
    code            TEXT,
    width           BIGINT,
    height          BIGINT,
    thumbnail_type  TEXT,
    thumbnail_bytes BIGINT,
    seq             BIGINT,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT
);
-- The idempotency keys of uploads: a space of their own for each room and account.
CREATE UNIQUE INDEX files_by_key ON files (room_id, uploader_id, key);
CREATE INDEX files_by_message ON files (room_id, seq) WHERE seq IS NOT NULL;
CREATE INDEX files_by_expiry ON files (expires_at) WHERE expires_at IS NOT NULL;

-- What a message carries, as it is served with it, is kept as its body is: JSON in a row that is blanked with it.
ALTER TABLE messages ADD COLUMN files_id BIGINT REFERENCES bodies (id);

CREATE FUNCTION let_files_go() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE bodies SET body = NULL WHERE id = new.files_id;
    UPDATE files SET expires_at = 0 WHERE room_id = new.room_id AND seq = new.seq;
    RETURN NULL;
END
$$;
CREATE TRIGGER files_of_a_deleted_message AFTER UPDATE OF body_id ON messages
FOR EACH ROW WHEN (new.body_id IS NULL AND new.files_id IS NOT NULL) EXECUTE FUNCTION let_files_go();
