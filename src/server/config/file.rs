//! The settings file, `Leptos.toml`: PickMate's tables beside Leptos' own.

use super::error::ConfigError;
use super::layers::{LIMIT, LISTS, SETTINGS, Said};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// A settings file that was read and has no unknown keys in PickMate's tables.
#[derive(Clone, Debug)]
pub struct SettingsFile {
    pub path: PathBuf,
    pub text: String,
    pickmate: Table,
}

/// What may stand at the top: ours, and the one around Leptos' table.
const TABLES: [&str; 2] = ["pickmate", "package"];

/// Table of the limits inside `[pickmate]`.
const LIMITS: &str = "limits";

impl SettingsFile {
    pub fn read(path: &Path) -> Result<SettingsFile, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::File { path: path.to_owned(), problem: error.to_string() })?;
        SettingsFile::parse(path, text)
    }

    pub fn parse(path: &Path, text: String) -> Result<SettingsFile, ConfigError> {
        let problem = |problem: String| ConfigError::File { path: path.to_owned(), problem };
        let root: Table = text.parse().map_err(|error: toml::de::Error| problem(one_line(&text, &error)))?;
        if let Some(key) = root.keys().find(|key| !TABLES.contains(&key.as_str())) {
            return Err(problem(format!("there is no table `{key}`")));
        }
        let pickmate = match root.get("pickmate") {
            None => Table::new(),
            Some(Value::Table(table)) => table.clone(),
            Some(_) => return Err(problem("`pickmate` is not a table".into())),
        };
        for (key, value) in &pickmate {
            let known = SETTINGS.contains(&key.as_str()) || (key == LIMITS && value.is_table());
            if !known {
                return Err(ConfigError::UnknownKey { path: path.to_owned(), table: "[pickmate]", key: key.clone() });
            }
        }
        Ok(SettingsFile { path: path.to_owned(), text, pickmate })
    }

    /// What the file says about a setting, in the words that a flag would use.
    pub fn said(&self, name: &str) -> Result<Vec<Said>, ConfigError> {
        if name == LIMIT {
            return self.limits();
        }
        let Some(value) = self.pickmate.get(name) else { return Ok(Vec::new()) };
        let values = match value {
            Value::Array(values) if LISTS.contains(&name) => {
                values.iter().map(|value| self.word(name, value)).collect::<Result<_, _>>()?
            }
            value => vec![self.word(name, value)?],
        };
        Ok(values.into_iter().map(|value| self.say(name, value)).collect())
    }

    fn limits(&self) -> Result<Vec<Said>, ConfigError> {
        let Some(Value::Table(limits)) = self.pickmate.get(LIMITS) else { return Ok(Vec::new()) };
        let source = format!("{} [pickmate.limits]", self.path.display());
        let pairs = limits.iter().map(|(name, value)| Ok(format!("{name}={}", self.word(name, value)?)));
        pairs.map(|pair| Ok(Said { source: source.clone(), value: pair? })).collect()
    }

    fn say(&self, name: &str, value: String) -> Said {
        Said { source: format!("{} [pickmate] {name}", self.path.display()), value }
    }

    fn word(&self, name: &str, value: &Value) -> Result<String, ConfigError> {
        match value {
            Value::String(text) => Ok(text.clone()),
            Value::Integer(number) => Ok(number.to_string()),
            Value::Boolean(yes) => Ok(yes.to_string()),
            other => {
                let problem = format!("`{name}` cannot be of the type {}", other.type_str());
                Err(ConfigError::File { path: self.path.clone(), problem })
            }
        }
    }
}

/// The parser's message may span lines.
fn one_line(text: &str, error: &toml::de::Error) -> String {
    let start = error.span().map_or(0, |span| span.start);
    let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
    format!("line {line}: {}", error.message().lines().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<SettingsFile, ConfigError> {
        SettingsFile::parse(Path::new("Leptos.toml"), text.to_owned())
    }

    fn values(file: &SettingsFile, name: &str) -> Vec<String> {
        file.said(name).unwrap().into_iter().map(|said| said.value).collect()
    }

    #[test]
    fn values_read_as_a_flag_would_say_them() {
        let text = "[pickmate]\nlisten = \"[::1]:80\"\nno-rate-limit = true\ntrusted-proxy = [\"10.0.0.0/8\", \"::1\"]\n\
                    [pickmate.limits]\nbody_bytes = 100\n";
        let file = parse(text).unwrap();
        assert_eq!(values(&file, "listen"), ["[::1]:80"]);
        assert_eq!(values(&file, "no-rate-limit"), ["true"]);
        assert_eq!(values(&file, "trusted-proxy"), ["10.0.0.0/8", "::1"]);
        assert_eq!(values(&file, LIMIT), ["body_bytes=100"]);
        assert!(values(&file, "data").is_empty());
    }

    #[test]
    fn an_unknown_key_is_named() {
        let error = parse("[pickmate]\nlisen = \"x\"\n").unwrap_err();
        assert_eq!(error.to_string(), "[pickmate] in Leptos.toml: there is no setting `lisen`");
        let error = parse("[pickmat]\n").unwrap_err();
        assert_eq!(error.to_string(), "Leptos.toml: there is no table `pickmat`");
        assert!(parse("[package.metadata.leptos]\nanything = 1\n").is_ok());
    }

    #[test]
    fn a_list_is_no_value_of_a_single_setting() {
        for list in ["[\"127.0.0.1:1\", \"127.0.0.1:2\"]", "[\"127.0.0.1:1\"]", "[]"] {
            let file = parse(&format!("[pickmate]\nlisten = {list}\n")).unwrap();
            let sentence = file.said("listen").unwrap_err().to_string();
            assert_eq!(sentence, "Leptos.toml: `listen` cannot be of the type array", "{list}");
        }
    }

    #[test]
    fn a_broken_file_is_one_sentence() {
        let sentence = parse("[pickmate]\nlisten\n").unwrap_err().to_string();
        assert!(sentence.starts_with("Leptos.toml: line 2: ") && !sentence.contains('\n'), "{sentence}");
    }
}
