//! Whom a commit waits for: a sync costs the same for one as for all, and who was just answered may come again. The
//! idea is PostgreSQL's `commit_delay` and `commit_siblings`.

use std::time::Duration;
use tokio::time::Instant;

/// Fewer commands under way than this are committed as they come.
const ENOUGH: usize = 4;

/// Who was answered longer ago is not waited for.
const RECENT: Duration = Duration::from_millis(20);

/// A commit waits so often for a moment at most, which is about a millisecond in all.
pub(super) const BREATHS: usize = 8;

/// The commands that were under way a moment ago.
pub(super) struct Company {
    size: usize,
    answered: Option<Instant>,
    /// How often it is worth waiting: less often after waiting in vain.
    breaths: usize,
}

impl Company {
    pub fn new() -> Company {
        Company { size: 0, answered: None, breaths: BREATHS }
    }

    /// So many were answered, and others waited by then.
    pub fn note(&mut self, answered: usize, waiting: usize, now: Instant) {
        (self.size, self.answered) = (answered + waiting, Some(now));
    }

    /// How many a commit may wait for, and how often.
    pub fn expected(&self, now: Instant) -> Option<(usize, usize)> {
        let recent = self.answered.is_some_and(|answered| now.duration_since(answered) <= RECENT);
        (recent && self.size >= ENOUGH).then_some((self.size, self.breaths))
    }

    /// Whether somebody came.
    pub fn waited(&mut self, came: bool) {
        self.breaths = if came { (self.breaths * 2).min(BREATHS) } else { (self.breaths / 2).max(1) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_many_who_were_just_answered_are_waited_for() {
        let (mut company, now) = (Company::new(), Instant::now());
        assert_eq!(company.expected(now), None);
        company.note(2, 1, now);
        assert_eq!(company.expected(now), None);
        company.note(3, 1, now);
        assert_eq!(company.expected(now + RECENT), Some((4, BREATHS)));
        assert_eq!(company.expected(now + RECENT * 2), None);
    }

    #[test]
    fn those_who_do_not_come_are_waited_for_less_often() {
        let (mut company, now) = (Company::new(), Instant::now());
        company.note(8, 0, now);
        let mut worth = || {
            company.waited(false);
            company.expected(now).unwrap().1
        };
        assert_eq!([worth(), worth(), worth(), worth()], [4, 2, 1, 1]);
        company.waited(true);
        assert_eq!(company.expected(now), Some((8, 2)));
    }
}
