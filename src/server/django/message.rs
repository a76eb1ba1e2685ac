//! `{"message": V}` as Python's `json` module reads it, and back.

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// The answer to a text frame, or `None` for a bad one: not JSON, not an object, no `message`.
///
/// The value goes back as it was written, so no digit, key order or lone surrogate is lost and
/// `1e400` needs no number type that holds it. `NaN` and `Infinity`, which Python's reader takes,
/// are not JSON and make a bad frame.
pub(super) fn echo(text: &str) -> Option<String> {
    let frame: Frame<'_> = serde_json::from_str(text).ok()?;
    Some(format!(r#"{{"message": {}}}"#, frame.message.get()))
}

/// An object with a `message`. Of a repeated key the last counts.
struct Frame<'a> {
    message: &'a RawValue,
}

impl<'de> Deserialize<'de> for Frame<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Frame<'de>, D::Error> {
        deserializer.deserialize_map(FrameVisitor)
    }
}

struct FrameVisitor;

impl<'de> Visitor<'de> for FrameVisitor {
    type Value = Frame<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Frame<'de>, A::Error> {
        let mut message = None;
        while let Some(IsMessage(is_message)) = map.next_key()? {
            if is_message {
                message = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        message.map(|message| Frame { message }).ok_or_else(|| A::Error::missing_field("message"))
    }
}

/// Whether a key is `message`; read as bytes, because a key may hold a lone surrogate.
struct IsMessage(bool);

impl<'de> Deserialize<'de> for IsMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<IsMessage, D::Error> {
        deserializer.deserialize_bytes(IsMessageVisitor)
    }
}

struct IsMessageVisitor;

impl Visitor<'_> for IsMessageVisitor {
    type Value = IsMessage;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_bytes<E>(self, key: &[u8]) -> Result<IsMessage, E> {
        Ok(IsMessage(key == b"message"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn echoed(text: &str) -> Value {
        serde_json::from_str(&echo(text).unwrap()).unwrap()
    }

    #[test]
    fn any_value_comes_back() {
        for value in [json!("안녕 🎉"), json!(null), json!({"b": [1, 2.5], "a": {}}), json!(false), json!("")] {
            assert_eq!(echoed(&json!({"message": value, "else": 1}).to_string()), json!({"message": value}));
        }
    }

    #[test]
    fn what_python_could_write_comes_back_to_the_digit() {
        for value in ["1e400", "123456789012345678901234567890", r#""\ud800""#, "-0.0", "1E5"] {
            assert_eq!(echo(&format!(r#"{{"message":{value}}}"#)).unwrap(), format!(r#"{{"message": {value}}}"#));
        }
    }

    #[test]
    fn of_a_repeated_key_the_last_counts() {
        assert_eq!(echoed(r#"{"message":1,"\ud800":0,"m\u0065ssage":2}"#), json!({"message": 2}));
    }

    #[test]
    fn deep_nesting_is_no_danger() {
        let deep = format!(r#"{{"message":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert!(echo(&deep).is_some());
    }

    #[test]
    fn bad_frames_have_no_answer() {
        for bad in [
            "",
            " ",
            "안녕",
            "\u{feff}{\"message\":1}",
            "{}",
            r#"{"Message":1}"#,
            r#"["message"]"#,
            r#""message""#,
            "1",
            "null",
            r#"{"message":NaN}"#,
            r#"{"message":Infinity}"#,
            r#"{"message":1}x"#,
            r#"{"message":1"#,
            r#"{"message":01}"#,
            "{\"message\":\"\n\"}",
        ] {
            assert_eq!(echo(bad), None, "{bad:?}");
        }
    }
}
