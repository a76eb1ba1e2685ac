use crate::api::AppStart;
use crate::domain::Role;
use crate::i18n::{Catalogue, Locale};
use leptos::prelude::*;
use std::sync::Arc;

/// Who reads this page and in which language. Fixed while the page is open: changing the language
/// loads it anew.
#[derive(Clone)]
pub struct Reader {
    pub start: Arc<AppStart>,
}

impl Reader {
    pub fn provide(start: AppStart) -> Reader {
        let reader = Reader { start: Arc::new(start) };
        provide_context(reader.clone());
        reader
    }

    /// Of the pages inside the app; they stand under the component that provides it.
    pub fn expect() -> Reader {
        expect_context()
    }

    pub fn locale(&self) -> Locale {
        self.start.locale
    }

    pub fn texts(&self) -> &'static Catalogue {
        self.start.locale.texts()
    }

    pub fn is_me(&self, user: i64) -> bool {
        self.start.me.id == user
    }

    pub fn is_owner(&self) -> bool {
        self.start.me.role == Role::Owner
    }
}

/// The texts in the reader's language.
pub fn texts() -> &'static Catalogue {
    Reader::expect().texts()
}
