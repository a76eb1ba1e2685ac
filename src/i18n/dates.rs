use super::Locale;
use crate::domain::{CivilTime, day_number};

/// Words for moments: Unix milliseconds, shown where the clock is `offset_min` minutes east of UTC.
impl Locale {
    /// Hour and minute.
    pub fn time(self, at: i64, offset_min: i32) -> String {
        (self.texts().dates.time)(CivilTime::at(at, offset_min))
    }

    /// The day as it is called at `now`: today, yesterday, or its date, with the year when that is another.
    pub fn day(self, at: i64, offset_min: i32, now: i64) -> String {
        let dates = &self.texts().dates;
        match day_number(now, offset_min) - day_number(at, offset_min) {
            0 => dates.today.to_owned(),
            1 => dates.yesterday.to_owned(),
            _ => self.date(at, offset_min, now),
        }
    }

    /// The date, with the year when it is not the one of `now`.
    pub fn date(self, at: i64, offset_min: i32, now: i64) -> String {
        let dates = &self.texts().dates;
        let civil = CivilTime::at(at, offset_min);
        let same_year = civil.year == CivilTime::at(now, offset_min).year;
        if same_year { (dates.day)(civil) } else { (dates.day_of_year)(civil) }
    }

    /// Date with year, and time: for tooltips.
    pub fn moment(self, at: i64, offset_min: i32) -> String {
        let dates = &self.texts().dates;
        let civil = CivilTime::at(at, offset_min);
        format!("{} {}", (dates.day_of_year)(civil), (dates.time)(civil))
    }

    /// The machine-readable form for `<time datetime>`: UTC, to the second.
    pub fn datetime(at: i64) -> String {
        let civil = CivilTime::at(at, 0);
        let second = at.div_euclid(1_000).rem_euclid(60);
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{second:02}Z",
            civil.year, civil.month, civil.day, civil.hour, civil.minute
        )
    }
}
