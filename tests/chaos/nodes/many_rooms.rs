//! A node with as many rooms as one is meant for: how soon it finds a message that no notice told of, and what it asks the
//! database for that.

use super::Nodes;
use super::node::Node;
use crate::client::{Client, Wire};
use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use pickmate::domain::Seq;
use pickmate::protocol::{ClientFrame, ServerFrame};
use sqlx::PgConnection;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

const ROOMS: usize = 20_000;

/// As many as one socket may join (`rooms_per_connection`).
const ROOMS_OF_SOCKET: usize = 200;

/// The promise, for so many rooms.
const FOUND_WITHIN: Duration = Duration::from_secs(5);

/// Messages that no notice tells of, and the time between two: they fall everywhere in the comparison's period.
const SILENT: usize = 20;
const APART: Duration = Duration::from_millis(230);

/// In which nothing happens, to count what the comparison asks.
const QUIET: Duration = Duration::from_secs(8);

/// Of one reader: they would be in the list of everybody whom the faults are about to meet.
const ROOMS_MADE: &str = "WITH made AS (
        INSERT INTO rooms (slug, name, access, head, first, created_at)
        SELECT 'many-' || n, 'many-' || n, 'closed', 0, 1, 0 FROM generate_series(0, $1 - 1) AS n RETURNING id
    )
    INSERT INTO memberships (room_id, user_id, joined_at, last_read)
    SELECT made.id, users.id, 0, 0 FROM made, users WHERE users.name_folded = 'reader'";

/// As a node writes it, but for the row by which the others notice.
const MESSAGE: &str = "WITH
    room AS (UPDATE rooms SET head = head + 1 WHERE slug = $1 RETURNING id, head),
    body AS (INSERT INTO bodies (id, body) VALUES (nextval('body_ids'), 'nobody tells') RETURNING id),
    author AS (SELECT id FROM users WHERE name_folded = 'reader'),
    message AS (INSERT INTO messages (room_id, seq, author_id, rev, at, body_id)
        SELECT room.id, head, author.id, head, 0, body.id FROM room, body, author)
    INSERT INTO events (room_id, seq, kind, at, actor_id, key)
        SELECT room.id, head, 'posted', 0, author.id, 'silent' FROM room, author";

/// What was measured; fails when it took too long.
pub async fn trial(nodes: &Nodes, folder: &Path, reader: &Client) -> Result<String> {
    let mut database = nodes.postgres.connect().await?;
    sqlx::query(ROOMS_MADE).bind(i64::try_from(ROOMS)?).execute(&mut database).await?;
    let mut node = Node::new(folder, "node4", nodes.postgres.addr, nodes.redis.addr).await?;
    node.start(&["--no-rate-limit"]).await?;
    let begun = Instant::now();
    let (seen, arrivals) = mpsc::unbounded_channel();
    let mut sockets = follow(&reader.at(node.program.addr), &seen).await?;
    let joining = begun.elapsed();
    let before = reads(&node).await?;
    sleep(QUIET).await;
    let asked = (reads(&node).await? - before) / QUIET.as_secs_f64();
    let longest = longest(&mut database, arrivals).await?;
    sockets.shutdown().await;
    let line = format!(
        "{ROOMS} rooms on one node (joined in {:.1} s): a message without a notice is found after {} ms at the latest; \
         {asked:.1} queries a second\n",
        joining.as_secs_f64(),
        longest.as_millis()
    );
    ensure!(longest <= FOUND_WITHIN, "{line}later than {FOUND_WITHIN:?}");
    Ok(line)
}

fn slug(room: usize) -> String {
    format!("many-{room}")
}

/// Returns when all rooms are joined; the sockets go on telling what they get.
async fn follow(client: &Client, seen: &mpsc::UnboundedSender<(String, Instant)>) -> Result<JoinSet<()>> {
    let joins = (0..ROOMS).step_by(ROOMS_OF_SOCKET).map(async |first| {
        let mut wire = Wire::open(client).await?;
        for room in first..first + ROOMS_OF_SOCKET {
            wire.send(&ClientFrame::Join { room: slug(room), after: Some(Seq::ZERO), epoch: None }).await?;
            while !matches!(wire.frame().await?, ServerFrame::Joined { .. }) {}
        }
        anyhow::Ok(wire)
    });
    let mut sockets = JoinSet::new();
    for mut wire in try_join_all(joins).await? {
        let seen = seen.clone();
        sockets.spawn(async move {
            while let Ok(frame) = wire.frame().await {
                if let ServerFrame::Events { room, .. } = frame {
                    let _ = seen.send((room, Instant::now()));
                }
            }
        });
    }
    Ok(sockets)
}

/// Of the silent messages, in rooms all over.
async fn longest(
    database: &mut PgConnection,
    mut arrivals: mpsc::UnboundedReceiver<(String, Instant)>,
) -> Result<Duration> {
    let mut written = BTreeMap::new();
    for room in (0..ROOMS).step_by(ROOMS / SILENT) {
        sqlx::query(MESSAGE).bind(slug(room)).execute(&mut *database).await?;
        written.insert(slug(room), Instant::now());
        sleep(APART).await;
    }
    let mut longest = Duration::ZERO;
    while !written.is_empty() {
        let next = timeout(FOUND_WITHIN * 4, arrivals.recv()).await;
        let (room, at) = next.ok().flatten().with_context(|| format!("not found: {:?}", written.keys()))?;
        if let Some(since) = written.remove(&room) {
            longest = longest.max(at.saturating_duration_since(since));
        }
    }
    Ok(longest)
}

/// Of the store, since the node started.
async fn reads(node: &Node) -> Result<f64> {
    let text = node.program.get("/metrics").await?.text().await?;
    let number = text.lines().find_map(|line| line.strip_prefix("pickmate_store_reads_total "));
    Ok(number.context("no count of reads")?.parse()?)
}
