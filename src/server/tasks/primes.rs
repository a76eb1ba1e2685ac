use super::{Context, Failure, Work};
use crate::server::compute::Bounds;
use crate::server::compute::primes::{Primes as Counting, Range};
use crate::server::queue::{Payload, Primes};
use serde_json::Value;

const MEMORY_BYTES: u64 = 512 * 1024 * 1024;

impl Work for Primes {
    async fn run(self, context: &Context) -> Result<Value, Failure> {
        let bounds = Bounds { time: Primes::POLICY.hard_limit, cpu: None, memory_bytes: MEMORY_BYTES, file_bytes: 0 };
        let count = context.compute::<Counting>(&Range { below: self.below }, bounds).await?;
        Ok(count.to_string().into())
    }
}
