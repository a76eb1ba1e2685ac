//! One run: people on a stage, the schedule, and the judgement at the end.

use crate::browser::{self, Browser};
use crate::course::{Course, Tally};
use crate::oracle::{Evidence, Verdict, are_seen, delays, judge};
use crate::people::{Accounts, Ended, OPERATOR, People, Work};
use crate::plant::Plant;
use crate::report::{Report, connections};
use crate::schedule::Schedule;
use crate::stage::Stage;
use anyhow::{Result, ensure};
use std::path::Path;

pub struct Plan<F> {
    /// Where everything happens; made for this run.
    pub room: String,
    pub seed: u64,
    pub posts: usize,
    pub schedule: Schedule<F>,
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

pub async fn run<S: Stage>(
    plan: &Plan<S::Fault>,
    stage: &mut S,
    accounts: &Accounts,
    folder: &Path,
) -> Result<Outcome> {
    let accounts = accounts.meet(stage, &plan.room).await?;
    let browser = match plan.browser {
        Presence::Absent => None,
        Presence::Present => Some(Browser::start(folder, stage.door(), &plan.room).await?),
    };
    let time = S::FAULT_TIME * u32::try_from(plan.schedule.0.len())?;
    let people =
        People::start(S::CAST, Work { seed: plan.seed, posts: plan.posts, time, plant: plan.plant }, &accounts);
    stage.meet(accounts.mallory.clone());
    let mut course = Course {
        acks: people.acks.subscribe(),
        places: people.places.clone(),
        tally: Tally::default(),
        past: Vec::new(),
    };
    course.run(stage, &plan.schedule, plan.posts).await?;
    let Ended { ledgers, truth, readers, shown } = people.finish(&accounts.mallory, browser).await?;
    let written = shown.as_ref().map(|_| browser::NAME);
    let members = S::CAST.writers.iter().map(|writer| writer.0).chain(written).chain([OPERATOR]);
    let members = members.map(str::to_owned).chain(stage.guests()).collect();
    let evidence = Evidence { truth, ledgers, readers, members, shown, past: course.past };
    let verdict = judge(&evidence);
    if verdict.is_clean() {
        for bug in are_seen(&evidence)? {
            println!("chaos: the planted bug `{bug}` is seen");
        }
    }
    let reached = connections(&evidence);
    ensure!(S::CAST.nodes.iter().all(|node| reached.contains_key(node)), "readers were on {reached:?} only");
    let (delays, remarks) = (delays(&evidence), stage.remarks());
    let report = Report { tally: &course.tally, delays, remarks, evidence: &evidence, verdict: &verdict }.to_string();
    Ok(Outcome { verdict, report })
}
