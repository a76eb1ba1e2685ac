//! Writers: each has an account, keeps every key until it is acked, and obeys when told to wait.

use crate::client::{Answer, Client, Wire};
use crate::dice::Dice;
use crate::ledger::Ledger;
use crate::plant::Plant;
use anyhow::{Result, bail};
use pickmate::domain::Seq;
use pickmate::protocol::{Refused, ServerFrame};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

/// After so long without its ack a command is sent again on another connection.
const ACK_PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Http,
    Socket,
}

/// How far the run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// There is always more to write.
    Faults,
    /// Until the quota is written and all is settled.
    Finish,
    /// What is not settled is left as it is.
    Stop,
}

pub struct Habits {
    pub way: Way,
    /// Posts to make, at least.
    pub quota: usize,
    /// Between two intents.
    pub pace: Duration,
    /// Intents that may be under way at once.
    pub window: usize,
    pub plant: Option<Plant>,
    pub dice: Dice,
}

/// What all writers together were told so far.
#[derive(Clone, Debug, Default)]
pub struct Acks {
    pub count: usize,
    /// The highest seq: the log is dense, so everything up to it is there.
    pub head: Seq,
    /// How many each of them got.
    pub by_writer: Vec<usize>,
}

pub struct Signals {
    pub acks: watch::Sender<Acks>,
    /// Which of the writers it is.
    pub index: usize,
    pub phase: watch::Receiver<Phase>,
}

pub struct Writer {
    client: Client,
    ledger: Ledger,
    habits: Habits,
    signals: Signals,
    connection: u64,
    due: Instant,
}

impl Writer {
    pub fn new(client: Client, ledger: Ledger, habits: Habits, signals: Signals) -> Writer {
        Writer { client, ledger, habits, signals, connection: 0, due: Instant::now() }
    }

    /// Until everything is settled or it is stopped.
    pub async fn write(mut self) -> Ledger {
        let mut phase = self.signals.phase.clone();
        tokio::select! {
            () = self.work() => {}
            _ = phase.wait_for(|phase| *phase == Phase::Stop) => {}
        }
        self.ledger
    }

    async fn work(&mut self) {
        while self.intends_more() || self.next_unsettled(0).is_some() {
            self.connection += 1;
            let outcome = match self.habits.way {
                Way::Http => self.by_http().await,
                Way::Socket => self.by_socket().await,
            };
            if outcome.is_err() {
                sleep(Duration::from_millis(self.habits.dice.between(20, 400))).await;
            }
        }
    }

    fn intends_more(&self) -> bool {
        *self.signals.phase.borrow() == Phase::Faults || self.ledger.posts() < self.habits.quota
    }

    fn next_unsettled(&self, from: usize) -> Option<usize> {
        (from..self.ledger.intents.len()).find(|number| !self.ledger.intents[*number].is_settled())
    }

    fn intend(&mut self) -> usize {
        let under_faults = *self.signals.phase.borrow() == Phase::Faults;
        let jitter = if under_faults { self.habits.pace.as_millis() as u64 + 1 } else { 1 };
        self.due = Instant::now() + Duration::from_millis(self.habits.dice.between(jitter / 2, jitter * 3 / 2 + 1));
        let number = self.ledger.intend();
        let fifth = number == 5;
        match self.habits.plant {
            Some(Plant::LostAck) if fifth => {
                let seq = self.ledger.intents[number - 1].seq().unwrap_or_default();
                self.ledger.acked(number, self.connection, seq.next());
                self.ledger.intend()
            }
            Some(Plant::DoubledPost) if fifth => self.ledger.plant_twin(number),
            Some(Plant::ReorderedPosts) if fifth => self.ledger.intend(),
            _ => number,
        }
    }

    /// One command at a time.
    async fn by_http(&mut self) -> Result<()> {
        let number = match self.next_unsettled(0) {
            Some(number) => number,
            None => {
                sleep_until(self.due).await;
                self.intend()
            }
        };
        self.ask(number).await?;
        if self.habits.dice.once_in(12)
            && let Some(again) = self.ledger.a_settled_one()
        {
            self.ask(again).await?;
        }
        Ok(())
    }

    async fn ask(&mut self, number: usize) -> Result<()> {
        let Some(frame) = self.ledger.frame(&self.client.room, number) else { bail!("its target is not acked") };
        self.ledger.sent(number, self.connection);
        match self.client.command(&frame).await? {
            Answer::Ack(ack) if ack.key == self.ledger.intents[number].key => self.acked(number, ack.seq).await,
            Answer::Ack(ack) => bail!("the ack of another key: {}", ack.key),
            Answer::Refused(refused) => self.refused(number, &refused).await,
        }
        Ok(())
    }

    /// Up to `window` commands at a time, on one connection until it breaks.
    async fn by_socket(&mut self) -> Result<()> {
        let mut wire = Wire::open(&self.client).await?;
        let mut next = 0;
        let mut under_way = 0_usize;
        let mut patience = Instant::now() + ACK_PATIENCE;
        loop {
            while under_way < self.habits.window {
                let Some(number) = self.next_unsettled(next).or_else(|| self.intend_if_due()) else { break };
                let Some(frame) = self.ledger.frame(&self.client.room, number) else { break };
                self.ledger.sent(number, self.connection);
                wire.send(&frame).await?;
                patience = Instant::now() + ACK_PATIENCE;
                under_way += 1;
                next = number + 1;
            }
            if under_way == 0 && !self.intends_more() {
                return Ok(());
            }
            tokio::select! {
                frame = wire.frame() => match frame? {
                    ServerFrame::Ack { key, seq } => {
                        let Some(number) = self.ledger.number_of(&key) else { bail!("the ack of another key: {key}") };
                        self.acked(number, seq).await;
                        under_way = under_way.saturating_sub(1);
                    }
                    ServerFrame::Refused(refused) => {
                        let number = refused.key.as_deref().and_then(|key| self.ledger.number_of(key));
                        let Some(number) = number else { bail!("refused: {:?}", refused.code) };
                        self.refused(number, &refused).await;
                        under_way = under_way.saturating_sub(1);
                        next = next.min(number);
                    }
                    ServerFrame::Draining { retry_after_ms } => {
                        Client::pause(Some(retry_after_ms)).await;
                        bail!("the server goes");
                    }
                    _ => {}
                },
                () = sleep_until(self.due), if under_way < self.habits.window && self.intends_more() && self.due > Instant::now() => {}
                () = sleep_until(patience), if under_way > 0 => bail!("no ack"),
            }
        }
    }

    fn intend_if_due(&mut self) -> Option<usize> {
        (self.intends_more() && self.due <= Instant::now()).then(|| self.intend())
    }

    async fn acked(&mut self, number: usize, seq: Seq) {
        if self.habits.plant == Some(Plant::LateAck) {
            sleep(Plant::ACK_LATE_BY).await;
        }
        if self.ledger.acked(number, self.connection, seq) {
            self.signals.acks.send_modify(|acks| {
                acks.count += 1;
                acks.head = acks.head.max(seq);
                acks.by_writer[self.signals.index] += 1;
            });
        }
    }

    async fn refused(&mut self, number: usize, refused: &Refused) {
        let intent = &mut self.ledger.intents[number];
        if refused.code.retryable() {
            intent.postponed = true;
            Client::pause(refused.retry_after_ms).await;
        } else {
            intent.refused = Some(refused.code);
        }
    }
}
