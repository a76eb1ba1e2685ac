//! A database of the browser for each account, so that nobody sees or sends another's commands.
//!
//! IndexedDB and not `localStorage`: Chromium writes the latter to disk seconds later, and whatever
//! was written in those seconds is gone when the browser is killed. With `durability: "strict"` a
//! write is complete only once it is on disk (W3C Indexed Database API 3.0, § 4.10).

use super::super::browser::settled;
use crate::domain::UserId;
use js_sys::{Array, JSON};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::EventTarget;

/// The browser does not keep anything: private mode, no room, or too old.
pub struct Refused;

impl From<JsValue> for Refused {
    fn from(_: JsValue) -> Refused {
        Refused
    }
}

/// One account's records, by idempotency key.
pub struct Database {
    handle: Handle,
    is_new: Rc<Cell<bool>>,
}

const STORE: &str = "commands";

impl Database {
    pub async fn open(account: UserId) -> Result<Database, Refused> {
        let request = indexed_db()?.open(&format!("outbox-{}", account.0), 1)?;
        let opening = request.clone();
        let is_new = Rc::new(Cell::new(false));
        let made = Rc::clone(&is_new);
        // Dropped when the browser answers too late: then its call throws, the browser undoes the upgrade, and the
        // next opening prepares the database.
        let prepare: Closure<dyn FnMut()> = Closure::new(move || {
            made.set(true);
            // A database that cannot be prepared does not open.
            let _ = opening.result().map(|database| database.unchecked_into::<Handle>().create_object_store(STORE));
        });
        request.add_event_listener_with_callback("upgradeneeded", prepare.as_ref().unchecked_ref())?;
        settled(&request, "success").await?;
        Ok(Database { handle: request.result()?.unchecked_into(), is_new })
    }

    /// Whether there was none when it was opened.
    pub fn is_new(&self) -> bool {
        self.is_new.get()
    }

    /// All records, in no particular order.
    pub async fn all(&self) -> Result<Vec<String>, Refused> {
        let request =
            self.handle.transaction(STORE, "readonly", &JsValue::UNDEFINED)?.object_store(STORE)?.get_all()?;
        settled(&request, "success").await?;
        let records: Array = request.result()?.unchecked_into();
        Ok(records.iter().filter_map(|record| record.as_string()).collect())
    }

    /// Writes the record, or removes it without one, if what is there begins with `over`: another tab
    /// may have changed or removed it. Whether it did; completes when that is on disk. What tabs do
    /// happens one after the other.
    pub async fn write(&self, key: &str, over: Option<&str>, record: Option<&str>) -> Result<bool, Refused> {
        let transaction = self.handle.transaction(STORE, "readwrite", &JSON::parse(r#"{"durability":"strict"}"#)?)?;
        let store = transaction.object_store(STORE)?;
        if let Some(over) = over {
            let request = store.get(key)?;
            settled(&request, "success").await?;
            if !request.result()?.as_string().is_some_and(|there| there.starts_with(over)) {
                return Ok(false);
            }
        }
        match record {
            Some(record) => store.put(record, key)?,
            None => store.delete(key)?,
        };
        settled(&transaction, "complete").await?;
        Ok(true)
    }
}

fn indexed_db() -> Result<Factory, Refused> {
    let window: Scope = leptos::prelude::window().unchecked_into();
    window.indexed_db().ok().flatten().ok_or(Refused)
}

// By hand, since web-sys has more of it than a first visit should load.
#[wasm_bindgen]
extern "C" {
    type Scope;
    #[wasm_bindgen(method, getter, catch, js_name = indexedDB)]
    fn indexed_db(this: &Scope) -> Result<Option<Factory>, JsValue>;

    type Factory;
    #[wasm_bindgen(method, catch)]
    fn open(this: &Factory, name: &str, version: u32) -> Result<Request, JsValue>;

    #[wasm_bindgen(extends = EventTarget)]
    #[derive(Clone)]
    type Request;
    #[wasm_bindgen(method, getter, catch)]
    fn result(this: &Request) -> Result<JsValue, JsValue>;

    type Handle;
    #[wasm_bindgen(method, catch, js_name = createObjectStore)]
    fn create_object_store(this: &Handle, name: &str) -> Result<Store, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn transaction(this: &Handle, store: &str, mode: &str, options: &JsValue) -> Result<Transaction, JsValue>;

    #[wasm_bindgen(extends = EventTarget)]
    type Transaction;
    #[wasm_bindgen(method, catch, js_name = objectStore)]
    fn object_store(this: &Transaction, name: &str) -> Result<Store, JsValue>;

    type Store;
    #[wasm_bindgen(method, catch)]
    fn put(this: &Store, value: &str, key: &str) -> Result<Request, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn get(this: &Store, key: &str) -> Result<Request, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn delete(this: &Store, key: &str) -> Result<Request, JsValue>;
    #[wasm_bindgen(method, catch, js_name = getAll)]
    fn get_all(this: &Store) -> Result<Request, JsValue>;
}
