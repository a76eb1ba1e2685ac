use crate::protocol::{ErrorBody, ErrorCode};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::future::Future;
use std::pin::Pin;

type Work<T> = Pin<Box<dyn Future<Output = Result<T, ErrorBody>>>>;

/// Something the reader asked the server to do: whether it is under way, and how it ended.
pub struct Attempt<T: Send + Sync + 'static> {
    answer: RwSignal<Option<Result<T, ErrorBody>>>,
    under_way: RwSignal<bool>,
}

impl<T: Send + Sync + 'static> Clone for Attempt<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Attempt<T> {}

impl<T: Clone + Send + Sync + 'static> Attempt<T> {
    pub fn new() -> Attempt<T> {
        Attempt { answer: RwSignal::new(None), under_way: RwSignal::new(false) }
    }

    /// Begins, unless the last one is still under way. When it has worked and the page is still
    /// there, `then` follows.
    pub fn begin(self, work: impl Future<Output = Result<T, ErrorBody>> + 'static, then: impl FnOnce(T) + 'static) {
        if !self.under_way.get_untracked() {
            self.under_way.set(true);
            spawn_local(self.see_through(Box::pin(work), Box::new(then)));
        }
    }

    async fn see_through(self, work: Work<T>, then: Box<dyn FnOnce(T)>) {
        let answer = work.await;
        let outcome = answer.as_ref().ok().cloned();
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
