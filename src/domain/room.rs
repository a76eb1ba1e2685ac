use super::invisible::{is_invisible, joins, shows_nothing};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who may see a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Every account reads it; posting joins.
    Open,
    /// Members only; to anybody else it does not exist.
    Closed,
}

/// A room's name in addresses and on the wire: lower-case letters and digits of any script, with
/// single hyphens between them. Unique in a community; it outlives a rename.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slug(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a room's address is 1 to {} lower-case letters and digits with single hyphens between them", Slug::MAX_CHARS)]
pub struct SlugError;

impl Slug {
    pub const MAX_CHARS: usize = 48;

    pub fn parse(text: &str) -> Result<Slug, SlugError> {
        if Self::from_name(text).is_some_and(|slug| slug.0 == text) {
            Ok(Slug(text.to_owned()))
        } else {
            Err(SlugError)
        }
    }

    /// The address that suggests itself for a room's name, if it has any letter or digit.
    pub fn from_name(name: &str) -> Option<Slug> {
        let mut slug = String::new();
        let words = name.split(|c: char| !belongs(c)).filter(|word| !word.is_empty());
        for word in words {
            if !slug.is_empty() {
                slug.push('-');
            }
            slug.extend(word.chars().flat_map(char::to_lowercase).filter(|c| belongs(*c)));
        }
        let cut: String = slug.chars().take(Self::MAX_CHARS).collect();
        let cut = cut.trim_end_matches('-');
        (!cut.is_empty()).then(|| Slug(cut.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Some fillers are letters by their category, and nobody sees them.
fn belongs(c: char) -> bool {
    c.is_alphanumeric() && !is_invisible(c)
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A room's name as people see it: one line, trimmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoomName(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoomNameError {
    #[error("the name is empty")]
    Empty,
    #[error("the name is longer than {max_chars} characters")]
    TooLong { max_chars: usize },
    #[error("the name has a control character")]
    ControlCharacter,
    #[error("the name has a character that cannot be seen")]
    Invisible,
}

impl RoomName {
    pub const MAX_CHARS: usize = 60;

    pub fn parse(text: &str) -> Result<RoomName, RoomNameError> {
        let name = text.trim();
        if name.is_empty() {
            return Err(RoomNameError::Empty);
        }
        if name.chars().count() > Self::MAX_CHARS {
            return Err(RoomNameError::TooLong { max_chars: Self::MAX_CHARS });
        }
        if name.chars().any(char::is_control) {
            return Err(RoomNameError::ControlCharacter);
        }
        if shows_nothing(name) || name.chars().any(|c| is_invisible(c) && !joins(c)) {
            return Err(RoomNameError::Invisible);
        }
        Ok(RoomName(name.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_suggest_addresses() {
        let suggested = |name| Slug::from_name(name).map(|slug| slug.0);
        assert_eq!(suggested("General"), Some("general".into()));
        assert_eq!(suggested("점심 뭐 먹지?"), Some("점심-뭐-먹지".into()));
        assert_eq!(suggested("  C++ & Rust  "), Some("c-rust".into()));
        assert_eq!(suggested("!!!"), None);
    }

    #[test]
    fn a_suggestion_is_always_an_address() {
        for name in ["General", "İstanbul", "점심 뭐 먹지?", &"긴 ".repeat(80)] {
            let slug = Slug::from_name(name).unwrap();
            assert_eq!(Slug::parse(slug.as_str()), Ok(slug));
        }
    }

    #[test]
    fn addresses_that_are_not_are_refused() {
        for bad in ["", "-a", "a-", "a--b", "A", "a b", "a/b", "..", "\u{3164}", &"a".repeat(49)] {
            assert_eq!(Slug::parse(bad), Err(SlugError), "{bad:?}");
        }
    }

    #[test]
    fn room_names_can_be_seen_and_have_emoji() {
        for good in ["👩\u{200d}💻 개발", "❤\u{fe0f}", "🏴\u{e0067}\u{e0062}\u{e007f}", "می\u{200c}خواهم"]
        {
            assert!(RoomName::parse(good).is_ok(), "{good:?}");
        }
        for bad in ["\u{200b}", "a\u{202e}b", "\u{3164}", "\u{200d}", "\u{fe0f}", "\u{2800}", "a\u{2028}b"] {
            assert_eq!(RoomName::parse(bad), Err(RoomNameError::Invisible), "{bad:?}");
        }
    }

    #[test]
    fn room_names_are_trimmed_and_bounded() {
        assert_eq!(RoomName::parse(" 공지 ").unwrap().as_str(), "공지");
        assert_eq!(RoomName::parse(" "), Err(RoomNameError::Empty));
        assert_eq!(RoomName::parse("a\nb"), Err(RoomNameError::ControlCharacter));
        assert!(matches!(RoomName::parse(&"가".repeat(61)), Err(RoomNameError::TooLong { max_chars: 60 })));
    }
}
