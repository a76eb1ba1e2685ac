//! Whose a session or a token is.

use super::gathering::Gathering;
use super::lru::Lru;
use crate::server::config::Limits;
use crate::server::metrics::{Metrics, StoreRead};
use crate::server::store::{Credential, FoundAccount, PROLONG_EVERY_MS, SessionUser, Store, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Sessions and tokens that were seen lately, with their accounts.
pub struct Sessions {
    state: Mutex<State>,
    gathering: Gathering<Credential, Result<Option<FoundAccount>, StoreError>>,
    metrics: Arc<Metrics>,
}

struct State {
    known: Lru<Credential, FoundAccount>,
    /// Changes of accounts, sessions and tokens, since the start.
    changes: u64,
}

/// When somebody asks, and until when a session that is used then is good, in Unix milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    pub now: i64,
    pub session_end: i64,
}

impl Sessions {
    pub(super) fn new(limits: &Limits, metrics: Arc<Metrics>) -> Sessions {
        let state = State { known: Lru::new(limits.sessions_cached), changes: 0 };
        Sessions { state: Mutex::new(state), gathering: Gathering::default(), metrics }
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
        let mut state = self.lock();
        let found = state.known.get(credential)?;
        let stands = found.expires_at.is_none_or(|at| at > asked.now && asked.session_end - at < PROLONG_EVERY_MS);
        stands.then(|| found.user.clone())
    }

    /// A read is kept only if nothing that it may have missed has happened since it began.
    async fn read(
        &self,
        store: &Arc<dyn Store>,
        credentials: Vec<Credential>,
        asked: Asked,
    ) -> HashMap<Credential, Result<Option<FoundAccount>, StoreError>> {
        self.metrics.count_read(StoreRead::Sessions);
        let before = self.lock().changes;
        let found = match store.accounts(&credentials, asked.now, asked.session_end).await {
            Ok(found) => found,
            Err(error) => return credentials.into_iter().map(|one| (one, Err(error.clone()))).collect(),
        };
        let mut state = self.lock();
        if state.changes == before {
            for (credential, account) in &found {
                state.known.insert(*credential, account.clone(), 1);
            }
        }
        found.into_iter().map(|(credential, account)| (credential, Ok(Some(account)))).collect()
    }

    pub(super) fn forget_all(&self) {
        let mut state = self.lock();
        state.changes += 1;
        state.known.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
