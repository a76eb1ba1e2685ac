//! The faults of a schedule, one after the other, and how long everybody waits after each.

use crate::readers::Place;
use crate::schedule::{Fault, Schedule};
use crate::stage::Stage;
use crate::writers::Acks;
use anyhow::{Context, Result, ensure};
use futures_util::future::select_all;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

/// Without an ack for so long after a fault is over, service has not resumed.
const RECOVERY: Duration = Duration::from_secs(30);

/// The next fault does not wait longer for those who are late; the oracle complains of them.
const ARRIVAL: Duration = Duration::from_secs(10);

pub struct Course {
    /// Acks of all writers so far.
    pub acks: watch::Receiver<Acks>,
    /// Of the attentive readers.
    pub places: Vec<watch::Receiver<Place>>,
    pub tally: Tally,
    pub past: Vec<Past>,
}

/// A fault that was.
#[derive(Clone, Debug)]
pub struct Past {
    pub name: &'static str,
    pub begun: Instant,
    pub over: Instant,
    /// Nothing was gone that posting needs.
    pub spares_posting: bool,
}

#[derive(Default)]
pub struct Tally(pub BTreeMap<&'static str, Row>);

#[derive(Default)]
pub struct Row {
    pub times: u32,
    /// From the end of the fault to the next ack of anybody, the longest and all together.
    pub longest: Duration,
    pub total: Duration,
}

impl Course {
    /// Faults are spread over the posts: none comes before its share of `posts` is acked, nor before everybody who
    /// is attentive has what was acked before.
    pub async fn run<S: Stage>(&mut self, stage: &mut S, schedule: &Schedule<S::Fault>, posts: usize) -> Result<()> {
        for (number, step) in schedule.0.iter().enumerate() {
            self.wait_for_acks(posts * number / schedule.0.len()).await;
            sleep(Duration::from_millis(step.calm_ms)).await;
            let happened = || format!("{:?}", step.fault);
            self.somebody_is_there::<S>(&step.fault).await.with_context(happened)?;
            let begun = Instant::now();
            stage.carry_out(&step.fault).await.with_context(happened)?;
            stage.stands().with_context(happened)?;
            self.note(&step.fault, begun);
            self.look_for_an_ack(&step.fault).await?;
            self.wait_for_everybody().await;
        }
        Ok(())
    }

    async fn wait_for_acks(&mut self, share: usize) {
        // Those who are too slow are waited for in the end.
        let _ = timeout(RECOVERY, self.acks.wait_for(|acks| acks.count >= share)).await;
    }

    /// A fault of a node that nobody watches would go unseen.
    async fn somebody_is_there<S: Stage>(&mut self, fault: &S::Fault) -> Result<()> {
        let Some(node) = fault.node().and_then(|node| S::CAST.nodes.get(node)) else { return Ok(()) };
        let arrivals =
            self.places.iter_mut().map(|place| Box::pin(place.wait_for(|place| place.node.as_deref() == Some(node))));
        ensure!(timeout(ARRIVAL, select_all(arrivals)).await.is_ok(), "no reader is on {node}");
        Ok(())
    }

    fn note(&mut self, fault: &impl Fault, begun: Instant) {
        let spares_posting = fault.spares_posting();
        self.past.push(Past { name: fault.name(), begun, over: Instant::now(), spares_posting });
    }

    async fn look_for_an_ack(&mut self, fault: &impl Fault) -> Result<()> {
        let over = Instant::now();
        self.acks.mark_unchanged();
        let resumed = timeout(RECOVERY, self.acks.changed()).await;
        ensure!(resumed.is_ok(), "stuck: no ack within {RECOVERY:?} after {fault:?}");
        let row = self.tally.0.entry(fault.name()).or_default();
        row.times += 1;
        row.longest = row.longest.max(over.elapsed());
        row.total += over.elapsed();
        Ok(())
    }

    /// Until the attentive readers have what is acked now, and every writer has another ack: so none of them still
    /// suffers from this fault when the next one comes.
    async fn wait_for_everybody(&mut self) {
        if self.places.is_empty() {
            return;
        }
        let Acks { head, by_writer, .. } = self.acks.borrow().clone();
        let wait = async {
            for place in &mut self.places {
                let _ = place.wait_for(|place| place.head >= head).await;
            }
            let more = |acks: &Acks| acks.by_writer.iter().zip(&by_writer).all(|(now, before)| now > before);
            let _ = self.acks.wait_for(more).await;
        };
        let _ = timeout(ARRIVAL, wait).await;
    }
}
