//! A run of commands about messages: look up, decide, write, in a number of statements that does
//! not depend on its length.

use super::super::StoreError;
use super::super::columns::{damaged, reader_columns, seq_column};
use super::super::error::unknown_outcome;
use super::super::event_row::{event_rows, json};
use super::super::found_row::FoundRow;
use super::super::key_row::key_rows;
use super::super::plan::{Found, Moment, Outcome, Plan, Speech};
use super::super::writer::{Failed, ReadMark};
use super::commit::{append_events, mark_read, mark_rows};
use super::gate::Turn;
use super::keys::put_keys;
use super::messages::{self, put_messages};
use super::webhooks::tell_webhooks;
use serde::Serialize;
use sqlx::SqliteConnection;

/// What there was before a run: for each command, in order, and the last id in the table of bodies. Lists of rows
/// are taken apart by `jsonb_each` here and elsewhere, which gives rows as they are parsed; `json_each` would write
/// each as text again, to be parsed for every column. And they come back as one value, since each row is handed from
/// thread to thread by itself.
macro_rules! look_up {
    () => {
        "SELECT json_group_array(json_array(
                r.id, r.access, r.head, u.name, m.user_id IS NOT NULL, iif(k.key IS NULL, NULL, hex(k.fingerprint)), k.seq,
                t.author_id, t.rev, t.body_id, b.body, t.previews_id,
                j.value ->> 'epoch' <> (SELECT value FROM meta WHERE name = 'epoch')
            ) ORDER BY j.id), (SELECT max(id) FROM bodies)
            FROM jsonb_each($1) AS j
            LEFT JOIN rooms AS r ON r.slug = j.value ->> 'room'
            LEFT JOIN users AS u ON u.id = j.value ->> 'actor'
            LEFT JOIN memberships AS m ON m.room_id = r.id AND m.user_id = u.id
            LEFT JOIN keys AS k ON k.scope = r.id AND k.actor_id = u.id AND k.key = j.value ->> 'key'
            LEFT JOIN messages AS t ON t.room_id = r.id AND t.seq = j.value ->> 'target' AND t.seq >= r.first
            LEFT JOIN bodies AS b ON b.id = t.body_id"
    };
}

/// All that a run writes. Authors are members from here on and have read up to their own post.
macro_rules! write_all {
    () => {
        concat!(
            append_events!("$1", "$2"),
            put_messages!("$3", "$4", "$8", "$5"),
            put_keys!("$6"),
            "INSERT INTO memberships (room_id, user_id, joined_at, last_read)
                SELECT value ->> 'room', value ->> 'user', $8, value ->> 'seq' FROM jsonb_each($7) WHERE true
                ON CONFLICT (room_id, user_id) DO UPDATE SET last_read = max(last_read, excluded.last_read);"
        )
    };
}

/// What the last statement answers: a call that merely ended may have ended early, with the thread that it went to.
macro_rules! done {
    () => {
        "SELECT 1"
    };
}

/// How a run is written: within a transaction, or as one.
struct Words {
    look_up: &'static str,
    write: &'static str,
}

const WITHIN: Words = Words { look_up: look_up!(), write: concat!(write_all!(), done!()) };
/// Each call costs two switches between threads, so that the transaction's own words share the others' calls.
const WHOLE: Words = Words {
    look_up: concat!("BEGIN IMMEDIATE;", look_up!()),
    write: concat!(write_all!(), mark_read!("$9"), "COMMIT;", done!()),
};

#[derive(Serialize)]
struct LookUp<'a> {
    room: &'a str,
    actor: i64,
    key: &'a str,
    target: Option<i64>,
    epoch: Option<&'a str>,
}

/// One of the runs of a batch.
pub(super) async fn carry_out(
    tx: &mut SqliteConnection,
    speeches: &[Speech<'_>],
    moment: Moment,
    outcome: &mut Outcome,
) -> Result<(), StoreError> {
    let (plan, last_body) = plan(tx, WITHIN.look_up, speeches, moment).await?;
    // Whatever is written has a key.
    if !plan.keys.is_empty() {
        write(tx, WITHIN.write, Writing { plan: &plan, last_body, reads: &[], moment }).await?;
    }
    outcome.take(plan);
    Ok(())
}

/// A batch that is one run and what was read meanwhile, as nearly all are.
pub(super) async fn commit(
    turn: &mut Turn<'_>,
    speeches: &[Speech<'_>],
    reads: &[&ReadMark],
    moment: Moment,
) -> Result<Outcome, Failed> {
    let mut lent = turn.lend().await?;
    let (plan, last_body) = match plan(lent.connection(), WHOLE.look_up, speeches, moment).await {
        Ok(planned) => planned,
        Err(error) => {
            lent.roll_back().await;
            return Err(Failed::Before(error));
        }
    };
    if plan.keys.is_empty() && reads.is_empty() {
        if !lent.roll_back().await {
            return Err(StoreError::Internal("a look-up could not be ended".into()).into());
        }
    } else if let Err(error) =
        write(lent.connection(), WHOLE.write, Writing { plan: &plan, last_body, reads, moment }).await
    {
        // What could be rolled back had not been committed.
        return Err(match lent.roll_back().await {
            true => Failed::Before(error),
            false => Failed::Unknown(unknown_outcome(error)),
        });
    } else {
        lent.give_back();
    }
    let mut outcome = Outcome::default();
    outcome.take(plan);
    Ok(outcome)
}

async fn plan(
    db: &mut SqliteConnection,
    words: &'static str,
    speeches: &[Speech<'_>],
    moment: Moment,
) -> Result<(Plan, i64), StoreError> {
    let Seen { found, last_body } = look_up(db, words, speeches).await?;
    Ok((Plan::make(speeches, found, moment), last_body))
}

/// What is written in one call.
struct Writing<'a> {
    plan: &'a Plan,
    /// The last id in the table of bodies.
    last_body: i64,
    reads: &'a [&'a ReadMark],
    moment: Moment,
}

async fn write(db: &mut SqliteConnection, words: &'static str, writing: Writing<'_>) -> Result<(), StoreError> {
    let Writing { plan, last_body, reads, moment } = writing;
    let (events, heads) = event_rows(&plan.events)?;
    let (bodies, messages) = messages::rows(plan, last_body)?;
    let (erased, keys, authors) = (json(&plan.erased)?, key_rows(&plan.keys)?, json(&reader_columns(&plan.read))?);
    let write = sqlx::query(words).bind(events).bind(heads).bind(bodies).bind(messages);
    let write = write.bind(erased).bind(keys).bind(authors).bind(moment.at).bind(mark_rows(reads)?);
    write.fetch_one(&mut *db).await?;
    Ok(())
}

/// What there was before a run.
struct Seen {
    /// For each command.
    found: Vec<Found>,
    /// The last id in the table of bodies.
    last_body: i64,
}

async fn look_up(db: &mut SqliteConnection, words: &'static str, speeches: &[Speech<'_>]) -> Result<Seen, StoreError> {
    let asked: Vec<_> = speeches
        .iter()
        .map(|speech| LookUp {
            room: speech.room.as_str(),
            actor: speech.intent.actor.0,
            key: speech.intent.key.as_str(),
            target: speech.target().map(seq_column),
            epoch: speech.epoch,
        })
        .collect();
    let (rows, last_body): (String, Option<i64>) =
        sqlx::query_as(words).bind(json(&asked)?).fetch_one(&mut *db).await?;
    let rows: Vec<FoundRow> = serde_json::from_str(&rows).map_err(|error| damaged("row of a look-up", error))?;
    if rows.len() != speeches.len() {
        return Err(StoreError::Internal(format!("{} commands were looked up, {} found", speeches.len(), rows.len())));
    }
    let found = rows.into_iter().zip(speeches).map(|(row, speech)| row.found(speech)).collect::<Result<_, _>>()?;
    Ok(Seen { found, last_body: last_body.unwrap_or(0) })
}
