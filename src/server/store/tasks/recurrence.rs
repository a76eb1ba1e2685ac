//! When a task that repeats runs next: cron in a time zone.
//!
//! Where clocks are put forward, what would have run in the missing hour runs at its end; where they are put back, what
//! runs at a fixed time runs once, the first time (the rules of the library, after Vixie cron).

use chrono::DateTime;
use chrono_tz::Tz;
use croner::Cron;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Five fields of cron and an IANA time zone, both checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeat {
    cron: String,
    zone: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RepeatError {
    #[error("no cron pattern of five fields")]
    Cron,
    #[error("no IANA time zone")]
    Zone,
}

impl Repeat {
    pub fn parse(cron: &str, zone: &str) -> Result<Repeat, RepeatError> {
        let repeat = Repeat { cron: cron.trim().to_owned(), zone: zone.to_owned() };
        if repeat.cron.split_whitespace().count() != 5 {
            return Err(RepeatError::Cron);
        }
        let _zone = repeat.zone()?;
        repeat.pattern().map(|_| repeat.clone())
    }

    pub fn cron(&self) -> &str {
        &self.cron
    }

    pub fn zone_name(&self) -> &str {
        &self.zone
    }

    /// The first time after `after`, both in Unix milliseconds; `None`: never again.
    pub fn next(&self, after: i64) -> Option<i64> {
        let after = DateTime::from_timestamp_millis(after)?.with_timezone(&self.zone().ok()?);
        let next = self.pattern().ok()?.find_next_occurrence(&after, false).ok()?;
        Some(next.timestamp_millis())
    }

    fn pattern(&self) -> Result<Cron, RepeatError> {
        Cron::from_str(&self.cron).map_err(|_| RepeatError::Cron)
    }

    fn zone(&self) -> Result<Tz, RepeatError> {
        self.zone.parse().map_err(|_| RepeatError::Zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
    }

    fn next(cron: &str, zone: &str, after: &str) -> String {
        let next = Repeat::parse(cron, zone).unwrap().next(ms(after)).unwrap();
        DateTime::from_timestamp_millis(next).unwrap().to_rfc3339()
    }

    #[test]
    fn times_are_those_of_the_zone() {
        assert_eq!(next("0 9 * * 1-5", "Asia/Seoul", "2026-11-27T00:00:00Z"), "2026-11-30T00:00:00+00:00");
    }

    #[test]
    fn in_the_missing_hour_it_runs_at_its_end() {
        // Berlin, 2026-03-29: 02:00 to 03:00 are left out.
        assert_eq!(next("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z"), "2026-03-29T01:00:00+00:00");
        assert_eq!(next("30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z"), "2026-03-30T00:30:00+00:00");
    }

    #[test]
    fn in_the_hour_that_comes_twice_it_runs_once() {
        // Berlin, 2026-10-25: 02:00 to 03:00 come twice.
        assert_eq!(next("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z"), "2026-10-25T00:30:00+00:00");
        assert_eq!(next("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z"), "2026-10-26T01:30:00+00:00");
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        assert_eq!(Repeat::parse("* * * *", "UTC"), Err(RepeatError::Cron));
        assert_eq!(Repeat::parse("99 * * * *", "UTC"), Err(RepeatError::Cron));
        assert_eq!(Repeat::parse("0 9 * * *", "Asia/Pyeongyang"), Err(RepeatError::Zone));
        // A day that never comes.
        assert_eq!(Repeat::parse("0 0 31 2 *", "UTC").unwrap().next(0), None);
    }
}
