//! A run of commands about messages: look up, decide, write, in a number of statements that does not
//! depend on its length.

use super::super::StoreError;
use super::super::columns::{reader_columns, seq_column};
use super::super::event_row::{event_rows, json};
use super::super::found_row::FoundRow;
use super::super::key_row::key_rows;
use super::super::plan::{Found, Moment, Outcome, Plan, Speech};
use super::tables::LockedRooms;
use super::webhooks::tell_webhooks;
use serde::Serialize;
use sqlx::PgConnection;

/// What there was before a run, for each command in order. In a statement after the one that took the
/// locks, it sees what others committed until then.
const LOOK_UP: &str = "SELECT r.id, r.access, r.head, u.name, m.user_id IS NOT NULL, k.fingerprint, k.seq,
        t.author_id, t.rev, t.body_id, b.body, t.previews_id,
        coalesce(j.epoch <> (SELECT value FROM meta WHERE name = 'epoch'), false)
    FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::text[])
        WITH ORDINALITY AS j (room, actor, key, target, epoch, n)
    LEFT JOIN rooms AS r ON r.slug = j.room AND r.id = ANY($6)
    LEFT JOIN users AS u ON u.id = j.actor
    LEFT JOIN memberships AS m ON m.room_id = r.id AND m.user_id = u.id
    LEFT JOIN keys AS k ON k.scope = r.id AND k.actor_id = u.id AND k.key = j.key
    LEFT JOIN messages AS t ON t.room_id = r.id AND t.seq = j.target AND t.seq >= r.first
    LEFT JOIN bodies AS b ON b.id = t.body_id
    ORDER BY j.n";

/// All that a run writes: one statement. Authors are members from here on and have read up to their own
/// post. Bodies get numbers that no other node gives.
const WRITE: &str = concat!(
    "WITH raised AS (
        UPDATE rooms SET head = j.seq FROM jsonb_to_recordset($2::jsonb) AS j (room bigint, seq bigint)
        WHERE rooms.id = j.room
    ), ",
    tell_webhooks!(),
    r#", logged AS (
        INSERT INTO events (room_id, seq, kind, at, actor_id, member_id, key, target, data)
        SELECT room, seq, kind, at, actor, member, key, target, data FROM jsonb_to_recordset($1::jsonb) AS j
            (room bigint, seq bigint, kind text, at bigint, actor bigint, member bigint, key text, target bigint, data text)
    ), said AS MATERIALIZED (
        SELECT room, seq, author, rev, body, CASE WHEN body IS NOT NULL THEN nextval('body_ids') END AS body_id
        FROM jsonb_to_recordset($3::jsonb) AS j (room bigint, seq bigint, author bigint, rev bigint, body text)
    ), kept AS (
        INSERT INTO bodies (id, body) SELECT body_id, body FROM said WHERE body_id IS NOT NULL
    ), stood AS (
        INSERT INTO messages (room_id, seq, author_id, rev, at, body_id)
        SELECT room, seq, author, rev, $4, body_id FROM said
        ON CONFLICT (room_id, seq) DO UPDATE SET rev = excluded.rev, body_id = excluded.body_id,
            previews_rev = NULL, previews_id = NULL
    ), erased AS (
        UPDATE bodies SET body = NULL WHERE id = ANY($5)
    ), used AS (
        INSERT INTO keys (scope, actor_id, key, fingerprint, room_id, seq, expires_at)
        SELECT scope, actor, key, decode(fingerprint, 'hex'), room, seq, expires_at
        FROM jsonb_to_recordset($6::jsonb) AS j
            (scope bigint, actor bigint, key text, fingerprint text, room bigint, seq bigint, expires_at bigint)
    )
    INSERT INTO memberships (room_id, user_id, joined_at, last_read)
    SELECT room, "user", $4, seq FROM jsonb_to_recordset($7::jsonb) AS j (room bigint, "user" bigint, seq bigint)
    ON CONFLICT (room_id, user_id) DO UPDATE SET last_read = greatest(memberships.last_read, excluded.last_read)"#
);

#[derive(Serialize)]
struct MessageColumns<'a> {
    room: i64,
    seq: i64,
    author: i64,
    rev: i64,
    body: Option<&'a str>,
}

pub(super) async fn carry_out(
    locked: &mut LockedRooms<'_>,
    speeches: &[Speech<'_>],
    moment: Moment,
    outcome: &mut Outcome,
) -> Result<(), StoreError> {
    let found = look_up(locked, speeches).await?;
    let plan = Plan::make(speeches, found, moment);
    // Whatever is written has a key.
    if !plan.keys.is_empty() {
        write(locked.tx, &plan, moment).await?;
    }
    outcome.take(plan);
    Ok(())
}

async fn look_up(locked: &mut LockedRooms<'_>, speeches: &[Speech<'_>]) -> Result<Vec<Found>, StoreError> {
    let rooms: Vec<_> = speeches.iter().map(|speech| speech.room.as_str()).collect();
    let actors: Vec<_> = speeches.iter().map(|speech| speech.intent.actor.0).collect();
    let keys: Vec<_> = speeches.iter().map(|speech| speech.intent.key.as_str()).collect();
    let targets: Vec<_> = speeches.iter().map(|speech| speech.target().map(seq_column)).collect();
    // What Postgres would not take as text names no epoch.
    let known = |epoch: &str| epoch.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let epochs: Vec<_> =
        speeches.iter().map(|speech| speech.epoch.map(|said| if known(said) { said } else { "" })).collect();
    let query = sqlx::query_as(LOOK_UP).bind(rooms).bind(actors).bind(keys).bind(targets).bind(epochs);
    let rows: Vec<FoundRow> = query.bind(&locked.ids).fetch_all(&mut *locked.tx).await?;
    if rows.len() != speeches.len() {
        return Err(StoreError::Internal(format!("{} commands were looked up, {} found", speeches.len(), rows.len())));
    }
    rows.into_iter().zip(speeches).map(|(row, speech)| row.found(speech)).collect()
}

async fn write(tx: &mut PgConnection, plan: &Plan, moment: Moment) -> Result<(), StoreError> {
    let (events, heads) = event_rows(&plan.events)?;
    let messages = plan.messages.iter().map(|((room, seq), message)| MessageColumns {
        room: room.0,
        seq: seq_column(*seq),
        author: message.author.0,
        rev: seq_column(message.rev),
        body: message.body.as_ref().map(|body| body.text.as_str()),
    });
    let messages = json(&messages.collect::<Vec<_>>())?;
    let (keys, readers) = (key_rows(&plan.keys)?, json(&reader_columns(&plan.read))?);
    let write = sqlx::query(WRITE).bind(events).bind(heads).bind(messages).bind(moment.at);
    write.bind(&plan.erased).bind(keys).bind(readers).execute(tx).await?;
    Ok(())
}
