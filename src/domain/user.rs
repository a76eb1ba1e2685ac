use super::invisible::is_invisible;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What an account may do in the community.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Invites people, makes reset links, renames and closes any room it can see.
    Owner,
    /// Reads open rooms, creates rooms, runs the rooms it created.
    Member,
}

/// The name an account signs in with and is shown by: one line, trimmed, single blanks.
/// Unique in a community regardless of case and Unicode form (the store folds it).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserName(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserNameError {
    #[error("the name is empty")]
    Empty,
    #[error("the name is longer than {max_chars} characters")]
    TooLong { max_chars: usize },
    #[error("the name has a character that cannot be seen")]
    Invisible,
}

impl UserName {
    pub const MAX_CHARS: usize = 40;

    pub fn parse(text: &str) -> Result<UserName, UserNameError> {
        let name = text.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        if name.trim().is_empty() {
            return Err(UserNameError::Empty);
        }
        if name.chars().count() > Self::MAX_CHARS {
            return Err(UserNameError::TooLong { max_chars: Self::MAX_CHARS });
        }
        // Other blanks and invisible characters make two different names look alike.
        if name.chars().any(|c| c.is_control() || (c.is_whitespace() && c != ' ') || is_invisible(c)) {
            return Err(UserNameError::Invisible);
        }
        Ok(UserName(name))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A password as typed, long enough to be hashed. Never printed.
#[derive(Clone)]
pub struct Password(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("the password is shorter than {min_chars} characters")]
    TooShort { min_chars: usize },
    #[error("the password is longer than {max_bytes} bytes")]
    TooLong { max_bytes: usize },
}

impl Password {
    /// NIST SP 800-63B asks for at least 8 characters and no rules of composition.
    pub const MIN_CHARS: usize = 8;
    /// Bounds the work of one hash.
    pub const MAX_BYTES: usize = 256;

    pub fn parse(text: &str) -> Result<Password, PasswordError> {
        if text.chars().count() < Self::MIN_CHARS {
            return Err(PasswordError::TooShort { min_chars: Self::MIN_CHARS });
        }
        if text.len() > Self::MAX_BYTES {
            return Err(PasswordError::TooLong { max_bytes: Self::MAX_BYTES });
        }
        Ok(Password(text.to_owned()))
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_script_and_lose_extra_blanks() {
        assert_eq!(UserName::parse("  김  민아 ").unwrap().as_str(), "김 민아");
    }

    #[test]
    fn names_that_could_deceive_are_refused() {
        assert_eq!(UserName::parse("  "), Err(UserNameError::Empty));
        let hidden = ["\u{ffa0}", "a\u{ad}b", "a\u{2800}", "a\u{34f}b", "a\u{fe0f}", "a\u{e0041}"];
        for bad in ["a\u{200b}b", "a\u{202e}b", "a\tb", "\u{3164}"].into_iter().chain(hidden) {
            assert_eq!(UserName::parse(bad), Err(UserNameError::Invisible), "{bad:?}");
        }
    }

    #[test]
    fn passwords_are_never_printed() {
        let password = Password::parse("correct horse").unwrap();
        assert!(!format!("{password:?}").contains("horse"));
    }
}
