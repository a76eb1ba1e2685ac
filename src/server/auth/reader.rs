//! In which language and zone a request is answered.

use super::cookie::{LOCALE_COOKIE, read_cookie};
use crate::i18n::Locale;
use axum::http::{HeaderMap, header};

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
            .or_else(|| read_cookie(headers, LOCALE_COOKIE).and_then(Locale::from_tag))
            .or_else(|| headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok().map(Locale::from_accept_language))
            .unwrap_or(Locale::En);
        Reader { locale, utc_offset_min: utc_offset_min(headers).unwrap_or(0) }
    }
}

fn utc_offset_min(headers: &HeaderMap) -> Option<i32> {
    let minutes: i32 = read_cookie(headers, ZONE_COOKIE)?.parse().ok()?;
    (-MAX_OFFSET_MIN..=MAX_OFFSET_MIN).contains(&minutes).then_some(minutes)
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
