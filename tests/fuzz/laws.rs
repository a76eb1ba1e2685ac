//! What holds for any bytes. The fuzz targets look for bytes that break it; `tests/it/regressions.rs`
//! keeps those that once did.

use pickmate::markdown::{self, Span};
use pickmate::protocol::{ClientFrame, Page, ServerFrame, json};
use pickmate::server::config::{Config, Flags, LIMIT, Layers, SETTINGS, SettingsFile, variable};
use serde::de::{DeserializeOwned, IgnoredAny};
use std::fmt::Debug;
use std::path::Path;

/// A frame of either side that can be read can be written, and reads as the same; the browser's reader
/// reads only what is JSON, and where both read they read the same.
pub fn frames(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        assert!(serde_json::from_slice::<ClientFrame>(bytes).is_err());
        return;
    };
    if let Ok(frame) = serde_json::from_str::<ClientFrame>(text)
        && frame != ClientFrame::Unknown
    {
        let written = serde_json::to_string(&frame).unwrap();
        assert_eq!(serde_json::from_str::<ClientFrame>(&written).unwrap(), frame);
    }
    if let Ok(frame) = serde_json::from_str::<ServerFrame>(text)
        && frame != ServerFrame::Unknown
    {
        let written = serde_json::to_string(&frame).unwrap();
        assert_eq!(json::read::<ServerFrame>(&written), Ok(frame));
    }
    readers_agree::<ServerFrame>(text);
    readers_agree::<Page>(text);
}

fn readers_agree<T: DeserializeOwned + PartialEq + Debug>(text: &str) {
    let Ok(value) = json::read::<T>(text) else { return };
    assert!(serde_json::from_str::<IgnoredAny>(text).is_ok(), "not JSON");
    // The browser's reader knows -0 as an integer.
    if let Ok(other) = serde_json::from_str::<T>(text) {
        assert_eq!(other, value);
    }
}

/// The spans of all lines are the text again, and a link is one of three schemes.
pub fn markdown(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut again = String::new();
    for (number, line) in markdown::parse(text).iter().enumerate() {
        again.push_str(if number > 0 { "\n" } else { "" });
        for span in &line.spans {
            again.push_str(span.source());
            if let Span::Link(target) = span {
                let scheme = target.split(':').next().unwrap().to_ascii_lowercase();
                assert!(["http", "https", "mailto"].contains(&scheme.as_str()), "{target}");
                assert!(!target.contains(|c: char| c.is_whitespace() || c.is_control()), "{target}");
            }
        }
    }
    assert_eq!(again, text);
}

/// Settings from a file, from variables and from flags are a configuration or one sentence. The parts
/// of the input are divided by NUL: the file, then `NAME=VALUE` for flags and variables by turns.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut parts = text.split('\0');
    let file = match SettingsFile::parse(Path::new("Leptos.toml"), parts.next().unwrap_or_default().to_owned()) {
        Ok(file) => Some(file),
        Err(error) => {
            one_sentence(&error.to_string());
            None
        }
    };
    let mut flags = Flags::default();
    let mut variables = Vec::new();
    for (number, part) in parts.enumerate() {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let Some(name) = SETTINGS.into_iter().chain([LIMIT]).find(|known| *known == name) else { continue };
        if number % 2 == 0 {
            flags = flags.with(name, [value.to_owned()]);
        } else {
            variables.push((variable(name), value.to_owned()));
        }
    }
    let environment = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    let layers = Layers { flags: &flags, environment: &environment, file: file.as_ref() };
    if let Err(error) = Config::from_layers(&layers) {
        one_sentence(&error.to_string());
    }
}

fn one_sentence(text: &str) {
    assert!(!text.is_empty() && !text.contains('\n'), "{text:?}");
}
