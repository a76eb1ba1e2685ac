-- What the links of a message lead to: JSON among the bodies, which are blanked when they go. previews_rev is the
-- seq of the event that brought them.
ALTER TABLE messages ADD COLUMN previews_rev BIGINT;
ALTER TABLE messages ADD COLUMN previews_id BIGINT REFERENCES bodies (id);

-- What pages said of themselves, by the SHA-256 of their addresses, so that each is asked once for a while. failure is
-- a code, and then there is nothing else.
CREATE TABLE previews (
    hash        BYTEA   NOT NULL PRIMARY KEY,
    fetched_at  BIGINT  NOT NULL,
    expires_at  BIGINT  NOT NULL,
    title       TEXT    NOT NULL,
    description TEXT    NOT NULL,
    site        TEXT    NOT NULL,
    failure     TEXT
);
CREATE INDEX previews_by_expiry ON previews (expires_at);

-- Who is told of what happens in a room. kinds: those of events, separated by commas; empty: all. secret signs what is
-- sent. failing_since: the first failure after the last success. A webhook that is removed has ended_at until its
-- deliveries are gone. taken_until: somebody sends what is due, and nobody else until then. Nothing is
-- sent while maker_id may not make it.
CREATE TABLE webhooks (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room_id       BIGINT  NOT NULL REFERENCES rooms (id),
    maker_id      BIGINT  NOT NULL REFERENCES users (id),
    url           TEXT    NOT NULL,
    secret        TEXT    NOT NULL,
    kinds         TEXT    NOT NULL,
    enabled       BIGINT  NOT NULL,
    created_at    BIGINT  NOT NULL,
    failing_since BIGINT,
    ended_at      BIGINT,
    taken_until   BIGINT  NOT NULL DEFAULT 0
);
CREATE INDEX webhooks_by_room ON webhooks (room_id) WHERE ended_at IS NULL;

-- One event for one webhook; seq 0 is a test. state: queued, sending, delivered, failed. due_at: when it is to be tried
-- again, NULL once it has ended.
CREATE TABLE deliveries (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id  BIGINT  NOT NULL REFERENCES webhooks (id),
    seq         BIGINT  NOT NULL,
    state       TEXT    NOT NULL,
    attempts    BIGINT  NOT NULL,
    status      BIGINT,
    error       TEXT,
    queued_at   BIGINT  NOT NULL,
    started_at  BIGINT,
    finished_at BIGINT,
    due_at      BIGINT
);
CREATE INDEX deliveries_by_webhook ON deliveries (webhook_id, id);
CREATE INDEX deliveries_by_due ON deliveries (webhook_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_by_end ON deliveries (finished_at) WHERE finished_at IS NOT NULL;
