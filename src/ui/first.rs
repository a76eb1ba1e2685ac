use crate::api::{AppStart, FirstPage, Place};
use crate::protocol::{ErrorBody, ErrorCode};
use leptos::prelude::*;

/// What the server loaded for the page that is hydrated. Each page takes its part once: whoever
/// comes back to it later gets it fresh.
#[derive(Clone, Copy)]
pub struct First(StoredValue<Option<FirstPage>>);

impl First {
    /// On the server from context, in the browser from what came with the page.
    pub fn provide() {
        let page = SharedValue::new(use_context::<FirstPage>).into_inner();
        provide_context(First(StoredValue::new(page)));
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
