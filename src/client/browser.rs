//! Small questions to the browser: what time is it, is the page seen, a random number. Never called
//! while rendering on the server.

use super::backoff::Jitter;
use crate::domain::Key;
use js_sys::Promise;
use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::EventTarget;

/// Milliseconds that a browser may take to read or write a little.
const SETTLED_WITHIN_MS: i32 = 4_000;

/// Unix milliseconds by the reader's clock.
pub fn now_ms() -> i64 {
    js_sys::Date::now() as i64
}

/// Minutes east of UTC, where the browser is, at that instant.
pub fn utc_offset_min_at(at_ms: i64) -> i32 {
    let date = js_sys::Date::new(&JsValue::from_f64(at_ms as f64));
    -(date.get_timezone_offset() as i32)
}

/// The browser's time zone by its IANA name.
pub fn zone_name() -> String {
    let format = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &js_sys::Object::new());
    let zone = js_sys::Reflect::get(&format.resolved_options(), &"timeZone".into());
    zone.ok().and_then(|zone| zone.as_string()).unwrap_or_else(|| "UTC".to_owned())
}

/// Whether the page is in front of somebody.
pub fn is_visible() -> bool {
    document().visibility_state() == web_sys::VisibilityState::Visible
}

/// Completes after `delay_ms`, or later when the browser slows a hidden page down. Dropping it is
/// enough to forget it.
pub async fn sleep_ms(delay_ms: u32) {
    let delay_ms = i32::try_from(delay_ms).unwrap_or(i32::MAX);
    let timeout = Promise::new(&mut |resolve, _| {
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, delay_ms);
    });
    let _ = JsFuture::from(timeout).await;
}

/// Completes when the target tells of `event`, or fails when it tells of an error, or of nothing within
/// [`SETTLED_WITHIN_MS`].
pub async fn settled(target: &EventTarget, event: &str) -> Result<(), JsValue> {
    let told = Promise::new(&mut |resolve, reject| {
        for (event, told) in [(event, &resolve), ("error", &reject), ("abort", &reject)] {
            let _ = target.add_event_listener_with_callback(event, told);
        }
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&reject, SETTLED_WITHIN_MS);
    });
    JsFuture::from(told).await.map(drop)
}

/// What this origin keeps as text, where the browser allows it.
pub fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

pub fn jitter() -> Jitter {
    let [high, low] = random();
    Jitter(u16::from_be_bytes([high, low]))
}

/// A fresh idempotency key. (`crypto.randomUUID` is missing on plain http.)
pub fn random_key() -> Key {
    Key::from_random(random())
}

/// Tells the server, for the next page it renders, how far east of UTC the reader is.
pub fn remember_utc_offset(utc_offset_min: i32) {
    let document: web_sys::HtmlDocument = document().unchecked_into();
    let _ = document.set_cookie(&format!("tz_offset={utc_offset_min}; Path=/; Max-Age=31536000; SameSite=Lax"));
}

/// Leaves the app for the sign-in page, which leads back to where the reader is.
pub fn go_to_sign_in() {
    let location = window().location();
    let here = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
    let next = String::from(js_sys::encode_uri_component(&here));
    let _ = location.assign(&format!("/sign-in?next={next}"));
}

/// `ws` or `wss` address of `path` on this page's own host.
pub fn socket_url(path: &str) -> String {
    let location = window().location();
    let scheme = if location.protocol().is_ok_and(|protocol| protocol == "https:") { "wss" } else { "ws" };
    format!("{scheme}://{}{path}", location.host().unwrap_or_default())
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let filled = window().crypto().and_then(|crypto| crypto.get_random_values_with_u8_array(&mut bytes));
    if filled.is_err() {
        // No browser that runs WASM lacks it; still, a key must not be all zeros.
        bytes = std::array::from_fn(|_| (js_sys::Math::random() * 256.0) as u8);
    }
    bytes
}
