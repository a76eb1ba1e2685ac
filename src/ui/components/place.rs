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

/// Arrows lead from the tools of one message to those of another, Escape out of them.
pub fn walk_tools(event: &KeyboardEvent) {
    let Some(here) = document().active_element().filter(|element| element.class_list().contains("tool")) else {
        return;
    };
    let Ok(tools) = document().query_selector_all(".tools > :first-child") else { return };
    let at = |index: u32| tools.get(index).and_then(|tool| tool.dyn_into::<HtmlElement>().ok());
    let row = here.parent_node();
    let now = (0..tools.length()).find(|index| at(*index).and_then(|tool| tool.parent_node()) == row).unwrap_or(0);
    let next = match event.key().as_str() {
        "ArrowUp" => at(now.wrapping_sub(1)),
        "ArrowDown" => at(now + 1),
        "Escape" => return focus(".scroller"),
        _ => return,
    };
    event.prevent_default();
    if let Some(next) = next {
        let _ = next.focus();
    }
}

fn find(selector: &str) -> Option<HtmlElement> {
    document().query_selector(selector).ok().flatten()?.dyn_into().ok()
}
