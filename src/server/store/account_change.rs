//! A change of what accounts may do, told of when it is done with.

use super::{Observer, StoreError};
use std::sync::Arc;

/// Tells of a change once it is dropped.
pub(super) struct AccountChange(Arc<dyn Observer>);

impl AccountChange {
    /// Carries the change out to its end, also when the caller is gone. A database finishes what was sent to it
    /// whether or not somebody waits: told any earlier, a reader would remember what is about to end.
    pub async fn carry_out<T: Send + 'static>(
        observer: &Arc<dyn Observer>,
        change: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let told = AccountChange(Arc::clone(observer));
        let carried_out = tokio::spawn(async move {
            let _told = told;
            change.await
        });
        carried_out.await.unwrap_or_else(|error| Err(StoreError::Internal(format!("a change of accounts: {error}"))))
    }
}

impl Drop for AccountChange {
    fn drop(&mut self) {
        self.0.accounts_changed();
    }
}
