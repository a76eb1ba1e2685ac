//! Small requests to the browser, made from event handlers and effects only. Where the browser
//! refuses one there is nothing better to do, so refusals pass silently.

use leptos::prelude::{document, window};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// Copies what is selected. `false` when the browser refuses.
pub fn copy_selection() -> bool {
    let document: web_sys::HtmlDocument = document().unchecked_into();
    document.exec_command("copy").unwrap_or(false)
}

/// Where the reader is, without the part after `#`.
pub fn path() -> String {
    window().location().pathname().unwrap_or_default()
}

/// One step back in the history of this tab.
pub fn go_back() {
    if let Ok(history) = window().history() {
        let _ = history.back();
    }
}

/// Loads the page anew.
pub fn reload() {
    let _ = window().location().reload();
}

/// Whether this is a device where one points with a finger and the keyboard is on the screen.
pub fn is_touch() -> bool {
    let query = window().match_media("(hover: none) and (pointer: coarse)");
    query.ok().flatten().is_some_and(|query| query.matches())
}

pub fn is_there(selector: &str) -> bool {
    find(selector).is_some()
}

/// Whether there is such an element and it takes part in the layout.
pub fn is_shown(selector: &str) -> bool {
    find(selector).is_some_and(|element| element.offset_width() > 0)
}

pub fn focus(selector: &str) {
    if let Some(element) = find(selector) {
        let _ = element.focus();
    }
}

fn find(selector: &str) -> Option<HtmlElement> {
    document().query_selector(selector).ok().flatten()?.dyn_into().ok()
}
