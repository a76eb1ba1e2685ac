-- What is done now and then, by one node for all: who moves `due_at` on does it, in the same transaction.
CREATE TABLE schedule (
    name   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    due_at BIGINT NOT NULL
);

INSERT INTO schedule (name, due_at) VALUES ('purge', 0);
