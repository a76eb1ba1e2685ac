use super::{Context, Failure, Work};
use crate::server::queue::Preview;
use crate::server::service::previews::{Patience, Unfurled, Unfurler};
use serde_json::{Value, json};

impl Work for Preview {
    /// Shows what there is at most once; what cannot be reached is asked again, and left out at last.
    async fn run(self, context: &Context) -> Result<Value, Failure> {
        let (state, task) = (&context.state, &context.task);
        // Switched off since it was enqueued, or enqueued by a node with other settings.
        if !state.config.previews {
            return Ok(json!({ "seq": null }));
        }
        let place = task.room.zip(self.target.or(task.data.cause));
        let place = place.ok_or_else(|| Failure::give_up("bad_arguments", "no message is named"))?;
        let patience = match task.data.attempts < task.data.max_attempts {
            true => Patience::AsksAgain,
            false => Patience::TakesWhatThereIs,
        };
        let (store, client, limits) = (&*state.store, &state.outgoing.previews, &state.config.limits);
        let unfurler = Unfurler { store, client, limits, patience };
        match context.unless_stopped(unfurler.unfurl(place)).await? {
            Ok(Unfurled::Shown(seq)) => Ok(json!({ "seq": seq })),
            Ok(Unfurled::Later(code)) => Err(Failure::retry(code, "a page did not answer")),
            Err(error) => Err(Failure::retry("unavailable", error)),
        }
    }
}
