//! Which tab sends an unsent command: the one that wrote it, as long as it is there. Another one takes
//! it over when its owner is gone, with the same key, so that a race between them does nothing twice.
//!
//! A tab shows that it is there by holding a Web Lock (W3C Web Locks API), which the browser lets go
//! when the tab ends in whatever way. Over plain http browsers have no locks: there a tab writes down
//! from time to time that it is there. Only while it has something to send: a page with a lock
//! does not go into the back/forward cache.

use super::super::browser::{now_ms, random_key, storage};
use js_sys::{Function, JSON, Promise};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Milliseconds after which a tab that wrote nothing down is gone: timers of hidden pages run once a
/// minute.
const GONE_AFTER_MS: i64 = 150_000;

/// This tab, from its loading to its end.
pub struct Tab {
    name: String,
    /// Lets the lock go.
    hold: Option<Function>,
}

impl Tab {
    pub fn new() -> Tab {
        Tab { name: format!("tab-{}", random_key().as_str()), hold: None }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Others leave this tab's commands to it from now on. To be called again within
    /// [`GONE_AFTER_MS`].
    pub fn stay(&mut self) {
        match locks() {
            Some(locks) if self.hold.is_none() => {
                let held = Promise::new(&mut |release, _| self.hold = Some(release));
                let granted = Closure::once_into_js(move || held);
                // Refused where the page is not shown any more; then others may as well take over.
                let _ = locks.request(&self.name, granted.unchecked_ref());
            }
            Some(_) => {}
            None => {
                let _ = storage().map(|storage| storage.set_item(&self.name, &now_ms().to_string()));
            }
        }
    }

    /// There is nothing to send, or nobody to send it.
    pub fn go(&mut self) {
        if let Some(release) = self.hold.take() {
            let _ = release.call0(&JsValue::NULL);
        } else if let Some(storage) = storage() {
            let _ = storage.remove_item(&self.name);
        }
    }

    /// Those of `owners` that are not there any more.
    pub async fn gone(&self, owners: Vec<String>) -> Vec<String> {
        let held = match locks() {
            Some(locks) => JsFuture::from(locks.query()).await.and_then(|held| JSON::stringify(&held)),
            None => Ok(Default::default()),
        };
        let held = held.map(String::from).unwrap_or_default();
        let is_there = |owner: &str| held.contains(owner) || is_noted(owner);
        owners.into_iter().filter(|owner| *owner != self.name && !is_there(owner)).collect()
    }
}

fn is_noted(owner: &str) -> bool {
    let noted = storage().and_then(|storage| storage.get_item(owner).ok().flatten());
    noted.and_then(|at| at.parse().ok()).is_some_and(|at: i64| now_ms() - at < GONE_AFTER_MS)
}

fn locks() -> Option<LockManager> {
    let navigator: Navigator = leptos::prelude::window().navigator().unchecked_into();
    navigator.locks()
}

#[wasm_bindgen]
extern "C" {
    type Navigator;
    #[wasm_bindgen(method, getter)]
    fn locks(this: &Navigator) -> Option<LockManager>;

    type LockManager;
    #[wasm_bindgen(method)]
    fn request(this: &LockManager, name: &str, granted: &Function) -> Promise;
    #[wasm_bindgen(method)]
    fn query(this: &LockManager) -> Promise;
}
