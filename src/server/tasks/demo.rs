use super::{Context, Failure, Work};
use crate::server::queue::Demo;
use serde_json::Value;
use std::time::Duration;
use tokio::time::sleep;

const SECONDS: u64 = 5;

impl Work for Demo {
    async fn run(self, context: &Context) -> Result<Value, Failure> {
        for second in 0..SECONDS {
            context.progress(second, Some(SECONDS), None);
            context.unless_stopped(sleep(Duration::from_secs(1))).await?;
        }
        Ok("작업 완료".into())
    }
}
