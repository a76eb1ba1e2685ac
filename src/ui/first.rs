use super::title;
use crate::api::{AppStart, FirstPage, Place};
use crate::protocol::{ErrorBody, ErrorCode, json};
use leptos::prelude::*;
use std::sync::Arc;

/// A page's data on its way into the page: as the server renders from it, and as the browser reads it.
#[derive(Clone)]
pub struct SentPage {
    page: FirstPage,
    json: Arc<str>,
    title: Option<String>,
}

impl SentPage {
    /// For the address `path`.
    pub fn new(page: FirstPage, path: &str) -> Result<SentPage, serde_json::Error> {
        let json = serde_json::to_string(&page)?.into();
        let title = title::of_document(&page, path);
        Ok(SentPage { page, json, title })
    }
}

/// What the server loaded for the page that is hydrated. Each page takes its part once: whoever
/// comes back to it later gets it fresh.
#[derive(Clone, Copy)]
pub struct First(StoredValue<Option<FirstPage>>);

impl First {
    /// On the server from context, in the browser from what came with the page.
    pub fn provide() {
        let sent = use_context::<SentPage>();
        let sent_json = SharedValue::new_str(|| sent.as_ref().map(|sent| sent.json.to_string()).unwrap_or_default());
        let page = match sent {
            Some(sent) => Some(sent.page),
            None => json::read(&sent_json.into_inner()).ok(),
        };
        provide_context(First(StoredValue::new(page)));
    }

    /// The language of the document, on the server: without a reader there is none.
    pub fn language() -> Option<&'static str> {
        let sent = use_context::<SentPage>()?;
        sent.page.app.ok().map(|app| app.locale.tag())
    }

    /// The title of the document, on the server.
    pub fn title() -> Option<String> {
        use_context::<SentPage>()?.title
    }

    pub fn app() -> Result<AppStart, ErrorBody> {
        let First(page) = expect_context();
        page.with_value(|page| page.as_ref().map(|page| page.app.clone()))
            .unwrap_or_else(|| Err(ErrorCode::Internal.into()))
    }

    /// The place, if it is one that `wanted` knows.
    pub fn take<T>(wanted: impl FnOnce(&Place) -> Option<T>) -> Option<T> {
        let First(page) = expect_context();
        page.try_update_value(|page| {
            let page = page.as_mut()?;
            let found = wanted(&page.place)?;
            page.place = Place::Plain;
            Some(found)
        })
        .flatten()
    }
}
