use super::invisible::shows_nothing;
use serde::{Deserialize, Serialize};

/// The source text of a message, fit to be stored: not blank unless there is more to the message, within the limit, with `\n` line
/// ends and no other control character than tab.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageBody(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    #[error("the message is empty")]
    Empty,
    #[error("the message is longer than {max_bytes} bytes")]
    TooLong { max_bytes: usize },
    #[error("the message has a control character")]
    ControlCharacter,
}

impl MessageBody {
    /// Bytes of UTF-8 that a body may have unless the setting `body_bytes` says otherwise.
    pub const MAX_BYTES: usize = 16 * 1024;

    pub fn parse(text: &str, max_bytes: usize) -> Result<MessageBody, BodyError> {
        // The raw text is measured, so that a client can tell before it sends.
        if text.len() > max_bytes {
            return Err(BodyError::TooLong { max_bytes });
        }
        let body = MessageBody::with_line_ends(text);
        if shows_nothing(&body) {
            return Err(BodyError::Empty);
        }
        if body.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            return Err(BodyError::ControlCharacter);
        }
        Ok(MessageBody(body))
    }

    /// Of a message that carries something else: nothing need be said beside it.
    pub fn parse_caption(text: &str, max_bytes: usize) -> Result<MessageBody, BodyError> {
        match MessageBody::parse(text, max_bytes) {
            Err(BodyError::Empty) => Ok(MessageBody(String::new())),
            parsed => parsed,
        }
    }

    /// A text with the line ends that it would have as a body.
    pub fn with_line_ends(text: &str) -> String {
        text.replace("\r\n", "\n")
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_become_newlines_and_edges_stay() {
        let body = MessageBody::parse("  a\r\nb\t\n", 100).unwrap();
        assert_eq!(body.as_str(), "  a\nb\t\n");
    }

    #[test]
    fn beside_something_else_a_blank_text_is_none() {
        assert_eq!(MessageBody::parse_caption(" \n", 100).unwrap().as_str(), "");
        assert_eq!(MessageBody::parse_caption("a", 100).unwrap().as_str(), "a");
        assert_eq!(MessageBody::parse_caption("안녕", 5), Err(BodyError::TooLong { max_bytes: 5 }));
    }

    #[test]
    fn blank_long_and_control_are_refused() {
        assert_eq!(MessageBody::parse(" \n\u{3000}", 100), Err(BodyError::Empty));
        assert_eq!(MessageBody::parse("\u{200b} \u{fe0f}", 100), Err(BodyError::Empty));
        assert!(MessageBody::parse("👩\u{200d}💻 ❤\u{fe0f}", 100).is_ok());
        assert_eq!(MessageBody::parse("안녕", 5), Err(BodyError::TooLong { max_bytes: 5 }));
        assert_eq!(MessageBody::parse("a\u{0}b", 100), Err(BodyError::ControlCharacter));
        assert_eq!(MessageBody::parse("a\u{1b}[31m", 100), Err(BodyError::ControlCharacter));
    }
}
