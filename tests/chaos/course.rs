//! The faults of a schedule, one after the other, and how long the writers wait after each.

use crate::schedule::{Fault, Schedule};
use crate::stage::Stage;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// Without an ack for so long after a fault is over, service has not resumed.
const RECOVERY: Duration = Duration::from_secs(30);

pub struct Course {
    /// Acks of all writers so far.
    pub acks: watch::Receiver<u64>,
    pub tally: Tally,
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
    /// Faults are spread over the posts: none comes before its share of `posts` is acked.
    pub async fn run<S: Stage>(&mut self, stage: &mut S, schedule: &Schedule<S::Fault>, posts: usize) -> Result<()> {
        for (number, step) in schedule.0.iter().enumerate() {
            self.wait_for_acks((posts * number / schedule.0.len()) as u64).await;
            sleep(Duration::from_millis(step.calm_ms)).await;
            let happened = || format!("{:?}", step.fault);
            stage.carry_out(&step.fault).await.with_context(happened)?;
            stage.stands().with_context(happened)?;
            self.look_for_an_ack(&step.fault).await?;
        }
        Ok(())
    }

    async fn wait_for_acks(&mut self, share: u64) {
        // Those who are too slow are waited for in the end.
        let _ = timeout(RECOVERY, self.acks.wait_for(|acks| *acks >= share)).await;
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
}
