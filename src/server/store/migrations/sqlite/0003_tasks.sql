-- The queue. data is JSON: what of a task is only read together with it. lease_until is set while it runs, ended_at once
-- it will not run again; progress is what a running one said last.
CREATE TABLE tasks (
    id          TEXT    NOT NULL PRIMARY KEY,
    lane        TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    priority    INTEGER NOT NULL,
    run_at      INTEGER NOT NULL,
    lease_until INTEGER,
    room_id     INTEGER REFERENCES rooms (id),
    unique_key  TEXT UNIQUE,
    ended_at    INTEGER,
    progress    TEXT,
    progress_at INTEGER,
    data        TEXT    NOT NULL
) WITHOUT ROWID;
CREATE INDEX tasks_waiting ON tasks (lane, priority DESC, run_at) WHERE state IN ('queued', 'retrying');
CREATE INDEX tasks_due ON tasks (lane, run_at) WHERE state IN ('queued', 'retrying');
CREATE INDEX tasks_running ON tasks (lane, lease_until) WHERE state = 'running';
CREATE INDEX tasks_progress ON tasks (progress_at) WHERE state = 'running';
CREATE INDEX tasks_ended ON tasks (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX tasks_of_rooms ON tasks (room_id) WHERE room_id IS NOT NULL;
