use super::calendar::Weekday;

/// How often something is said again, always at the same time of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recurrence {
    Daily,
    /// From Monday to Friday.
    Workdays,
    Weekly(Weekday),
}

impl Recurrence {
    /// Five fields of cron, `minute` minutes after midnight.
    pub fn cron(self, minute: u32) -> String {
        let days = match self {
            Recurrence::Daily => "*".to_owned(),
            Recurrence::Workdays => "1-5".to_owned(),
            Recurrence::Weekly(day) => day.number().to_string(),
        };
        format!("{} {} * * {days}", minute % 60, minute / 60)
    }

    /// What [`cron`](Recurrence::cron) made, and nothing else: minutes after midnight too.
    pub fn of_cron(cron: &str) -> Option<(Recurrence, u32)> {
        let mut fields = cron.split(' ');
        let (minute, hour): (u32, u32) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let ("*", "*", days, None) = (fields.next()?, fields.next()?, fields.next()?, fields.next()) else {
            return None;
        };
        let recurrence = match days {
            "*" => Recurrence::Daily,
            "1-5" => Recurrence::Workdays,
            day => Recurrence::Weekly(Weekday::of_number(day.parse().ok()?)?),
        };
        (minute < 60 && hour < 24).then_some((recurrence, hour * 60 + minute))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cron_is_read_as_it_was_written() {
        let all = [Recurrence::Daily, Recurrence::Workdays, Recurrence::Weekly(Weekday::Sunday)];
        for recurrence in all {
            assert_eq!(Recurrence::of_cron(&recurrence.cron(9 * 60 + 5)), Some((recurrence, 9 * 60 + 5)));
        }
        assert_eq!(Recurrence::Workdays.cron(9 * 60), "0 9 * * 1-5");
        for other in ["0 9 1 * *", "*/5 * * * *", "0 9 * * 1-5 *", "0 9 * * 7", "60 9 * * *", ""] {
            assert_eq!(Recurrence::of_cron(other), None, "{other}");
        }
    }
}
