//! Readers: each follows the room in its manner, comes back with its cursor, and keeps all it gets.

use crate::client::{Client, Wire};
use crate::dice::Dice;
use crate::plant::Tap;
use anyhow::{Result, bail, ensure};
use pickmate::client::timeline::{Applied, Timeline};
use pickmate::domain::Seq;
use pickmate::protocol::{ClientFrame, Event, Page, ServerFrame};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// A live socket; a gap is filled with the log over HTTP. Sees everything.
    Whole,
    /// A live socket; a gap is left, the newest page taken instead, as a browser does.
    Window,
    /// No socket: pages of the log over HTTP.
    Pages,
}

/// How long a reader stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stance {
    /// Now and then it leaves, and comes back later.
    Restless,
    /// It never leaves: whatever is late at its place is late for it. Behind a balancer its place is the node
    /// with this number, from 0; where it was let in elsewhere meanwhile it goes home soon.
    Attentive(usize),
}

/// Where a reader is.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The last event that it has.
    pub head: Seq,
    /// The node that serves it, where a balancer tells.
    pub node: Option<String>,
}

/// How long a reader goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    Follow,
    Until(Seq),
    Stop,
}

/// Events that came in one go: a live connection from a position on, or a page.
#[derive(Debug)]
pub struct Session {
    pub after: Seq,
    pub events: Vec<Event>,
}

/// Everything one reader saw.
pub struct Record {
    pub name: String,
    pub manner: Manner,
    pub sessions: Vec<Session>,
    /// What it would show now.
    pub timeline: Timeline,
    pub epochs: Vec<String>,
    pub stance: Stance,
    /// When it was how far.
    pub arrivals: Vec<(Instant, Seq)>,
    /// Nodes that served it, and how often it connected to each.
    pub nodes: BTreeMap<String, usize>,
}

pub struct Reader {
    pub client: Client,
    pub tap: Tap,
    /// Time it takes for each frame.
    pub slowness: Duration,
    pub goal: watch::Receiver<Goal>,
    pub dice: Dice,
    pub record: Record,
    pub place: watch::Sender<Place>,
}

/// Rows of the page that a window starts over from.
const PAGE_ROWS: u64 = 40;

/// An attentive reader stays so long where it is not at home.
const ABROAD: Duration = Duration::from_secs(1);

impl Record {
    pub fn new(name: &str, manner: Manner, stance: Stance) -> Record {
        let nothing =
            Page { epoch: String::new(), head: Seq::ZERO, rows: Vec::new(), older: false, progress: Vec::new() };
        let timeline = Timeline::from_page(nothing);
        Record {
            name: name.into(),
            manner,
            sessions: Vec::new(),
            timeline,
            epochs: Vec::new(),
            stance,
            arrivals: Vec::new(),
            nodes: BTreeMap::new(),
        }
    }

    fn open(&mut self, after: Seq) {
        self.sessions.push(Session { after, events: Vec::new() });
    }

    /// Keeps the events and folds them.
    fn take(&mut self, list: Vec<Event>) -> Applied {
        let applied = self.timeline.apply(&list);
        if let Some(session) = self.sessions.last_mut() {
            session.events.extend(list);
        }
        self.arrive();
        applied
    }

    fn arrive(&mut self) {
        let head = self.timeline.head();
        if self.arrivals.last().is_none_or(|(_, last)| *last < head) {
            self.arrivals.push((Instant::now(), head));
        }
    }

    /// When it had everything up to `seq`.
    pub fn arrived_at(&self, seq: Seq) -> Option<Instant> {
        let first = self.arrivals.partition_point(|(_, head)| *head < seq);
        self.arrivals.get(first).map(|(at, _)| *at)
    }

    fn see_epoch(&mut self, epoch: &str) {
        if self.epochs.last().is_none_or(|last| last != epoch) {
            self.epochs.push(epoch.to_owned());
        }
    }
}

impl Reader {
    /// Until the goal is reached.
    pub async fn read(mut self) -> Record {
        while !self.is_there() {
            let outcome = match self.record.manner {
                Manner::Pages => self.turn_a_page().await,
                Manner::Whole | Manner::Window => self.follow().await,
            };
            let pause = match outcome {
                Ok(pause) => pause,
                Err(_) => Duration::from_millis(match self.record.stance {
                    Stance::Restless => self.dice.between(20, 400),
                    Stance::Attentive(_) => self.dice.between(20, 100),
                }),
            };
            if *self.goal.borrow() == Goal::Follow {
                sleep(pause).await;
            }
        }
        self.record
    }

    fn is_there(&self) -> bool {
        match *self.goal.borrow() {
            Goal::Follow => false,
            Goal::Until(head) => self.record.timeline.head() >= head,
            Goal::Stop => true,
        }
    }

    async fn turn_a_page(&mut self) -> Result<Duration> {
        let after = self.record.timeline.head();
        let page = self.client.events(after, self.dice.between(1, 200)).await?;
        self.record.see_epoch(&page.epoch);
        self.record.open(after);
        self.record.take(page.events);
        Ok(Duration::from_millis(self.dice.between(20, 500)))
    }

    /// One connection, until it breaks, the goal is reached or the reader goes to sleep; how long it
    /// sleeps then.
    async fn follow(&mut self) -> Result<Duration> {
        let mut wire = Wire::open(&self.client).await?;
        if let Some(node) = &wire.node {
            *self.record.nodes.entry(node.clone()).or_default() += 1;
        }
        self.place.send_modify(|place| place.node.clone_from(&wire.node));
        let after = self.record.timeline.head();
        let epoch = self.record.epochs.last().cloned();
        wire.send(&ClientFrame::Join { room: self.client.room.clone(), after: Some(after), epoch }).await?;
        let mut goal = self.goal.clone();
        let leaves = self.leaves(&wire);
        while !self.is_there() {
            tokio::select! {
                frame = wire.frame() => self.see(frame?).await?,
                _ = goal.changed() => {}
                () = sleep_until(leaves.unwrap_or_else(Instant::now)), if leaves.is_some() => {
                    return Ok(match self.record.stance {
                        Stance::Restless => Duration::from_millis(self.dice.between(100, 4_000)),
                        Stance::Attentive(_) => Duration::ZERO,
                    });
                }
            }
        }
        Ok(Duration::ZERO)
    }

    fn leaves(&mut self, wire: &Wire) -> Option<Instant> {
        match self.record.stance {
            Stance::Restless => Some(Instant::now() + Duration::from_millis(self.dice.between(2_000, 12_000))),
            Stance::Attentive(_) if wire.node.is_none() || wire.node == self.client.home => None,
            Stance::Attentive(_) => Some(Instant::now() + ABROAD),
        }
    }

    async fn see(&mut self, frame: ServerFrame) -> Result<()> {
        match frame {
            ServerFrame::Joined { epoch, .. } => {
                self.record.see_epoch(&epoch);
                self.record.open(self.record.timeline.head());
            }
            ServerFrame::Events { list, epoch, .. } => {
                self.record.see_epoch(&epoch);
                let mut hole = false;
                sleep(self.tap.delay()).await;
                for list in self.tap.pass(list) {
                    hole |= self.record.take(list) == Applied::Hole;
                }
                self.tell();
                ensure!(!hole, "a hole: coming back for what is missing");
                sleep(self.slowness).await;
            }
            ServerFrame::Gap { head, .. } => {
                match self.record.manner {
                    Manner::Window => self.start_over(head).await?,
                    Manner::Whole | Manner::Pages => self.fill_up_to(head).await?,
                }
                self.record.open(head);
                self.tell();
            }
            ServerFrame::Draining { retry_after_ms } => {
                Client::pause(Some(retry_after_ms)).await;
                bail!("the server goes");
            }
            ServerFrame::Refused(refused) => {
                Client::pause(refused.retry_after_ms).await;
                bail!("refused: {:?}", refused.code);
            }
            ServerFrame::Revoked { room } => bail!("{room} was taken away"),
            _ => {}
        }
        Ok(())
    }

    fn tell(&self) {
        self.place.send_modify(|place| place.head = self.record.timeline.head());
    }

    async fn fill_up_to(&mut self, head: Seq) -> Result<()> {
        while self.record.timeline.head() < head {
            let after = self.record.timeline.head();
            let page = self.client.events(after, 1_000).await?;
            self.record.open(after);
            ensure!(self.record.take(page.events) == Applied::Changed, "an empty page before the head");
        }
        Ok(())
    }

    async fn start_over(&mut self, head: Seq) -> Result<()> {
        let page = self.client.messages(None, PAGE_ROWS).await?;
        ensure!(page.head >= head, "a page older than the gap before it");
        self.record.timeline.expect_newest();
        let page = Page { epoch: page.epoch, head: page.head, rows: page.messages, older: true, progress: Vec::new() };
        self.record.timeline.replace(page);
        self.record.arrive();
        Ok(())
    }
}
