use serde::{Deserialize, Serialize};

/// Idempotency key: the client-made name of one intent, unique per (room, author).
/// A repeat of the same intent carries the same key and gets the first ack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key is 1 to {} characters of A-Z, a-z, 0-9, '_' and '-'", Key::MAX_CHARS)]
pub struct KeyError;

impl Key {
    pub const MAX_CHARS: usize = 64;

    pub fn parse(text: &str) -> Result<Key, KeyError> {
        let fits = (1..=Self::MAX_CHARS).contains(&text.len());
        let clean = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if fits && clean { Ok(Key(text.to_owned())) } else { Err(KeyError) }
    }

    /// A key that no one else has, from 128 random bits.
    pub fn from_random(bits: [u8; 16]) -> Key {
        Key(hex(bits))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The digits of 128 bits.
pub(super) fn hex(bits: [u8; 16]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half & 15)]);
    bits.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_whole_alphabet_up_to_the_limit() {
        assert!(Key::parse("aZ09_-").is_ok());
        assert!(Key::parse(&"k".repeat(64)).is_ok());
    }

    #[test]
    fn random_bits_make_a_key() {
        let key = Key::from_random([0xa5; 16]);
        assert_eq!(key.as_str(), "a5".repeat(16));
        assert_eq!(Key::parse(key.as_str()), Ok(key));
    }

    #[test]
    fn refuses_empty_long_and_foreign_characters() {
        for bad in ["", " ", "a b", "키", "a/b", &"k".repeat(65)] {
            assert_eq!(Key::parse(bad), Err(KeyError), "{bad:?}");
        }
    }
}
