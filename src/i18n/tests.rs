use super::*;
use crate::domain::CivilTime;
use crate::protocol::ErrorCode;

/// A value to fill into a text.
pub trait Sample {
    fn sample() -> Self;
}

impl Sample for &str {
    fn sample() -> Self {
        "한빛"
    }
}

impl Sample for u32 {
    fn sample() -> Self {
        3
    }
}

impl Sample for CivilTime {
    fn sample() -> Self {
        CivilTime::at(1_763_800_000_000, 0)
    }
}

fn every_text(locale: Locale) -> Vec<(&'static str, String)> {
    let texts = locale.texts();
    let groups = [
        texts.common.all(),
        texts.plain.all(),
        texts.rooms.all(),
        texts.talk.all(),
        texts.people.all(),
        locale.hooks().all(),
        texts.settings.all(),
        texts.tasks.all(),
        texts.slash.all(),
        texts.later.all(),
        texts.link.all(),
        texts.dates.all(),
        ErrorCode::ALL.map(|code| (code.as_str(), (texts.error)(code))).to_vec(),
    ];
    groups.concat()
}

fn has_hangul(text: &str) -> bool {
    text.chars().any(|c| ('가'..='힣').contains(&c))
}

#[test]
fn no_text_is_empty_or_shouts() {
    for (name, text) in Locale::ALL.into_iter().flat_map(every_text) {
        assert!(!text.trim().is_empty(), "{name} is empty");
        assert!(!text.contains('!'), "{name} shouts: {text}");
        assert_eq!(text.trim(), text, "{name} has blanks around it");
    }
}

#[test]
fn korean_is_korean_and_english_is_not() {
    for (name, text) in every_text(Locale::Ko) {
        assert!(has_hangul(&text), "{name}: {text}");
    }
    for (name, text) in every_text(Locale::En) {
        assert!(!has_hangul(&text.replace("한빛", "")), "{name}: {text}");
    }
}

#[test]
fn every_error_has_words_of_its_own_kind() {
    for locale in Locale::ALL {
        let say = locale.texts().error;
        assert_ne!(say(ErrorCode::NameTaken), say(ErrorCode::NameEmpty));
        assert!(say(ErrorCode::PasswordTooShort).contains('8'));
    }
}

#[test]
fn values_stand_in_their_texts() {
    for locale in Locale::ALL {
        let texts = locale.texts();
        assert!((texts.rooms.unread)(7).contains('7'));
        assert!((texts.rooms.unread)(100).contains("99"));
        assert!((texts.talk.renamed)("민아", "공지").contains("공지"));
        assert!((texts.people.used)(2, 5).contains('2'));
        assert!((texts.tasks.lasted)(3_725).contains('2'));
        assert_eq!((texts.tasks.kind)("sweep"), "sweep");
        assert!((texts.tasks.failure)("out_of_paper").contains("out_of_paper"));
    }
}

#[test]
fn the_browser_language_is_the_one_it_likes_best() {
    let chosen = |header| Locale::from_accept_language(header);
    assert_eq!(chosen("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7"), Locale::Ko);
    assert_eq!(chosen("en-GB,en;q=0.9,ko;q=0.8"), Locale::En);
    assert_eq!(chosen("fr-FR, ko;q=0.5, en;q=0.4"), Locale::Ko);
    assert_eq!(chosen("en;q=0.3,KO;q=0.31"), Locale::Ko);
    assert_eq!(chosen("ko;q=0"), Locale::En);
    assert_eq!(chosen(""), Locale::En);
    assert_eq!(chosen(";q=,,=;q=x.y,ja"), Locale::En);
}

#[test]
fn tags_come_back() {
    for locale in Locale::ALL {
        assert_eq!(Locale::from_tag(locale.tag()), Some(locale));
    }
    assert_eq!(Locale::from_tag("ko-KR"), None);
}

const SEOUL: i32 = 9 * 60;
const SUNDAY_EVENING: i64 = 1_795_373_130_000; // 2026-11-22 18:45:30 UTC
const HOUR: i64 = 3_600_000;

#[test]
fn days_have_names_seen_from_now() {
    let day = |locale: Locale, at, offset| locale.day(at, offset, SUNDAY_EVENING);
    assert_eq!(day(Locale::Ko, SUNDAY_EVENING, 0), "오늘");
    assert_eq!(day(Locale::En, SUNDAY_EVENING - 24 * HOUR, 0), "Yesterday");
    assert_eq!(day(Locale::Ko, SUNDAY_EVENING - 48 * HOUR, 0), "11월 20일 금요일");
    assert_eq!(day(Locale::En, SUNDAY_EVENING - 48 * HOUR, 0), "Friday, November 20");
    assert_eq!(day(Locale::En, SUNDAY_EVENING - 8_760 * HOUR, 0), "Saturday, November 22, 2025");
    // In Seoul it is Monday already, so four hours before was Sunday.
    assert_eq!(day(Locale::Ko, SUNDAY_EVENING - 4 * HOUR, SEOUL), "어제");
}

#[test]
fn times_follow_the_offset() {
    assert_eq!(Locale::Ko.time(SUNDAY_EVENING, 0), "오후 6:45");
    assert_eq!(Locale::Ko.time(SUNDAY_EVENING, SEOUL), "오전 3:45");
    assert_eq!(Locale::En.time(SUNDAY_EVENING - 6 * HOUR, 0), "12:45 PM");
    assert_eq!(Locale::En.time(SUNDAY_EVENING - 18 * HOUR, 0), "12:45 AM");
    assert_eq!(Locale::Ko.moment(SUNDAY_EVENING, SEOUL), "2026년 11월 23일 월요일 오전 3:45");
    assert_eq!(Locale::datetime(SUNDAY_EVENING), "2026-11-22T18:45:30Z");
}
