//! Whether the other side is still there. Pure: the caller brings the time.
//!
//! A connection is dead when a ping stays unanswered, not when it is merely silent: browsers slow
//! the timers of hidden pages down to one a minute, and silence would then be the page's own.

/// Milliseconds that a probe (the page came back, the network changed) waits for a sign of life.
const PROBE_MS: i64 = 4_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    ping_every_ms: i64,
    /// How long a ping may stay unanswered.
    patience_ms: i64,
    heard_at: i64,
    /// When the unanswered ping is given up.
    deadline: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// Ask again after so many milliseconds.
    Wait(u32),
    /// Send a ping now.
    Ping,
    /// Give the connection up.
    Dead,
}

impl Heartbeat {
    /// With `hello`'s numbers: a dead network is seen within `dead_after_ms` of its death.
    pub fn new(ping_every_ms: u32, dead_after_ms: u32, now: i64) -> Heartbeat {
        let ping_every_ms = i64::from(ping_every_ms).max(1_000);
        let patience_ms = (i64::from(dead_after_ms) - ping_every_ms).max(1_000);
        Heartbeat { ping_every_ms, patience_ms, heard_at: now, deadline: None }
    }

    /// Any frame is a sign of life.
    pub fn heard(&mut self, now: i64) {
        self.heard_at = now;
        self.deadline = None;
    }

    pub fn beat(&mut self, now: i64) -> Beat {
        match self.deadline {
            Some(deadline) if now >= deadline => Beat::Dead,
            Some(deadline) => Beat::Wait((deadline - now) as u32),
            None if now - self.heard_at >= self.ping_every_ms => {
                self.deadline = Some(now + self.patience_ms);
                Beat::Ping
            }
            // A clock that was set back must not silence the heart.
            None => Beat::Wait((self.heard_at + self.ping_every_ms - now).min(self.ping_every_ms) as u32),
        }
    }

    /// There is reason to doubt: ping at once, and expect an answer soon.
    pub fn probe(&mut self, now: i64) {
        let soon = now + self.patience_ms.min(PROBE_MS);
        self.deadline = Some(self.deadline.map_or(soon, |deadline| deadline.min(soon)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_network_is_seen_within_the_promised_time() {
        let mut heart = Heartbeat::new(8_000, 20_000, 0);
        assert_eq!(heart.beat(0), Beat::Wait(8_000));
        assert_eq!(heart.beat(8_000), Beat::Ping);
        assert_eq!(heart.beat(8_000), Beat::Wait(12_000));
        assert_eq!(heart.beat(20_000), Beat::Dead);
    }

    #[test]
    fn any_frame_answers_a_ping() {
        let mut heart = Heartbeat::new(8_000, 20_000, 0);
        assert_eq!(heart.beat(8_000), Beat::Ping);
        heart.heard(9_000);
        assert_eq!(heart.beat(20_000), Beat::Ping);
    }

    #[test]
    fn a_page_whose_timers_were_slowed_is_not_dead() {
        let mut heart = Heartbeat::new(8_000, 20_000, 0);
        assert_eq!(heart.beat(60_000), Beat::Ping);
        heart.heard(60_010);
        assert_eq!(heart.beat(120_000), Beat::Ping);
    }

    #[test]
    fn a_probe_is_quicker_than_the_ordinary_wait() {
        let mut heart = Heartbeat::new(8_000, 20_000, 0);
        heart.probe(1_000);
        assert_eq!(heart.beat(1_000), Beat::Wait(4_000));
        assert_eq!(heart.beat(5_000), Beat::Dead);
    }

    #[test]
    fn a_clock_set_back_keeps_the_heart_beating() {
        let mut heart = Heartbeat::new(8_000, 20_000, 1_000_000);
        assert_eq!(heart.beat(0), Beat::Wait(8_000));
    }
}
