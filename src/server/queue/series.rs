//! What is done again and again without anybody asking for it.

use super::{Payload, Retention};
use crate::server::store::{NewTask, Repeat, RepeatError, SERIES};

/// Each is enqueued by every worker that starts, and is there once: by the words of its series. `now` in Unix
/// milliseconds.
pub fn series(now: i64) -> Result<Vec<NewTask>, RepeatError> {
    Ok(vec![nightly(&Retention {}, "23 3 * * *", now)?])
}

fn nightly<P: Payload>(payload: &P, cron: &str, now: i64) -> Result<NewTask, RepeatError> {
    let repeat = Repeat::parse(cron, "UTC")?;
    let (run_at, unique) = (repeat.next(now), Some(format!("{SERIES}{}", P::NAME)));
    Ok(NewTask { run_at, unique, repeat: Some(repeat), ..super::task(payload) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_has_a_name_and_a_next_time() {
        for task in series(0).unwrap() {
            assert!(task.run_at.unwrap() > 0 && task.unique.unwrap().starts_with(SERIES));
        }
    }
}
