//! Posts that never pause: one writer a room, over HTTP, each key sent until it is acked.

use crate::record::Acked;
use anyhow::{Result, bail};
use pickmate::domain::{Seq, Slug};
use pickmate::protocol::{ErrorBody, Event};
use serde::Deserialize;
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Between two posts of a room.
const PACE: Duration = Duration::from_millis(500);

/// Before a post that got no answer is sent again.
const RETRY: Duration = Duration::from_millis(100);

/// An answer that takes longer does not come.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub struct Writer {
    pub addr: SocketAddr,
    pub room: usize,
    pub slug: Slug,
    pub token: String,
    pub http: reqwest::Client,
}

#[derive(Default)]
pub struct Written {
    pub acked: Vec<Acked>,
    /// From the first attempt to the ack.
    pub longest: Duration,
}

#[derive(Deserialize)]
struct Ack {
    seq: Seq,
}

#[derive(Deserialize)]
struct Stretch {
    head: Seq,
    events: Vec<Event>,
}

impl Writer {
    pub fn client() -> Result<reqwest::Client> {
        Ok(reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?)
    }

    /// Until `stop`; what is under way then is settled.
    pub async fn write(self, stop: CancellationToken) -> Result<Written> {
        let mut written = Written::default();
        while !stop.is_cancelled() {
            let key = format!("post-{}-{}", self.room, written.acked.len());
            let begun = Instant::now();
            let seq = self.settle(&key).await?;
            written.longest = written.longest.max(begun.elapsed());
            written.acked.push(Acked { room: self.room, key, seq });
            tokio::select! {
                () = sleep(PACE) => {}
                () = stop.cancelled() => {}
            }
        }
        Ok(written)
    }

    async fn settle(&self, key: &str) -> Result<Seq> {
        loop {
            let body = json!({"key": key, "body": format!("{key} is written while the server comes and goes")});
            let asked = self.http.post(self.url("messages")).bearer_auth(&self.token).json(&body).send().await;
            // No answer: the outcome is unknown, and the same key finds out.
            let Ok(answer) = asked else {
                sleep(RETRY).await;
                continue;
            };
            if answer.status().is_success() {
                return Ok(answer.json::<Ack>().await?.seq);
            }
            let ErrorBody { code, retry_after_ms, .. } = answer.json().await?;
            if !code.retryable() {
                bail!("{key}: {code:?}");
            }
            sleep(Duration::from_millis(retry_after_ms.unwrap_or(250).into())).await;
        }
    }

    /// The whole log of the room.
    pub async fn log(&self) -> Result<Vec<Event>> {
        let mut log: Vec<Event> = Vec::new();
        loop {
            let after = log.last().map_or(Seq::ZERO, |event| event.seq);
            let url = self.url(&format!("events?after={after}&limit=1000"));
            let answer = self.http.get(url).bearer_auth(&self.token).send().await?.error_for_status()?;
            let Stretch { head, events } = answer.json().await?;
            log.extend(events);
            if log.last().is_none_or(|event| event.seq >= head) {
                return Ok(log);
            }
        }
    }

    fn url(&self, rest: &str) -> String {
        format!("http://{}/api/v1/rooms/{}/{rest}", self.addr, self.slug)
    }
}
