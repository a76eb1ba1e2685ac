//! When something is to be said, as people write it: `in 10m`, `tomorrow 9:00`, `every weekday 9am`, `10분 뒤`,
//! `내일 오후 3시 반`, `매주 월요일 9시`. Pure; both languages at any time.

#[cfg(test)]
mod tests;

use crate::domain::{Day, Recurrence, Weekday, When};

/// The time that the text begins with, and what follows.
pub fn read(text: &str) -> Option<(When, &str)> {
    let mut words = Words(text);
    let when = words.attempt(span).or_else(|| words.attempt(every)).or_else(|| words.attempt(moment))?;
    Some((when, words.0.trim()))
}

struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let text = self.0.trim_start();
        let (word, rest) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
        self.0 = rest;
        (!word.is_empty()).then_some(word)
    }

    /// What it reads is taken only if it can be read.
    fn attempt<T>(&mut self, read: impl FnOnce(&mut Words<'a>) -> Option<T>) -> Option<T> {
        let before = self.0;
        let found = read(self);
        if found.is_none() {
            self.0 = before;
        }
        found
    }

    fn skip(&mut self, words: &[&str]) -> bool {
        self.attempt(|text| words.contains(&lower(text.next()?).as_str()).then_some(())).is_some()
    }
}

/// ASCII is all that has capitals here.
fn lower(word: &str) -> String {
    word.to_ascii_lowercase()
}

/// `in 10m`, `in 1 hour 30 minutes`, `10분 뒤`, `1시간 30분 후에`.
fn span(words: &mut Words) -> Option<When> {
    let english = words.skip(&["in", "after"]);
    let mut minutes: u32 = 0;
    let mut ended = false;
    while !ended {
        let Some((more, last)) = words.attempt(span_part) else { break };
        minutes = minutes.checked_add(more)?;
        ended = last;
    }
    ended = ended || words.skip(&["뒤", "후", "뒤에", "후에"]);
    (minutes > 0 && (english || ended)).then_some(When::In(minutes))
}

/// A number and its unit, and whether the word ends as the last one of a span does in Korean.
fn span_part(words: &mut Words) -> Option<(u32, bool)> {
    let word = lower(words.next()?);
    let (number, unit) = number_and_rest(&word)?;
    let next;
    let unit = if unit.is_empty() {
        next = lower(words.next()?);
        next.as_str()
    } else {
        unit
    };
    let bare = ["뒤에", "후에", "뒤", "후"].iter().find_map(|end| unit.strip_suffix(end));
    let minutes = match bare.unwrap_or(unit) {
        "m" | "min" | "mins" | "minute" | "minutes" | "분" => 1,
        "h" | "hr" | "hour" | "hours" | "시간" => 60,
        "d" | "day" | "days" | "일" => 24 * 60,
        "w" | "week" | "weeks" | "주" | "주일" => 7 * 24 * 60,
        _ => return None,
    };
    Some((number.checked_mul(minutes)?, bare.is_some()))
}

fn number_and_rest(word: &str) -> Option<(u32, &str)> {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    Some((word[..digits].parse().ok()?, &word[digits..]))
}

/// `every day 9:00`, `매주 월요일 9시`, `평일 9시`.
fn every(words: &mut Words) -> Option<When> {
    let recurrence = match lower(words.next()?).as_str() {
        "daily" | "매일" | "날마다" => Recurrence::Daily,
        "평일" | "평일마다" | "weekdays" => Recurrence::Workdays,
        "every" | "매주" => {
            let word = lower(words.next()?);
            match word.as_str() {
                "day" => Recurrence::Daily,
                "weekday" | "workday" | "평일" => Recurrence::Workdays,
                word => Recurrence::Weekly(weekday(word)?),
            }
        }
        word => Recurrence::Weekly(weekday(word.strip_suffix("마다")?)?),
    };
    Some(When::Every(recurrence, time(words)?))
}

/// `15:30`, `tomorrow 9:00`, `on friday at 3 pm`, `2026-12-24 18:00`, `내일 9시`, `12월 24일 오후 6시`.
fn moment(words: &mut Words) -> Option<When> {
    words.skip(&["on"]);
    let day = words.attempt(day).unwrap_or(Day::Next);
    Some(When::At(day, time(words)?))
}

fn day(words: &mut Words) -> Option<Day> {
    let word = lower(words.next()?);
    Some(match word.as_str() {
        "today" | "오늘" => Day::In(0),
        "tomorrow" | "내일" => Day::In(1),
        "모레" => Day::In(2),
        word if word.ends_with('월') => {
            let (month, day) = (counted(word, "월")?, counted(words.next()?, "일")?);
            Day::Month(month, day)
        }
        word => match weekday(word) {
            Some(weekday) => Day::Weekday(weekday),
            None => {
                let mut parts = word.split('-').map(|part| part.parse::<u32>().ok());
                let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
                Day::Date(i32::try_from(year).ok()?, month, day)
            }
        },
    })
}

fn weekday(word: &str) -> Option<Weekday> {
    const NAMES: [[&str; 3]; 7] = [
        ["sunday", "sun", "일요일"],
        ["monday", "mon", "월요일"],
        ["tuesday", "tue", "화요일"],
        ["wednesday", "wed", "수요일"],
        ["thursday", "thu", "목요일"],
        ["friday", "fri", "금요일"],
        ["saturday", "sat", "토요일"],
    ];
    let number = NAMES.iter().position(|names| names.contains(&word))?;
    Weekday::of_number(number as u32)
}

fn counted(word: &str, unit: &str) -> Option<u32> {
    word.strip_suffix(unit)?.parse().ok()
}

/// Which half of the day is meant, of an hour from 1 to 12.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Morning,
    Afternoon,
}

impl Half {
    fn of(word: &str) -> Option<Half> {
        match word {
            "am" | "오전" | "아침" => Some(Half::Morning),
            "pm" | "오후" | "저녁" => Some(Half::Afternoon),
            _ => None,
        }
    }
}

/// Minutes after midnight.
fn time(words: &mut Words) -> Option<u32> {
    words.skip(&["at"]);
    if words.skip(&["noon", "정오", "정오에"]) {
        return Some(12 * 60);
    }
    let half = words.attempt(|words| Half::of(words.next()?));
    let word = lower(words.next()?);
    let (hour, rest) = number_and_rest(word.strip_suffix('에').unwrap_or(&word))?;
    let (minute, half) = match rest {
        "" => (0, Some(half.or_else(|| words.attempt(|words| Half::of(&lower(words.next()?))))?)),
        rest => match (rest.strip_prefix(':'), rest.strip_prefix('시')) {
            (Some(minutes), _) => {
                let (minute, end) = number_and_rest(minutes)?;
                let after = words.attempt(|words| Half::of(&lower(words.next()?)));
                (minute, if end.is_empty() { half.or(after) } else { Some(Half::of(end)?) })
            }
            (None, Some("")) => (words.attempt(korean_minutes).unwrap_or(0), half),
            (None, Some(minutes)) => (counted(minutes, "분")?, half),
            (None, None) => (0, Some(Half::of(rest)?)),
        },
    };
    in_day(hour, minute, half)
}

fn korean_minutes(words: &mut Words) -> Option<u32> {
    let word = words.next()?;
    match word.strip_suffix('에').unwrap_or(word) {
        "반" => Some(30),
        word => counted(word, "분"),
    }
}

fn in_day(hour: u32, minute: u32, half: Option<Half>) -> Option<u32> {
    let hour = match half {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(Half::Morning) => hour % 12,
        Some(Half::Afternoon) => hour % 12 + 12,
    };
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}
