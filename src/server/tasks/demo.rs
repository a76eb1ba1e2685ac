use super::{Context, Failure, Work};
use crate::server::queue::Demo;
use serde_json::Value;
use std::time::Duration;
use tokio::time::sleep;

impl Work for Demo {
    async fn run(self, context: &Context) -> Result<Value, Failure> {
        for second in 0..self.seconds {
            context.progress(second.into(), Some(self.seconds.into()), None);
            context.unless_stopped(sleep(Duration::from_secs(1))).await?;
        }
        Ok("작업 완료".into())
    }
}
