//! Password hashes: Argon2id, off the async threads and never on all cores at once.

use crate::domain::Password;
use crate::server::error::AppError;
use crate::server::secret::random_bytes;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// OWASP's first choice for Argon2id with little memory: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;

/// What a password is compared with when there is no such account, so that the answer takes as
/// long. Nobody knows a password for it.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$2NDETxPGDgmbxEQ27ZEjlQ$Yv9yWakDeUPmtEzhsQIDR/WPfXDFQmWjriADbh6+oPI";

/// Hashes and compares for the whole node: at most half of the cores at a time, the rest waits.
#[derive(Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
}

impl Passwords {
    pub fn new() -> Passwords {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        Passwords { permits: Arc::new(Semaphore::new((cores / 2).max(1))) }
    }

    /// A PHC string for the store.
    pub async fn hash(&self, password: Password) -> Result<String, AppError> {
        self.run(move || hash(&password)).await?
    }

    /// Whether `password` is the one behind `hash`. Without a hash the answer is no, and takes as long.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, AppError> {
        self.run(move || match hash {
            Some(hash) => verify(&password, &hash),
            None => verify(&password, NOBODY).map(|_| false),
        })
        .await?
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
        let permit = self.permits.clone().acquire_owned().await;
        let permit = permit.map_err(|_| AppError::Internal("password hashing has stopped".into()))?;
        let work = tokio::task::spawn_blocking(move || {
            // Held by the work itself: a caller that goes away does not free the core.
            let _permit = permit;
            work()
        });
        work.await.map_err(|error| AppError::Internal(format!("password hashing: {error}")))
    }
}

impl Default for Passwords {
    fn default() -> Passwords {
        Passwords::new()
    }
}

/// A PHC string for the store. Takes tens of milliseconds of one core: in the server use
/// [`Passwords::hash`].
pub fn hash(password: &Password) -> Result<String, AppError> {
    let salt = SaltString::encode_b64(&random_bytes::<SALT_BYTES>()?).map_err(failed)?;
    let hash = argon2id()?.hash_password(password.as_bytes(), &salt).map_err(failed)?;
    Ok(hash.to_string())
}

fn verify(password: &str, hash: &str) -> Result<bool, AppError> {
    let hash = PasswordHash::new(hash).map_err(failed)?;
    match argon2id()?.verify_password(password.as_bytes(), &hash) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::Password) => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

fn argon2id() -> Result<Argon2<'static>, AppError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| AppError::Internal(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn failed(error: argon2::password_hash::Error) -> AppError {
    AppError::Internal(format!("password hashing: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::parse(text).unwrap()
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = Passwords::new();
        let hash = passwords.hash(password("correct horse")).await.unwrap();
        assert!(passwords.verify("correct horse".into(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("correct horsf".into(), Some(hash)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_has_a_password() {
        assert!(!Passwords::new().verify("correct horse".into(), None).await.unwrap());
    }

    #[test]
    fn the_hash_of_nobody_costs_as_much_as_a_new_one() {
        let cost = |phc: &str| Params::try_from(&PasswordHash::new(phc).unwrap()).unwrap();
        let (nobody, new) = (cost(NOBODY), cost(&hash(&password("correct horse")).unwrap()));
        assert_eq!((nobody.m_cost(), nobody.t_cost(), nobody.p_cost()), (new.m_cost(), new.t_cost(), new.p_cost()));
        assert_eq!((new.m_cost(), new.t_cost(), new.p_cost()), (19_456, 2, 1));
    }

    #[tokio::test]
    async fn a_damaged_hash_is_an_error_not_a_yes() {
        assert!(Passwords::new().verify("correct horse".into(), Some("plain".into())).await.is_err());
    }
}
