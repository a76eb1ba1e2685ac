//! Small requests to the browser, made from event handlers and effects only. Where the browser
//! refuses one there is nothing better to do, so refusals pass silently.

use leptos::prelude::{document, window};
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

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

/// Up and down lead from the tools of one message to the first that is shown of another, left and
/// right round those of one message, Escape out of them. Each message has the same three.
pub fn walk_tools(event: &KeyboardEvent) {
    let Ok(tools) = document().query_selector_all(".tool") else { return };
    let at = |index: u32| tools.get(index).and_then(|tool| tool.dyn_into::<HtmlElement>().ok());
    let here = document().active_element();
    let Some(now) = (0..tools.length()).find(|index| at(*index).as_deref() == here.as_ref()) else { return };
    let (before, after) = ((now + 2) % 3, (now + 1) % 3);
    let row = now - now % 3;
    let wanted = match event.key().as_str() {
        "ArrowUp" => [row.wrapping_sub(3), row.wrapping_sub(2), row.wrapping_sub(1)],
        "ArrowDown" => [row + 3, row + 4, row + 5],
        "ArrowLeft" => [row + before, row + after, now],
        "ArrowRight" => [row + after, row + before, now],
        "Escape" => return focus(".scroller"),
        _ => return,
    };
    event.prevent_default();
    if let Some(next) = wanted.into_iter().filter_map(at).find(|tool| tool.offset_width() > 0) {
        let _ = next.focus();
    }
}

fn find(selector: &str) -> Option<HtmlElement> {
    document().query_selector(selector).ok().flatten()?.dyn_into().ok()
}
