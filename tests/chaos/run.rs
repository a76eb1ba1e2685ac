//! One run: a server, its people, the schedule, and the judgement at the end.

use crate::browser::{self, Browser, Shown};
use crate::client::Client;
use crate::dice::Dice;
use crate::faults::{Stage, Tally};
use crate::ledger::{Ledger, Repertoire};
use crate::oracle::{Evidence, Truth, Verdict, are_seen, judge, shows_the_end};
use crate::plant::{Plant, Tap};
use crate::proxy::Proxy;
use crate::readers::{Goal, Manner, Reader, Record};
use crate::report::Report;
use crate::schedule::Schedule;
use crate::server::Server;
use crate::writers::{Habits, Phase, Signals, Way, Writer};
use anyhow::{Context, Result};
use futures_util::future::{join_all, try_join_all};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The room where everything happens.
const ROOM: &str = "chaos";

/// The owner, who is a member of every room that `admin` makes.
const OPERATOR: &str = "operator";

/// What writers and readers may take to finish when the faults are over.
const SETTLING: Duration = Duration::from_secs(90);

/// What a fault takes with the calm around it, roughly.
const FAULT_MS: usize = 2_000;

#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub seed: u64,
    pub posts: usize,
    pub faults: usize,
    pub plant: Option<Plant>,
    pub browser: Presence,
}

/// Whether a real browser takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    Absent,
    Present,
}

/// How a writer works: its way, whether one at a time, what it does, how much is under way.
const WRITERS: [(&str, Way, Repertoire, usize); 6] = [
    ("anna", Way::Http, Repertoire::Posts, 1),
    ("bora", Way::Http, Repertoire::Changes, 1),
    ("chan", Way::Socket, Repertoire::Changes, 1),
    ("doyun", Way::Socket, Repertoire::Changes, 1),
    ("eun", Way::Socket, Repertoire::Posts, 8),
    ("finn", Way::Socket, Repertoire::Posts, 30),
];

/// How a reader reads, and what it takes for each frame, in milliseconds.
const READERS: [(&str, Manner, u64); 8] = [
    ("whole", Manner::Whole, 0),
    ("whole, too", Manner::Whole, 0),
    ("whole, slow", Manner::Whole, 40),
    ("whole, slower", Manner::Whole, 150),
    ("window", Manner::Window, 0),
    ("window, slow", Manner::Window, 60),
    ("pages", Manner::Pages, 0),
    ("pages, too", Manner::Pages, 0),
];

pub struct Outcome {
    pub verdict: Verdict,
    /// For people.
    pub report: String,
}

pub async fn run(plan: Plan, folder: &Path) -> Result<Outcome> {
    let mut server = Server::new(folder)?;
    server.start().await?;
    let proxy = Proxy::start(server.program.addr).await?;
    let accounts = accounts(&server, &proxy).await?;
    let browser = match plan.browser {
        Presence::Absent => None,
        Presence::Present => Some(Browser::start(folder, proxy.addr(), ROOM).await?),
    };
    let people = People::start(&plan, &accounts);
    let mut stage = Stage {
        proxy: proxy.clone(),
        acks: people.acks.subscribe(),
        mallory: accounts.mallory.at(server.program.addr),
        server,
        tally: Tally::default(),
        guests: BTreeSet::new(),
    };
    stage.run(&Schedule::of(plan.seed, plan.faults), plan.posts).await?;
    let Ended { ledgers, truth, readers, shown } = people.finish(&stage.mallory, browser).await?;
    let written = shown.as_ref().map(|_| browser::NAME);
    let members = WRITERS.iter().map(|writer| writer.0).chain(written).chain([OPERATOR]);
    let members = members.map(str::to_owned).chain(stage.guests);
    let evidence = Evidence { truth, ledgers, readers, members: members.collect(), shown };
    let verdict = judge(&evidence);
    if verdict.is_clean() {
        for bug in are_seen(&evidence)? {
            println!("chaos: the planted bug `{bug}` is seen");
        }
    }
    let report = Report { tally: &stage.tally, evidence: &evidence, verdict: &verdict }.to_string();
    Ok(Outcome { verdict, report })
}

struct Accounts {
    writers: Vec<Client>,
    reader: Client,
    mallory: Client,
}

async fn accounts(server: &Server, proxy: &Proxy) -> Result<Accounts> {
    server.add_user(OPERATOR, &["--owner"]).await?;
    server.add_user(browser::NAME, &[]).await?;
    server.run(&["admin", "room", "create", ROOM], "").await?;
    let account = async |name: &str| {
        server.add_user(name, &[]).await?;
        let token = server.run(&["admin", "token", "create", name], "").await?;
        Client::new(proxy.addr(), ROOM, token)
    };
    let writers = try_join_all(WRITERS.iter().map(|writer| account(writer.0))).await?;
    Ok(Accounts { writers, reader: account("reader").await?, mallory: account("mallory").await? })
}

struct People {
    acks: watch::Sender<u64>,
    phase: watch::Sender<Phase>,
    goal: watch::Sender<Goal>,
    writers: Vec<JoinHandle<Ledger>>,
    readers: Vec<JoinHandle<Record>>,
}

impl People {
    fn start(plan: &Plan, accounts: &Accounts) -> People {
        let (acks, phase, goal) =
            (watch::Sender::new(0), watch::Sender::new(Phase::Faults), watch::Sender::new(Goal::Follow));
        let quota = plan.posts.div_ceil(WRITERS.len());
        let pace = Duration::from_millis((plan.faults * FAULT_MS / quota.max(1)) as u64);
        let mut writers = Vec::new();
        for (index, (name, way, repertoire, window)) in (0..).zip(WRITERS) {
            let dice = Dice::of(plan.seed, index);
            let ledger = Ledger::new(name, window == 1, repertoire, dice.clone());
            // Bugs are planted with the first writer and the first reader.
            let plant = plan.plant.filter(|_| index == 0);
            let habits = Habits { way, quota, pace, window, plant, dice };
            let signals = Signals { acks: acks.clone(), phase: phase.subscribe() };
            let client = accounts.writers[index as usize].clone();
            writers.push(tokio::spawn(Writer::new(client, ledger, habits, signals).write()));
        }
        let mut readers = Vec::new();
        for (index, (name, manner, slowness_ms)) in (0..).zip(READERS) {
            let reader = Reader {
                client: accounts.reader.clone(),
                tap: Tap::new(plan.plant.filter(|_| index == 0)),
                slowness: Duration::from_millis(slowness_ms),
                goal: goal.subscribe(),
                dice: Dice::of(plan.seed, 100 + index),
                record: Record::new(name, manner),
            };
            readers.push(tokio::spawn(reader.read()));
        }
        People { acks, phase, goal, writers, readers }
    }

    /// Lets the writers settle and the readers arrive; reads the room in between.
    async fn finish(self, oracle: &Client, mut browser: Option<Browser>) -> Result<Ended> {
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
struct Ended {
    ledgers: Vec<Ledger>,
    truth: Truth,
    readers: Vec<Record>,
    shown: Option<Shown>,
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
