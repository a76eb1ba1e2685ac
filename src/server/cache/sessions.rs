//! Whose a session or a token is.

use super::gathering::Gathering;
use super::remembered::Remembered;
use crate::server::config::Limits;
use crate::server::metrics::{Metrics, StoreRead};
use crate::server::store::{Credential, FoundAccount, PROLONG_EVERY_MS, SessionUser, Store, StoreError};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Of a crowd that arrives one by one, each with a session of its own, more than twenty reads a second would be
/// reads by the head, and nobody notices so short a wait.
const APART: Duration = Duration::from_millis(50);

/// Sessions and tokens that were seen lately, with their accounts.
pub struct Sessions {
    known: Remembered<Credential, FoundAccount>,
    gathering: Gathering<Credential, Result<Option<FoundAccount>, StoreError>>,
    metrics: Arc<Metrics>,
}

/// When somebody asks, and until when a session that is used then is good, in Unix milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    pub now: i64,
    pub session_end: i64,
}

impl Sessions {
    pub(super) fn new(limits: &Limits, metrics: Arc<Metrics>) -> Sessions {
        let gathering = Gathering::new(APART);
        Sessions { known: Remembered::new(limits.sessions_cached), gathering, metrics }
    }

    /// The account behind a credential at some moment after the call began, as far as this node's own
    /// changes go. Sessions are prolonged as [`Accounts::accounts`](crate::server::store::Accounts::accounts) does.
    pub async fn account(
        &self,
        store: &Arc<dyn Store>,
        credential: Credential,
        asked: Asked,
    ) -> Result<Option<SessionUser>, StoreError> {
        if let Some(user) = self.known(&credential, asked) {
            return Ok(Some(user));
        }
        let found =
            self.gathering.ask(credential, Ok(None), |credentials| self.read(store, credentials, asked)).await?;
        Ok(found.map(|found| found.user))
    }

    fn known(&self, credential: &Credential, asked: Asked) -> Option<SessionUser> {
        let found = self.known.get(credential)?;
        let stands = found.expires_at.is_none_or(|at| at > asked.now && asked.session_end - at < PROLONG_EVERY_MS);
        stands.then_some(found.user)
    }

    async fn read(
        &self,
        store: &Arc<dyn Store>,
        credentials: Vec<Credential>,
        asked: Asked,
    ) -> HashMap<Credential, Result<Option<FoundAccount>, StoreError>> {
        self.metrics.count_read(StoreRead::Sessions);
        let begun = self.known.begin();
        let found = match store.accounts(&credentials, asked.now, asked.session_end).await {
            Ok(found) => found,
            Err(error) => return credentials.into_iter().map(|one| (one, Err(error.clone()))).collect(),
        };
        self.known.keep(begun, found.iter().map(|(credential, account)| (*credential, account.clone(), 1)));
        found.into_iter().map(|(credential, account)| (credential, Ok(Some(account)))).collect()
    }

    pub(super) fn forget_all(&self) {
        self.known.forget_all();
    }
}
