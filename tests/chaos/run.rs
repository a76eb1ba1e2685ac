//! One run: people on a stage, the schedule, and the judgement at the end.

use crate::browser::{self, Browser};
use crate::course::{Course, Tally};
use crate::oracle::{Evidence, Verdict, are_seen, judge};
use crate::people::{Accounts, Ended, OPERATOR, People, Work};
use crate::plant::Plant;
use crate::report::Report;
use crate::schedule::Schedule;
use crate::stage::Stage;
use anyhow::Result;
use std::path::Path;
use std::time::Duration;

/// The room where everything happens.
const ROOM: &str = "chaos";

/// What a fault takes with the calm around it, roughly.
const FAULT_TIME: Duration = Duration::from_secs(2);

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

pub struct Outcome {
    pub verdict: Verdict,
    /// For people.
    pub report: String,
}

pub async fn run<S: Stage>(plan: Plan, mut stage: S, folder: &Path) -> Result<Outcome> {
    let accounts = Accounts::make(&stage, ROOM).await?;
    let browser = match plan.browser {
        Presence::Absent => None,
        Presence::Present => Some(Browser::start(folder, stage.door(), ROOM).await?),
    };
    let time = FAULT_TIME * u32::try_from(plan.faults)?;
    let people =
        People::start(S::CAST, Work { seed: plan.seed, posts: plan.posts, time, plant: plan.plant }, &accounts);
    stage.meet(accounts.mallory.clone());
    let mut course = Course { acks: people.acks.subscribe(), tally: Tally::default() };
    course.run(&mut stage, &Schedule::of(plan.seed, plan.faults), plan.posts).await?;
    let Ended { ledgers, truth, readers, shown } = people.finish(&accounts.mallory, browser).await?;
    let written = shown.as_ref().map(|_| browser::NAME);
    let members = S::CAST.writers.iter().map(|writer| writer.0).chain(written).chain([OPERATOR]);
    let members = members.map(str::to_owned).chain(stage.guests()).collect();
    let evidence = Evidence { truth, ledgers, readers, members, shown };
    let verdict = judge(&evidence);
    if verdict.is_clean() {
        for bug in are_seen(&evidence)? {
            println!("chaos: the planted bug `{bug}` is seen");
        }
    }
    let remarks = stage.remarks();
    let report = Report { tally: &course.tally, remarks, evidence: &evidence, verdict: &verdict }.to_string();
    Ok(Outcome { verdict, report })
}
