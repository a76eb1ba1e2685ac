use crate::protocol::{ErrorBody, ErrorCode};
use crate::ui::live::memo;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::future::Future;
use std::pin::Pin;

/// Something a page shows that comes from the server: there at once when the page brought it,
/// fetched in the browser otherwise. An answer stays until a newer one replaces it; when something
/// else is wanted (another key) it goes at once.
pub struct Loaded<T: Send + Sync + 'static> {
    answer: RwSignal<Option<Result<T, ErrorBody>>>,
    asked: RwSignal<u32>,
    /// Counts the questions: only the answer to the last one counts.
    last: StoredValue<u32>,
}

/// How far it has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    Waiting,
    Here,
    Failed(ErrorCode),
}

impl<T: Send + Sync + 'static> Clone for Loaded<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Loaded<T> {}

impl<T: Clone + Send + Sync + 'static> Loaded<T> {
    /// `first` answers the first key.
    pub fn new<K, F>(
        first: Option<Result<T, ErrorBody>>,
        key: impl Fn() -> K + 'static,
        fetch: impl Fn(K) -> F + 'static,
    ) -> Loaded<T>
    where
        K: Clone + PartialEq + 'static,
        F: Future<Output = Result<T, ErrorBody>> + 'static,
    {
        let brought = first.is_some();
        let loaded = Loaded { answer: RwSignal::new(first), asked: RwSignal::new(0), last: StoredValue::new(0) };
        Effect::new(move |before: Option<(K, u32)>| {
            let now = (key(), loaded.asked.get());
            match before {
                None if brought => return now,
                Some(before) if before.0 != now.0 => loaded.answer.set(None),
                _ => {}
            }
            loaded.ask(Box::pin(fetch(now.0.clone())));
            now
        });
        loaded
    }

    pub fn get(self) -> Option<Result<T, ErrorBody>> {
        self.answer.get()
    }

    pub fn progress(self) -> Memo<Progress> {
        memo(move || {
            self.answer.with(|answer| match answer {
                None => Progress::Waiting,
                Some(Ok(_)) => Progress::Here,
                Some(Err(error)) => Progress::Failed(error.code),
            })
        })
    }

    /// Reads what is there, if it is, and follows it.
    pub fn read<R>(self, read: impl FnOnce(&T) -> R) -> Option<R> {
        self.answer.with(|answer| answer.as_ref()?.as_ref().ok().map(read))
    }

    /// Asks again, for the same.
    pub fn refetch(self) {
        self.asked.update(|asked| *asked += 1);
    }

    fn ask(self, answer: Pin<Box<dyn Future<Output = Result<T, ErrorBody>>>>) {
        let number = self.last.with_value(|last| last + 1);
        self.last.set_value(number);
        spawn_local(async move {
            let answer = answer.await;
            // A page that is gone wants no answer any more.
            if self.last.try_get_value() == Some(number) {
                self.answer.try_set(Some(answer));
            }
        });
    }
}
