use super::{Context, Failure, Work};
use crate::server::queue::Demo;
use serde_json::Value;
use std::time::Duration;
use tokio::time::sleep;

impl Work for Demo {
    async fn run(self, context: &Context) -> Result<Value, Failure> {
        let seconds = self.seconds.unwrap_or(5);
        for second in 0..seconds {
            context.progress(second.into(), Some(seconds.into()), None);
            context.unless_stopped(sleep(Duration::from_secs(1))).await?;
        }
        Ok("작업 완료".into())
    }
}
