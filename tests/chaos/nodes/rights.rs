//! Rights that end and sessions that end, on one node, for sockets on every node.

use super::Nodes;
use crate::client::{Client, Wire};
use crate::operator::{Operator, PASSWORD};
use anyhow::{Context, Result, bail, ensure};
use futures_util::future::try_join_all;
use leptos::server_fn::axum::server_fn_paths;
use pickmate::domain::Seq;
use pickmate::protocol::{ClientFrame, ServerFrame};
use serde_json::{Value, json};
use std::fmt::Write;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// While the nodes hear each other.
const TOLD_WITHIN: Duration = Duration::from_secs(1);

/// While Redis is gone: rights and sessions are compared every four seconds (`compare_every_ms`), at the latest.
const FOUND_WITHIN: Duration = Duration::from_secs(5);

const ROOM: &str = "board";

/// The account that is put out.
const NAME: &str = "nora";

pub struct Trial<'a> {
    nodes: &'a mut Nodes,
    member: Client,
    /// Follows no redirection.
    http: reqwest::Client,
    /// How often the member has left.
    left: u32,
}

impl Trial<'_> {
    pub async fn new(nodes: &mut Nodes) -> Result<Trial<'_>> {
        nodes.operator.add_user(NAME, &[]).await?;
        nodes.operator.run(&["admin", "room", "create", ROOM, "--closed"], "").await?;
        let token = nodes.operator.run(&["admin", "token", "create", NAME], "").await?;
        let member = Client::new(nodes.nodes[0].program.addr, ROOM, token)?;
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Trial { nodes, member, http, left: 0 })
    }

    /// What was measured; fails when it took too long.
    pub async fn run(mut self) -> Result<String> {
        let mut text = String::new();
        self.reach("ok").await?;
        self.measure("", TOLD_WITHIN, &mut text).await?;
        self.nodes.redis.stop().await?;
        self.reach("unreachable").await?;
        self.measure(", without Redis", FOUND_WITHIN, &mut text).await?;
        self.nodes.redis.start_again().await?;
        self.reach("ok").await?;
        Ok(text)
    }

    async fn measure(&mut self, when: &str, within: Duration, text: &mut String) -> Result<()> {
        for (what, took) in [("revoked", self.leave().await?), ("signed out", self.sign_out().await?)] {
            let line = format!("{what}{when}: the last socket on another node knew it after {} ms", took.as_millis());
            ensure!(took <= within, "{line}, later than {within:?}");
            writeln!(text, "{line}")?;
        }
        Ok(())
    }

    /// From the answer of the first node to the last socket.
    async fn leave(&mut self) -> Result<Duration> {
        self.nodes.operator.run(&["admin", "room", "add", ROOM, NAME], "").await?;
        let sockets = self.joined(&self.member).await?;
        // Its address ends with a number of this build's.
        let leave_room = server_fn_paths().find(|(path, _)| path.starts_with("/api/leave_room"));
        let (path, _) = leave_room.context("no function `leave_room`")?;
        let url = format!("http://{}{path}", self.member.addr);
        let leave = json!({"key": format!("leave-{}", self.left), "slug": ROOM});
        self.left += 1;
        let request = self.member.http.post(url).bearer_auth(&self.member.token).json(&leave);
        let answer = request.send().await?;
        ensure!(answer.status().is_success(), "leaving was refused: {}", answer.text().await?);
        last(sockets, |frame| matches!(frame, ServerFrame::Revoked { room } if room == ROOM)).await
    }

    async fn sign_out(&mut self) -> Result<Duration> {
        self.nodes.operator.run(&["admin", "room", "add", ROOM, NAME], "").await?;
        let post = |path: &str| {
            let addr = self.member.addr;
            self.http.post(format!("http://{addr}{path}")).header("origin", format!("http://{addr}"))
        };
        let signed_in = post("/sign-in").form(&[("name", NAME), ("password", PASSWORD)]).send().await?;
        let cookie = signed_in.headers().get("set-cookie").context("signing in set no cookie")?.to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let sockets = self.joined(&self.member.with_cookie(&cookie)).await?;
        ensure!(!post("/sign-out").header("cookie", cookie).send().await?.status().is_server_error(), "no sign-out");
        last(sockets, |_| false).await
    }

    /// A socket on each node but the first.
    async fn joined(&self, client: &Client) -> Result<Vec<Wire>> {
        let join = ClientFrame::Join { room: ROOM.into(), after: Some(Seq::ZERO), epoch: None };
        let others = self.nodes.nodes[1..].iter().map(async |node| {
            let mut wire = Wire::open(&client.at(node.program.addr)).await?;
            wire.send(&join).await?;
            loop {
                match wire.frame().await? {
                    ServerFrame::Joined { .. } => return Ok(wire),
                    ServerFrame::Refused(refused) => bail!("{}: {:?}", node.name, refused.code),
                    _ => {}
                }
            }
        });
        try_join_all(others).await
    }

    /// Waits until every node says so of its channel layer.
    async fn reach(&self, wanted: &str) -> Result<()> {
        let all = self.nodes.nodes.iter().map(async |node| {
            while node.program.get("/readyz").await?.json::<Value>().await?["channel_layer"] != wanted {
                sleep(Duration::from_millis(20)).await;
            }
            anyhow::Ok(())
        });
        timeout(FOUND_WITHIN * 2, try_join_all(all)).await.context("the nodes do not notice Redis")??;
        Ok(())
    }
}

/// How long until the last of them got the frame, or was closed.
async fn last(sockets: Vec<Wire>, is_it: impl Fn(&ServerFrame) -> bool) -> Result<Duration> {
    let begun = Instant::now();
    let ends = sockets.into_iter().map(async |mut wire| {
        while let Ok(frame) = wire.frame().await {
            if is_it(&frame) {
                break;
            }
        }
        begun.elapsed()
    });
    let ends = timeout(FOUND_WITHIN * 2, futures_util::future::join_all(ends)).await;
    Ok(ends.context("a socket on another node goes on")?.into_iter().max().unwrap_or_default())
}
