use super::*;

fn minutes(text: &str) -> Option<u32> {
    match read(text)?.0 {
        When::In(minutes) => Some(minutes),
        _ => None,
    }
}

fn when(text: &str) -> When {
    read(text).unwrap_or_else(|| panic!("{text} is no time")).0
}

#[test]
fn spans_are_read_in_both_languages() {
    for (text, expected) in [
        ("in 10m tea", 10),
        ("in 10 min tea", 10),
        ("In 2 hours tea", 120),
        ("in 1 hour 30 minutes tea", 90),
        ("in 1h 30m tea", 90),
        ("in 3 days tea", 3 * 24 * 60),
        ("10분 뒤 차", 10),
        ("10분뒤 차", 10),
        ("10분 후에 차", 10),
        ("1시간 30분 뒤 차", 90),
        ("2주 뒤 차", 2 * 7 * 24 * 60),
        ("3일 후 차", 3 * 24 * 60),
    ] {
        assert_eq!(minutes(text), Some(expected), "{text}");
    }
}

#[test]
fn times_are_read_in_both_languages() {
    for (text, expected) in [
        ("15:30 go", 15 * 60 + 30),
        ("9am go", 9 * 60),
        ("9 am go", 9 * 60),
        ("at 3:30 pm go", 15 * 60 + 30),
        ("3:30pm go", 15 * 60 + 30),
        ("12am go", 0),
        ("12 pm go", 12 * 60),
        ("noon go", 12 * 60),
        ("9시 회의", 9 * 60),
        ("9시에 회의", 9 * 60),
        ("9시 반 회의", 9 * 60 + 30),
        ("9시30분 회의", 9 * 60 + 30),
        ("21시 15분에 회의", 21 * 60 + 15),
        ("오후 3시 회의", 15 * 60),
        ("오전 12시 회의", 0),
        ("오후 3:05 회의", 15 * 60 + 5),
    ] {
        assert_eq!(when(text), When::At(Day::Next, expected), "{text}");
        assert!(read(text).unwrap().1 == "go" || read(text).unwrap().1 == "회의", "{text}");
    }
}

#[test]
fn days_are_read_in_both_languages() {
    let nine = 9 * 60;
    for (text, expected) in [
        ("today 9:00 x", Day::In(0)),
        ("tomorrow at 9:00 x", Day::In(1)),
        ("내일 9시 x", Day::In(1)),
        ("모레 오전 9시에 x", Day::In(2)),
        ("on Friday 9am x", Day::Weekday(Weekday::Friday)),
        ("금요일 9시 x", Day::Weekday(Weekday::Friday)),
        ("2026-12-24 9:00 x", Day::Date(2026, 12, 24)),
        ("12월 24일 9시 x", Day::Month(12, 24)),
    ] {
        assert_eq!(read(text), Some((When::At(expected, nine), "x")), "{text}");
    }
}

#[test]
fn what_recurs_is_read_in_both_languages() {
    let nine = 9 * 60;
    for (text, expected) in [
        ("every day 9:00 x", Recurrence::Daily),
        ("daily at 9am x", Recurrence::Daily),
        ("every weekday 9:00 x", Recurrence::Workdays),
        ("every monday 9:00 x", Recurrence::Weekly(Weekday::Monday)),
        ("매일 9시 x", Recurrence::Daily),
        ("평일 9시 x", Recurrence::Workdays),
        ("매주 평일 9시 x", Recurrence::Workdays),
        ("매주 월요일 오전 9시 x", Recurrence::Weekly(Weekday::Monday)),
        ("월요일마다 9시 x", Recurrence::Weekly(Weekday::Monday)),
    ] {
        assert_eq!(read(text), Some((When::Every(expected, nine), "x")), "{text}");
    }
}

#[test]
fn the_text_is_kept_as_it_was_written() {
    assert_eq!(read("in 10m  two  spaces\nand a line "), Some((When::In(10), "two  spaces\nand a line")));
    assert_eq!(read("10분 뒤"), Some((When::In(10), "")));
    // What comes next is no part of the time.
    assert_eq!(read("15:30 30분 회의"), Some((When::At(Day::Next, 15 * 60 + 30), "30분 회의")));
    assert_eq!(read("in 10m 3 apples"), Some((When::In(10), "3 apples")));
}

#[test]
fn what_is_no_time_is_none() {
    for text in [
        "",
        "tea",
        "10 apples",
        "9 회의",
        "10분 회의",
        "25:00 x",
        "9:60 x",
        "13pm x",
        "0am x",
        "24시 x",
        "every x 9:00",
        "tomorrow",
        "매일",
        "in m",
        "in 99999999999m x",
        "in 4000000000w x",
        "2026-13 9:00",
        "7월 x 9시",
        "::",
        "é",
        "in",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}
