use super::calendar::{CivilTime, day_number, day_of_date, minute_of_day, weekday_of};
use super::{Recurrence, Weekday};

const MINUTE_MS: i64 = 60_000;
const DAY_MINUTES: i64 = 24 * 60;

/// When something is to be said, seen from where somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// In so many minutes.
    In(u32),
    /// So many minutes after a day's midnight.
    At(Day, u32),
    /// Again and again, likewise.
    Every(Recurrence, u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Day {
    /// Today, or tomorrow if it is later than that already.
    Next,
    /// So many days from today.
    In(u32),
    /// The next one that is not over yet.
    Weekday(Weekday),
    /// A date: year, month and day.
    Date(i32, u32, u32),
    /// Month and day, of this year or the next.
    Month(u32, u32),
}

impl When {
    /// Unix milliseconds; `offset_at` tells the minutes east of UTC at an instant. `None` for a date that there
    /// is not, and for what recurs, which begins where its pattern says.
    pub fn at(self, now_ms: i64, offset_at: impl Fn(i64) -> i32) -> Option<i64> {
        let (day, minute) = match self {
            When::In(minutes) => return Some(now_ms + i64::from(minutes) * MINUTE_MS),
            When::At(day, minute) => (day, i64::from(minute)),
            When::Every(..) => return None,
        };
        let offset = offset_at(now_ms);
        let today = day_number(now_ms, offset);
        let over = minute <= i64::from(minute_of_day(now_ms, offset));
        let day = match day {
            Day::Next => today + i64::from(over),
            Day::In(days) => today + i64::from(days),
            Day::Weekday(weekday) => {
                let ahead = (weekday.number() + 7 - weekday_of(today).number()) % 7;
                today + if ahead == 0 && over { 7 } else { i64::from(ahead) }
            }
            Day::Date(year, month, day) => day_of_date(year, month, day)?,
            Day::Month(month, day) => {
                let year = CivilTime::at(now_ms, offset).year;
                let this = day_of_date(year, month, day)?;
                if this < today || (this == today && over) { day_of_date(year + 1, month, day)? } else { this }
            }
        };
        let local = (day * DAY_MINUTES + minute) * MINUTE_MS;
        // The offset of that moment, which is looked for near by.
        let near = local - i64::from(offset) * MINUTE_MS;
        Some(local - i64::from(offset_at(near)) * MINUTE_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEOUL: i32 = 9 * 60;
    /// 2026-11-30 in Seoul, a Monday, 15:00.
    const NOW: i64 = 1_796_018_400_000;

    fn civil(when: When) -> (u32, u32, u32, u32) {
        let at = CivilTime::at(when.at(NOW, |_| SEOUL).unwrap(), SEOUL);
        (at.month, at.day, at.hour, at.minute)
    }

    #[test]
    fn times_are_those_of_the_place() {
        assert_eq!(civil(When::In(90)), (11, 30, 16, 30));
        assert_eq!(civil(When::At(Day::Next, 15 * 60 + 30)), (11, 30, 15, 30));
        assert_eq!(civil(When::At(Day::Next, 15 * 60)), (12, 1, 15, 0), "now is over");
        assert_eq!(civil(When::At(Day::In(0), 9 * 60)), (11, 30, 9, 0), "as it was said");
        assert_eq!(civil(When::At(Day::In(1), 9 * 60)), (12, 1, 9, 0));
        assert_eq!(civil(When::At(Day::Weekday(Weekday::Monday), 9 * 60)), (12, 7, 9, 0));
        assert_eq!(civil(When::At(Day::Weekday(Weekday::Monday), 16 * 60)), (11, 30, 16, 0));
        assert_eq!(civil(When::At(Day::Weekday(Weekday::Sunday), 9 * 60)), (12, 6, 9, 0));
        assert_eq!(civil(When::At(Day::Date(2026, 12, 24), 18 * 60)), (12, 24, 18, 0));
        assert_eq!(civil(When::At(Day::Month(12, 24), 18 * 60)), (12, 24, 18, 0));
        assert_eq!(
            When::At(Day::Month(11, 30), 60).at(NOW, |_| SEOUL),
            When::At(Day::Date(2027, 11, 30), 60).at(NOW, |_| SEOUL)
        );
        assert_eq!(When::At(Day::Date(2026, 2, 30), 0).at(NOW, |_| 0), None);
    }

    #[test]
    fn the_offset_is_that_of_the_moment() {
        // From 120 to 60 minutes east at 2026-10-25T01:00Z, as in Berlin.
        let change = 1_792_890_000_000;
        let offset = |at| if at < change { 120 } else { 60 };
        let before = change - 12 * 60 * MINUTE_MS;
        let at = When::At(Day::In(1), 9 * 60).at(before, offset).unwrap();
        assert_eq!(at, change + 7 * 60 * MINUTE_MS, "09:00 is 08:00 UTC after the change");
    }
}
