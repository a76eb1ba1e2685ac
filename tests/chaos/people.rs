//! Everybody who takes part: accounts, writers, readers, and how they come to an end.

use crate::browser::{self, Browser, Shown};
use crate::client::Client;
use crate::dice::Dice;
use crate::ledger::{Ledger, Repertoire};
use crate::operator::Operator;
use crate::oracle::{Truth, shows_the_end};
use crate::plant::{Plant, Tap};
use crate::readers::{Goal, Manner, Place, Reader, Record, Stance};
use crate::stage::Stage;
use crate::writers::{Acks, Habits, Phase, Signals, Way, Writer};
use anyhow::{Context, Result};
use futures_util::future::{join_all, try_join_all};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The owner, who is a member of every room that `admin` makes.
pub const OPERATOR: &str = "operator";

/// So small that queues overflow, readers fall behind and waits end within a short run.
pub const LIMITS: &str = "catch_up_events=60,queue_frames=16,ping_every_ms=1000,silence_ms=6000,write_timeout_ms=4000,\
                          idle_timeout_ms=8000,request_timeout_ms=5000,shutdown_ms=4000,posts_burst=15,\
                          posts_per_minute=900,commands_burst=200,commands_per_minute=2000,connections_per_user=500,\
                          connections_per_address=5000,openings_burst=10000,openings_per_minute=60000,\
                          drain_retry_ms=300,reads_per_minute=60000";

/// What writers and readers may take to finish when the faults are over.
const SETTLING: Duration = Duration::from_secs(90);

/// How a writer works: its way, whether one at a time, what it does, how much is under way.
type WriterRole = (&'static str, Way, Repertoire, usize);

/// How a reader reads, what it takes for each frame, in milliseconds, and whether it stays.
type ReaderRole = (&'static str, Manner, u64, Stance);

/// Who takes part in a run.
#[derive(Clone, Copy)]
pub struct Cast {
    pub writers: &'static [WriterRole],
    pub readers: &'static [ReaderRole],
    /// The nodes that a balancer leads to; none where there is one node and no balancer.
    pub nodes: &'static [&'static str],
}

pub const WRITERS: [WriterRole; 6] = [
    ("anna", Way::Http, Repertoire::Posts, 1),
    ("bora", Way::Http, Repertoire::Changes, 1),
    ("chan", Way::Socket, Repertoire::Changes, 1),
    ("doyun", Way::Socket, Repertoire::Changes, 1),
    ("eun", Way::Socket, Repertoire::Posts, 8),
    ("finn", Way::Socket, Repertoire::Posts, 30),
];

pub const READERS: [ReaderRole; 8] = [
    ("whole", Manner::Whole, 0, Stance::Restless),
    ("whole, too", Manner::Whole, 0, Stance::Restless),
    ("whole, slow", Manner::Whole, 40, Stance::Restless),
    ("whole, slower", Manner::Whole, 150, Stance::Restless),
    ("window", Manner::Window, 0, Stance::Restless),
    ("window, slow", Manner::Window, 60, Stance::Restless),
    ("pages", Manner::Pages, 0, Stance::Restless),
    ("pages, too", Manner::Pages, 0, Stance::Restless),
];

pub struct Accounts {
    pub writers: Vec<Client>,
    pub reader: Client,
    pub mallory: Client,
}

impl Accounts {
    /// Of everybody whom the stage's cast names.
    pub async fn make<S: Stage>(stage: &S) -> Result<Accounts> {
        let operator = stage.operator();
        operator.add_user(OPERATOR, &["--owner"]).await?;
        operator.add_user(browser::NAME, &[]).await?;
        let account = async |name: &str| {
            operator.add_user(name, &[]).await?;
            let token = operator.run(&["admin", "token", "create", name], "").await?;
            Client::new(stage.door(), "", token)
        };
        let writers = try_join_all(S::CAST.writers.iter().map(|writer| account(writer.0))).await?;
        let mallory = account("mallory").await?.at(stage.inside());
        Ok(Accounts { writers, reader: account("reader").await?, mallory })
    }

    /// In a room that is made now.
    pub async fn meet<S: Stage>(&self, stage: &S, room: &str) -> Result<Accounts> {
        stage.operator().run(&["admin", "room", "create", room], "").await?;
        Ok(Accounts {
            writers: self.writers.iter().map(|writer| writer.in_room(room)).collect(),
            reader: self.reader.in_room(room),
            mallory: self.mallory.in_room(room),
        })
    }
}

/// How much is written, how fast, and what is wrong with it.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    pub seed: u64,
    /// Posts to make, at least.
    pub posts: usize,
    /// In which they are to be made, roughly.
    pub time: Duration,
    pub plant: Option<Plant>,
}

pub struct People {
    pub acks: watch::Sender<Acks>,
    /// Of the attentive readers.
    pub places: Vec<watch::Receiver<Place>>,
    phase: watch::Sender<Phase>,
    goal: watch::Sender<Goal>,
    writers: Vec<JoinHandle<Ledger>>,
    readers: Vec<JoinHandle<Record>>,
}

impl People {
    pub fn start(cast: Cast, work: Work, accounts: &Accounts) -> People {
        let acks = Acks { by_writer: vec![0; cast.writers.len()], ..Acks::default() };
        let (acks, phase, goal) =
            (watch::Sender::new(acks), watch::Sender::new(Phase::Faults), watch::Sender::new(Goal::Follow));
        let quota = work.posts.div_ceil(cast.writers.len());
        let pace = work.time / u32::try_from(quota.max(1)).unwrap_or(u32::MAX);
        let mut writers = Vec::new();
        for (index, (name, way, repertoire, window)) in (0..).zip(cast.writers.iter().copied()) {
            let dice = Dice::of(work.seed, index);
            let ledger = Ledger::new(name, window == 1, repertoire, dice.clone());
            // Bugs are planted with the first writer and the first reader.
            let plant = work.plant.filter(|_| index == 0);
            let habits = Habits { way, quota, pace, window, plant, dice };
            let signals = Signals { acks: acks.clone(), index: index as usize, phase: phase.subscribe() };
            let client = accounts.writers[index as usize].clone();
            writers.push(tokio::spawn(Writer::new(client, ledger, habits, signals).write()));
        }
        let (mut readers, mut places) = (Vec::new(), Vec::new());
        for (index, (name, manner, slowness_ms, stance)) in (0..).zip(cast.readers.iter().copied()) {
            let place = watch::Sender::new(Place::default());
            let mut client = accounts.reader.clone();
            if let Stance::Attentive(home) = stance {
                client = client.at_home(cast.nodes.get(home).map(|node| (*node).to_owned()));
                places.push(place.subscribe());
            }
            let reader = Reader {
                client,
                tap: Tap::new(work.plant.filter(|_| index == 0)),
                slowness: Duration::from_millis(slowness_ms),
                goal: goal.subscribe(),
                dice: Dice::of(work.seed, 100 + index),
                record: Record::new(name, manner, stance),
                place,
            };
            readers.push(tokio::spawn(reader.read()));
        }
        People { acks, places, phase, goal, writers, readers }
    }

    /// Lets the writers settle and the readers arrive; reads the room in between.
    pub async fn finish(self, oracle: &Client, mut browser: Option<Browser>) -> Result<Ended> {
        self.phase.send_replace(Phase::Finish);
        let ledgers = gather(self.writers, || self.phase.send_modify(|phase| *phase = Phase::Stop)).await?;
        if let Some(browser) = &mut browser {
            browser.settle().await?;
        }
        let truth = Truth::read(oracle).await.context("the log cannot be read in the end")?;
        self.goal.send_replace(Goal::Until(truth.head));
        let readers = gather(self.readers, || self.goal.send_modify(|goal| *goal = Goal::Stop)).await?;
        let shown = match browser {
            Some(browser) => Some(browser.end(|shown| shows_the_end(shown, &truth)).await?),
            None => None,
        };
        Ok(Ended { ledgers, truth, readers, shown })
    }
}

/// What everybody has when it is over.
pub struct Ended {
    pub ledgers: Vec<Ledger>,
    pub truth: Truth,
    pub readers: Vec<Record>,
    pub shown: Option<Shown>,
}

/// What the tasks come to; those that take too long are told to stop.
async fn gather<T>(tasks: Vec<JoinHandle<T>>, stop: impl FnOnce()) -> Result<Vec<T>> {
    let all = join_all(tasks);
    tokio::pin!(all);
    let done = match timeout(SETTLING, &mut all).await {
        Ok(done) => done,
        Err(_) => {
            stop();
            all.await
        }
    };
    Ok(done.into_iter().collect::<Result<_, _>>()?)
}
