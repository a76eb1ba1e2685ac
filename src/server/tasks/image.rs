use super::{Context, Failure, Work};
use crate::server::compute::ComputeError;
use crate::server::queue::Image;
use crate::server::service::files::{ProcessError, Workplace, process};
use serde_json::Value;

impl Work for Image {
    async fn run(self, context: &Context) -> Result<Value, Failure> {
        let place = Workplace { cancel: context.stopping().clone(), ..Workplace::of(&context.state) };
        match process(&place, &self.file).await {
            Ok(()) => Ok(Value::Null),
            Err(ProcessError::Compute(ComputeError::Cancelled)) => Err(Failure::Stopped),
            Err(error @ ProcessError::Compute(ComputeError::TimedOut)) => Err(Failure::retry("timed_out", error)),
            Err(error @ ProcessError::Removed) => Err(Failure::give_up("no_such_file", error)),
            Err(error) => Err(Failure::retry("unavailable", error)),
        }
    }
}
