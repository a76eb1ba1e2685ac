//! Random values: secrets of sessions, tokens and one-time links, and their hashes.

use crate::domain::TaskId;
use crate::server::error::AppError;
use data_encoding::BASE64URL_NOPAD;
use rand::{Rng, TryRngCore, rngs::OsRng};
use sha2::{Digest, Sha256};

/// Bytes of randomness in a secret: not to be guessed, so a plain hash is enough to store it.
const SECRET_BYTES: usize = 32;

/// Bytes of randomness in a key; unique within one author's posts in one room.
const KEY_BYTES: usize = 16;

/// A new secret, 43 characters of base64url. It is given out once; the store gets [`hash_secret`].
/// `Internal` when the operating system has no randomness to give.
pub fn new_secret() -> Result<String, AppError> {
    Ok(BASE64URL_NOPAD.encode(&random_bytes::<SECRET_BYTES>()?))
}

/// From the operating system.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], AppError> {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).map_err(|error| AppError::Internal(format!("no randomness: {error}")))?;
    Ok(bytes)
}

/// SHA-256 of a secret as it is given out.
pub fn hash_secret(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// A fresh idempotency key for a plain form.
pub fn random_key() -> String {
    BASE64URL_NOPAD.encode(&rand::rng().random::<[u8; KEY_BYTES]>())
}

/// A fresh name for a task.
pub fn new_task_id() -> TaskId {
    TaskId::from_random(rand::rng().random())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Key;

    #[test]
    fn secrets_are_long_and_different() {
        let (one, other) = (new_secret().unwrap(), new_secret().unwrap());
        assert_eq!(one.len(), 43);
        assert_ne!(one, other);
        assert_ne!(hash_secret(&one), hash_secret(&other));
    }

    #[test]
    fn a_form_key_is_a_key() {
        let key = random_key();
        assert_eq!(Key::parse(&key).unwrap().as_str(), key);
        assert_ne!(key, random_key());
    }
}
