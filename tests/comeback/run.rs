//! One deploy: everybody comes, the server goes, another one comes, everybody comes back.

use crate::community::{Community, Size};
use crate::member::{Cue, Followed, Member, News, Speech};
use crate::record::{Acked, Record};
use crate::report::Report;
use crate::server::Server;
use crate::writers::{Writer, Written};
use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use pickmate::domain::Seq;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// Sockets that come a second in the beginning: as many as come back a second.
const ARRIVALS_PER_SECOND: u32 = 1_000;

/// Those who post at the last moment before the stop, per room.
const SPEAKERS_PER_ROOM: usize = 4;

/// How long things go on undisturbed between the parts.
const CALM: Duration = Duration::from_secs(1);

/// A part that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub async fn run(size: Size, folder: &Path) -> Result<Report> {
    let mut server = Server::new(folder)?;
    let community = Community::settle(&server.data, size).await?;
    server.start().await?;
    let empty = server.numbers().await?;
    let mut crowd = Crowd::gather(server.program.addr, size, &community);
    let writers = Writers::start(server.program.addr, &community)?;
    crowd.count(size.sockets, |news| matches!(news, News::Arrived).then_some(())).await.context("arriving")?;
    sleep(CALM).await;
    let full = server.numbers().await?;

    crowd.cue(Cue::Speak)?;
    let speakers = SPEAKERS_PER_ROOM * size.rooms;
    crowd.count(speakers.min(size.sockets), |news| matches!(news, News::Spoke).then_some(())).await?;
    let stopped = Instant::now();
    server.program.signal(Signal::SIGTERM)?;
    server.end().await?;
    let ended = Instant::now();
    server.start().await?;
    let listening = Instant::now();

    let told = |news| match news {
        News::SentAway { retry_after_ms } => Some(retry_after_ms),
        _ => None,
    };
    let told = crowd.count(size.sockets, told).await.context("leaving")?;
    let back = |news| match news {
        News::Back { attempts, at } => Some((attempts, at)),
        _ => None,
    };
    let back = crowd.count(size.sockets, back).await.context("coming back")?;
    let again = server.numbers().await?;
    sleep(CALM).await;
    let writers = writers.stop().await?;
    let (posts, longest_post) = (writers.acked.len(), writers.longest);
    compare(writers, crowd).await?;
    Ok(Report { size, stopped, ended, listening, told, back, posts, longest_post, empty, full, again })
}

/// What was acked is in the log, and the log is what everybody saw.
async fn compare(writers: Writers, mut crowd: Crowd) -> Result<()> {
    let mut logs = Vec::new();
    for writer in &writers.writers {
        logs.push(writer.log().await?);
    }
    let heads = logs.iter().map(|log| log.last().map_or(Seq::ZERO, |event| event.seq)).collect();
    crowd.cue(Cue::End(heads))?;
    let mut acked = writers.acked;
    while let Some(ended) = timeout(PATIENCE, crowd.members.join_next()).await.context("members do not arrive")? {
        acked.extend(ended??);
    }
    logs.iter().enumerate().try_for_each(|(room, log)| crowd.record.compare(room, log, &acked))
}

/// All members, and what they tell.
struct Crowd {
    record: Arc<Record>,
    cues: watch::Sender<Cue>,
    news: mpsc::UnboundedReceiver<News>,
    /// News that nobody has counted yet.
    uncounted: Vec<News>,
    members: JoinSet<Result<Option<Acked>>>,
}

impl Crowd {
    fn gather(addr: SocketAddr, size: Size, community: &Community) -> Crowd {
        let (cues, listen) = watch::channel(Cue::Listen);
        let (tell, news) = mpsc::unbounded_channel();
        let record = Arc::new(Record::of(size.rooms));
        let mut members = JoinSet::new();
        for (number, cookie) in community.cookies.iter().enumerate() {
            let follow = |room: usize| Followed { room, slug: community.rooms[room].clone(), cursor: None, head: None };
            let speaks = number < SPEAKERS_PER_ROOM * size.rooms;
            let member = Member {
                addr,
                cookie: cookie.clone(),
                followed: size.rooms_of(number).into_iter().map(follow).collect(),
                speech: speaks.then(|| Speech { key: format!("speech-{number}"), acked: None, answers: 0 }),
                record: Arc::clone(&record),
                news: tell.clone(),
                cues: listen.clone(),
                epoch: None,
            };
            members.spawn(member.live(Duration::from_secs(1) * number as u32 / ARRIVALS_PER_SECOND));
        }
        Crowd { record, cues, news, uncounted: Vec::new(), members }
    }

    fn cue(&self, cue: Cue) -> Result<()> {
        Ok(self.cues.send(cue)?)
    }

    /// Waits until so many have told what is looked for.
    async fn count<T>(&mut self, wanted: usize, pick: impl Fn(News) -> Option<T>) -> Result<Vec<T>> {
        let mut found = Vec::with_capacity(wanted);
        let mut others = Vec::new();
        for news in std::mem::take(&mut self.uncounted) {
            pick(news).map_or_else(|| others.push(news), |one| found.push(one));
        }
        self.uncounted = others;
        let deadline = Instant::now() + PATIENCE;
        while found.len() < wanted {
            tokio::select! {
                Some(news) = self.news.recv() => match pick(news) {
                    Some(one) => found.push(one),
                    None => self.uncounted.push(news),
                },
                Some(ended) = self.members.join_next() => {
                    ended??;
                    bail!("a member ended too early");
                }
                () = sleep_until(deadline) => bail!("{} of {wanted} after {PATIENCE:?}", found.len()),
            }
        }
        Ok(found)
    }
}

/// One in each room.
struct Writers {
    writers: Vec<Writer>,
    stop: CancellationToken,
    under_way: JoinSet<Result<Written>>,
    acked: Vec<Acked>,
    longest: Duration,
}

impl Writers {
    fn start(addr: SocketAddr, community: &Community) -> Result<Writers> {
        let (http, stop) = (Writer::client()?, CancellationToken::new());
        let named = community.rooms.iter().zip(&community.tokens).enumerate();
        let writers: Vec<_> = named
            .map(|(room, (slug, token))| {
                let (slug, token, http) = (slug.clone(), token.clone(), http.clone());
                Writer { addr, room, slug, token, http }
            })
            .collect();
        let under_way = writers.iter().map(|writer| writer.clone().write(stop.clone())).collect();
        Ok(Writers { writers, stop, under_way, acked: Vec::new(), longest: Duration::ZERO })
    }

    /// What is under way is settled.
    async fn stop(mut self) -> Result<Writers> {
        self.stop.cancel();
        while let Some(written) = timeout(PATIENCE, self.under_way.join_next()).await.context("a post is not acked")? {
            let Written { acked, longest } = written??;
            self.acked.extend(acked);
            self.longest = self.longest.max(longest);
        }
        Ok(self)
    }
}
