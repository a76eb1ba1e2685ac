use super::{Context, Failure, Work};
use crate::server::clock::now_ms;
use crate::server::queue::Retention;
use crate::server::store::{Action, Command, Committed, Refusal};
use serde_json::{Value, json};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

impl Work for Retention {
    async fn run(self, context: &Context) -> Result<Value, Failure> {
        let rooms = context.state.store.pruned_rooms().await.map_err(|error| Failure::retry("unavailable", error))?;
        let (total, mut pruned) = (rooms.len() as u64, 0_u64);
        for (index, (slug, days)) in (0..).zip(rooms) {
            context.progress(index, Some(total), None);
            if let Some(days) = days {
                let before = now_ms() - i64::from(days) * DAY_MS;
                let done = carry_out(context, Command::by_operator(slug.clone(), Action::Prune { before })).await?;
                pruned += u64::from(done.seq.is_some());
            }
            // A little at a time: everybody else's commits come in between.
            while carry_out(context, Command::by_operator(slug.clone(), Action::Sweep)).await?.seq.is_some() {
                context.check()?;
            }
        }
        Ok(json!({ "rooms": total, "pruned": pruned }))
    }
}

async fn carry_out(context: &Context, command: Command) -> Result<Committed, Failure> {
    let failed = |error: Refusal| Failure::retry("unavailable", error);
    let pending = context.state.store.submit(command).await.map_err(|error| failed(error.into()))?;
    pending.outcome().await.map_err(failed)
}
