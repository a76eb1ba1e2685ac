use crate::protocol::ErrorCode;
use leptos::prelude::*;
use std::sync::Arc;

/// How a page that is rendered on the server tells that it shows an error. The server provides it
/// as context and turns the code into the status of its answer; in the browser there is none.
#[derive(Clone)]
pub struct AnswerStatus(Arc<dyn Fn(ErrorCode) + Send + Sync>);

impl AnswerStatus {
    pub fn new(tell: impl Fn(ErrorCode) + Send + Sync + 'static) -> AnswerStatus {
        AnswerStatus(Arc::new(tell))
    }

    /// Tells the server, if this is rendered there.
    pub fn tell(code: ErrorCode) {
        if let Some(status) = use_context::<AnswerStatus>() {
            (status.0)(code);
        }
    }
}
