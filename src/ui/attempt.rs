use crate::client::{now_ms, random_key};
use crate::protocol::{ErrorBody, ErrorCode};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::future::Future;
use std::pin::Pin;

/// Milliseconds after a try in which the same again is the same try.
const SAME_TRY_MS: i64 = 60_000;

type Work<T> = Pin<Box<dyn Future<Output = Result<T, ErrorBody>>>>;

/// Something the reader asked the server to do: whether it is under way, and how it ended.
pub struct Attempt<T: Send + Sync + 'static> {
    answer: RwSignal<Option<Result<T, ErrorBody>>>,
    under_way: RwSignal<bool>,
    /// What was meant last, its key, and when it was tried.
    meant: StoredValue<Option<(String, String, i64)>>,
}

impl<T: Send + Sync + 'static> Clone for Attempt<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Attempt<T> {}

impl<T: Clone + Send + Sync + 'static> Attempt<T> {
    pub fn new() -> Attempt<T> {
        Attempt { answer: RwSignal::new(None), under_way: RwSignal::new(false), meant: StoredValue::new(None) }
    }

    /// Begins, unless the last one is still under way. When it has worked and the page is still
    /// there, `then` follows.
    pub fn begin(self, work: impl Future<Output = Result<T, ErrorBody>> + 'static, then: impl FnOnce(T) + 'static) {
        if !self.under_way.get_untracked() {
            self.under_way.set(true);
            spawn_local(self.see_through(Box::pin(work), Box::new(then)));
        }
    }

    /// Like [`begin`](Attempt::begin), for a change: as long as the same is `meant` and has not worked,
    /// trying again soon gets the same idempotency key, and cannot do it twice. Later it may be meant
    /// anew: whoever left a room without being told can have joined again.
    pub fn begin_change<F>(self, meant: String, work: impl FnOnce(String) -> F, then: impl FnOnce(T) + 'static)
    where
        F: Future<Output = Result<T, ErrorBody>> + 'static,
    {
        if !self.under_way.get_untracked() {
            self.begin(work(self.key_of(meant)), then);
        }
    }

    fn key_of(self, meant: String) -> String {
        let (last, now) = (self.meant.get_value(), now_ms());
        let known = last.filter(|(last, _, at)| *last == meant && now - at < SAME_TRY_MS).map(|(_, key, _)| key);
        let key = known.unwrap_or_else(|| random_key().as_str().to_owned());
        self.meant.set_value(Some((meant, key.clone(), now)));
        key
    }

    async fn see_through(self, work: Work<T>, then: Box<dyn FnOnce(T)>) {
        let answer = work.await;
        let outcome = answer.as_ref().ok().cloned();
        if outcome.is_some() {
            self.meant.try_set_value(None);
        }
        let gone = self.under_way.try_set(false).is_some() || self.answer.try_set(Some(answer)).is_some();
        if let Some(outcome) = outcome.filter(|_| !gone) {
            then(outcome);
        }
    }

    /// For `aria-disabled`: the button stays where the focus is, and does nothing.
    pub fn busy(self) -> Option<&'static str> {
        self.under_way.get().then_some("true")
    }

    /// What came of the last one that worked.
    pub fn outcome(self) -> Option<T> {
        self.answer.get().and_then(Result::ok)
    }

    /// Why the last one did not work.
    pub fn refusal(self) -> Option<ErrorCode> {
        self.answer.with(|answer| answer.as_ref().and_then(|answer| answer.as_ref().err()).map(|error| error.code))
    }

    pub fn worked(self) -> bool {
        self.answer.with(|answer| matches!(answer, Some(Ok(_))))
    }
}
