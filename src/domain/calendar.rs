/// A moment as a calendar and a clock on the wall show it, somewhere with a fixed offset from UTC.
/// Proleptic Gregorian; leap seconds do not exist, as in Unix time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CivilTime {
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    pub weekday: Weekday,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weekday {
    Sunday,
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
}

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

impl CivilTime {
    /// `at_ms` is Unix milliseconds, `utc_offset_min` minutes east of UTC.
    pub fn at(at_ms: i64, utc_offset_min: i32) -> CivilTime {
        let day_number = day_number(at_ms, utc_offset_min);
        let minute_of_day = local_ms(at_ms, utc_offset_min).rem_euclid(DAY_MS) / MINUTE_MS;
        let (year, month, day) = civil_from_days(day_number);
        CivilTime {
            year,
            month,
            day,
            weekday: Weekday::of_day_number(day_number),
            hour: (minute_of_day / 60) as u32,
            minute: (minute_of_day % 60) as u32,
        }
    }
}

impl Weekday {
    fn of_day_number(day_number: i64) -> Weekday {
        // 1970-01-01 was a Thursday.
        Weekday::ALL[(day_number + 4).rem_euclid(7) as usize]
    }

    pub const ALL: [Weekday; 7] = [
        Weekday::Sunday,
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
    ];

    /// As cron counts them: Sunday is 0.
    pub fn number(self) -> u32 {
        self as u32
    }

    pub fn of_number(number: u32) -> Option<Weekday> {
        Weekday::ALL.get(number as usize).copied()
    }
}

pub fn weekday_of(day_number: i64) -> Weekday {
    Weekday::of_day_number(day_number)
}

/// Minutes since the local midnight.
pub fn minute_of_day(at_ms: i64, utc_offset_min: i32) -> u32 {
    (local_ms(at_ms, utc_offset_min).rem_euclid(DAY_MS) / MINUTE_MS) as u32
}

/// Days from 1970-01-01 to a date, where it is one.
pub fn day_of_date(year: i32, month: u32, day: u32) -> Option<i64> {
    let shifted = i64::from(year) - i64::from(month <= 2);
    let day_of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    let year_of_era = shifted.rem_euclid(400);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let number = shifted.div_euclid(400) * 146_097 + day_of_era - 719_468;
    (civil_from_days(number) == (year, month, day)).then_some(number)
}

/// Days since 1970-01-01 on the local calendar: equal for two moments of one local day.
pub fn day_number(at_ms: i64, utc_offset_min: i32) -> i64 {
    local_ms(at_ms, utc_offset_min).div_euclid(DAY_MS)
}

/// Milliseconds from `at_ms` to the next local midnight: 1 to a whole day.
pub fn ms_to_midnight(at_ms: i64, utc_offset_min: i32) -> i64 {
    DAY_MS - local_ms(at_ms, utc_offset_min).rem_euclid(DAY_MS)
}

fn local_ms(at_ms: i64, utc_offset_min: i32) -> i64 {
    at_ms.saturating_add(i64::from(utc_offset_min) * MINUTE_MS)
}

/// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`: eras of 400
/// years with 146,097 days, years that begin on the first of March.
fn civil_from_days(day_number: i64) -> (i32, u32, u32) {
    let shifted = day_number + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as i32, month as u32, day as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(at_ms: i64, utc_offset_min: i32) -> (i32, u32, u32, u32, u32) {
        let civil = CivilTime::at(at_ms, utc_offset_min);
        (civil.year, civil.month, civil.day, civil.hour, civil.minute)
    }

    #[test]
    fn known_moments_have_their_dates() {
        assert_eq!(date(0, 0), (1970, 1, 1, 0, 0));
        assert_eq!(date(1_763_800_000_000, 0), (2025, 11, 22, 8, 26));
        assert_eq!(date(1_763_800_000_000, 9 * 60), (2025, 11, 22, 17, 26));
        assert_eq!(date(951_782_400_000, 0), (2000, 2, 29, 0, 0));
        assert_eq!(date(-1, 0), (1969, 12, 31, 23, 59));
    }

    #[test]
    fn weekdays_follow_the_calendar() {
        assert_eq!(CivilTime::at(0, 0).weekday, Weekday::Thursday);
        assert_eq!(CivilTime::at(1_763_800_000_000, 0).weekday, Weekday::Saturday);
        assert_eq!(CivilTime::at(-DAY_MS, 0).weekday, Weekday::Wednesday);
    }

    #[test]
    fn offsets_move_the_day_border() {
        let last_utc_minute = DAY_MS - MINUTE_MS;
        assert_eq!(day_number(last_utc_minute, 0), 0);
        assert_eq!(day_number(last_utc_minute, 1), 1);
        assert_eq!(day_number(0, -1), -1);
        assert_eq!(date(last_utc_minute, 5 * 60 + 45), (1970, 1, 2, 5, 44));
    }

    #[test]
    fn midnight_is_at_most_a_day_away() {
        assert_eq!(ms_to_midnight(0, 0), DAY_MS);
        assert_eq!(ms_to_midnight(DAY_MS - 1, 0), 1);
        assert_eq!(ms_to_midnight(0, 9 * 60), 15 * 60 * MINUTE_MS);
    }

    #[test]
    fn each_day_of_eight_centuries_follows_the_one_before() {
        let mut before = civil_from_days(-146_097);
        for day_number in -146_096..=146_097 {
            let now = civil_from_days(day_number);
            assert_eq!(day_of_date(now.0, now.1, now.2), Some(day_number));
            let next_day = now == (before.0, before.1, before.2 + 1);
            let next_month = now.2 == 1 && now == (before.0, before.1 + 1, 1);
            let next_year = now == (before.0 + 1, 1, 1) && (before.1, before.2) == (12, 31);
            assert!(next_day || next_month || next_year, "{before:?} → {now:?}");
            before = now;
        }
        assert_eq!(before, (2370, 1, 1));
    }
}
