//! In which language and zone a request is answered.

use super::cookie::read_cookie;
use crate::i18n::Locale;
use axum::http::{HeaderMap, header};

/// The cookie that keeps the choice of a reader without an account.
pub const LOCALE_COOKIE: &str = "locale";

/// The cookie in which the browser tells its zone, in minutes east of UTC.
const ZONE_COOKIE: &str = "tz_offset";

/// Zones lie within fourteen hours of UTC.
const MAX_OFFSET_MIN: i32 = 14 * 60;

/// How the reader of a request wants to be spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader {
    pub locale: Locale,
    /// Minutes east of UTC, from the `tz_offset` cookie; 0 when unknown.
    pub utc_offset_min: i32,
}

impl Reader {
    /// `chosen` is the account's own setting; without it the `locale` cookie decides, then
    /// `Accept-Language`, then English.
    pub fn of(chosen: Option<Locale>, headers: &HeaderMap) -> Reader {
        let locale = chosen
            .or_else(|| read_cookie(headers, LOCALE_COOKIE).and_then(locale_of_tag))
            .or_else(|| headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok().and_then(preferred))
            .unwrap_or(Locale::En);
        Reader { locale, utc_offset_min: utc_offset_min(headers).unwrap_or(0) }
    }
}

fn utc_offset_min(headers: &HeaderMap) -> Option<i32> {
    let minutes: i32 = read_cookie(headers, ZONE_COOKIE)?.parse().ok()?;
    (-MAX_OFFSET_MIN..=MAX_OFFSET_MIN).contains(&minutes).then_some(minutes)
}

/// The language of a tag such as `ko-KR`.
pub fn locale_of_tag(tag: &str) -> Option<Locale> {
    let language = tag.split('-').next().unwrap_or(tag).trim();
    match language {
        _ if language.eq_ignore_ascii_case("ko") => Some(Locale::Ko),
        _ if language.eq_ignore_ascii_case("en") => Some(Locale::En),
        _ => None,
    }
}

/// The best of `Accept-Language` (RFC 9110 §12.5.4); of equal ones the first.
fn preferred(accept: &str) -> Option<Locale> {
    let mut best: Option<(f32, Locale)> = None;
    for range in accept.split(',') {
        let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
        let weight: f32 = weight.trim().strip_prefix("q=").and_then(|q| q.parse().ok()).unwrap_or(0.0);
        let Some(locale) = locale_of_tag(tag.trim()) else { continue };
        if weight > best.map_or(0.0, |(weight, _)| weight) {
            best = Some((weight, locale));
        }
    }
    best.map(|(_, locale)| locale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(accept: &'static str, cookie: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(accept));
        headers.insert(header::COOKIE, HeaderValue::from_static(cookie));
        headers
    }

    #[test]
    fn the_heaviest_known_language_wins() {
        assert_eq!(preferred("ko-KR,ko;q=0.9,en;q=0.8"), Some(Locale::Ko));
        assert_eq!(preferred("ja, en;q=0.5, ko;q=0.7"), Some(Locale::Ko));
        assert_eq!(preferred("en, ko"), Some(Locale::En));
        assert_eq!(preferred("ko;q=0"), None);
        assert_eq!(preferred("fr;q=x, *"), None);
    }

    #[test]
    fn setting_beats_cookie_beats_header_beats_english() {
        let all = headers("ko", "locale=en");
        assert_eq!(Reader::of(Some(Locale::Ko), &all).locale, Locale::Ko);
        assert_eq!(Reader::of(None, &all).locale, Locale::En);
        assert_eq!(Reader::of(None, &headers("ko", "locale=xx")).locale, Locale::Ko);
        assert_eq!(Reader::of(None, &HeaderMap::new()).locale, Locale::En);
    }

    #[test]
    fn a_zone_out_of_this_world_is_utc() {
        let offset = |cookie| Reader::of(None, &headers("", cookie)).utc_offset_min;
        assert_eq!(offset("tz_offset=540"), 540);
        assert_eq!(offset("tz_offset=-840"), -840);
        assert_eq!(offset("tz_offset=841"), 0);
        assert_eq!(offset("tz_offset=x"), 0);
    }
}
