//! Where a form leads.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::fmt::Write;

/// 303 to a path of this site, which may have characters that a header may not.
pub(in crate::server) fn see_other(path: &str) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match HeaderValue::from_str(&encoded(path)) {
        Ok(location) => headers.insert(header::LOCATION, location),
        Err(_) => headers.insert(header::LOCATION, HeaderValue::from_static("/")),
    };
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// Also sets (or takes away) a cookie.
pub(super) fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// `next` where it is a path of this site. Browsers read `//host` and `/\host` as another site,
/// and skip control characters.
pub(super) fn local_path(next: &str) -> Option<&str> {
    let local = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\']);
    (local && !next.chars().any(char::is_control)).then_some(next)
}

/// The sign-in page, which leads back to `path` (as it stands in a request) afterwards.
pub(in crate::server) fn sign_in_path(path: &str) -> String {
    let quoted = path.replace('%', "%25").replace('&', "%26").replace('+', "%2B").replace('#', "%23");
    format!("/sign-in?next={quoted}")
}

/// The address of a room.
pub(in crate::server) fn room_path(slug: &str) -> String {
    format!("/rooms/{slug}")
}

/// Blanks and what is not ASCII, percent-encoded.
fn encoded(path: &str) -> String {
    path.bytes().fold(String::with_capacity(path.len()), |mut encoded, byte| {
        if byte.is_ascii_graphic() {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_followed() {
        for own in ["/", "/rooms/general?x=1#y", "/rooms/점심"] {
            assert_eq!(local_path(own), Some(own));
        }
        for foreign in ["", "rooms", "//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example"] {
            assert_eq!(local_path(foreign), None, "{foreign:?}");
        }
    }

    #[test]
    fn signing_in_leads_back_to_the_very_path() {
        assert_eq!(sign_in_path("/rooms/%EC%A0%90?a=1&b=2"), "/sign-in?next=/rooms/%25EC%25A0%2590?a=1%26b=2");
    }

    #[test]
    fn hangul_in_a_path_survives_the_header() {
        let response = see_other("/rooms/점심");
        assert_eq!(response.headers()[header::LOCATION], "/rooms/%EC%A0%90%EC%8B%AC");
    }
}
