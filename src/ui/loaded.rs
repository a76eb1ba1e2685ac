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
    /// The question that the answer which is there is to.
    answered: StoredValue<u32>,
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
        let (last, answered) = (StoredValue::new(0), StoredValue::new(0));
        let loaded = Loaded { answer: RwSignal::new(first), asked: RwSignal::new(0), last, answered };
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
        memo(move || self.answer.with(of))
    }

    /// How far it is, while its page is there.
    pub fn try_progress(self) -> Option<Progress> {
        self.answer.try_with_untracked(of)
    }

    /// Reads what is there, if it is, and follows it.
    pub fn read<R>(self, read: impl FnOnce(&T) -> R) -> Option<R> {
        self.answer.with(|answer| answer.as_ref()?.as_ref().ok().map(read))
    }

    /// Asks again, for the same.
    pub fn refetch(self) {
        self.asked.update(|asked| *asked += 1);
    }

    /// Asks again unless that is under way, for as long as the page is there, which this tells.
    pub fn freshen(self) -> bool {
        let settled = self.last.try_get_value().map(|last| self.answered.try_get_value() == Some(last));
        if settled == Some(true) {
            self.refetch();
        }
        settled.is_some()
    }

    fn ask(self, answer: Pin<Box<dyn Future<Output = Result<T, ErrorBody>>>>) {
        let number = self.last.with_value(|last| last + 1);
        self.last.set_value(number);
        spawn_local(async move {
            let answer = answer.await;
            // A page that is gone wants no answer any more.
            if self.last.try_get_value() == Some(number) {
                self.answered.try_set_value(number);
                self.answer.try_set(Some(answer));
            }
        });
    }
}

fn of<T>(answer: &Option<Result<T, ErrorBody>>) -> Progress {
    match answer {
        None => Progress::Waiting,
        Some(Ok(_)) => Progress::Here,
        Some(Err(error)) => Progress::Failed(error.code),
    }
}
