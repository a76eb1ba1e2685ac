//! Who may say what a setting is, and who is believed.

use super::error::ConfigError;
use super::file::SettingsFile;
use std::collections::BTreeMap;

/// Settings by name: the flag is `--NAME`, the environment variable `PICKMATE_NAME` with
/// underscores, the key in `[pickmate]` of the file is NAME.
pub const SETTINGS: [&str; 14] = [
    "listen",
    "data",
    "database",
    "files",
    "redis",
    "public-url",
    "trusted-proxy",
    "outgoing-allow",
    "preview-allow",
    "outgoing-refuse",
    "previews",
    "no-rate-limit",
    "log-format",
    "lanes",
];

/// The settings that have several values.
pub const LISTS: [&str; 4] = ["trusted-proxy", "outgoing-allow", "preview-allow", "outgoing-refuse"];

/// The flag that names a limit; `PICKMATE_LIMIT` and the table `[pickmate.limits]` beside it.
pub const LIMIT: &str = "limit";

/// A value and where it was said, for the sentence when it is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub source: String,
    pub value: String,
}

/// Flags as given, by name; a switch has the value `true`.
#[derive(Clone, Debug, Default)]
pub struct Flags(BTreeMap<&'static str, Vec<String>>);

impl Flags {
    pub fn with(mut self, name: &'static str, values: impl IntoIterator<Item = String>) -> Flags {
        let values: Vec<String> = values.into_iter().collect();
        if !values.is_empty() {
            self.0.insert(name, values);
        }
        self
    }
}

/// The sources, strongest first.
pub struct Layers<'a> {
    pub flags: &'a Flags,
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    pub file: Option<&'a SettingsFile>,
}

impl Layers<'_> {
    /// The one value of a setting from the strongest source that has one.
    pub fn one(&self, name: &str) -> Result<Option<Said>, ConfigError> {
        Ok(self.strongest(name)?.pop())
    }

    /// All values from the strongest source that has any.
    pub fn many(&self, name: &str) -> Result<Vec<Said>, ConfigError> {
        let said = self.strongest(name)?;
        Ok(said.iter().flat_map(listed).collect())
    }

    /// All values from all sources, the weakest first.
    pub fn all(&self, name: &str) -> Result<Vec<Said>, ConfigError> {
        let mut all = self.in_file(name)?;
        all.extend(self.in_environment(name).iter().flat_map(listed));
        all.extend(self.in_flags(name));
        Ok(all)
    }

    fn strongest(&self, name: &str) -> Result<Vec<Said>, ConfigError> {
        let flags = self.in_flags(name);
        if !flags.is_empty() {
            return Ok(flags);
        }
        match self.in_environment(name) {
            Some(said) => Ok(vec![said]),
            None => self.in_file(name),
        }
    }

    fn in_flags(&self, name: &str) -> Vec<Said> {
        let values = self.flags.0.get(name).into_iter().flatten();
        values.map(|value| Said { source: format!("--{name}"), value: value.clone() }).collect()
    }

    fn in_environment(&self, name: &str) -> Option<Said> {
        let variable = variable(name);
        let value = (self.environment)(&variable)?;
        Some(Said { source: variable, value })
    }

    fn in_file(&self, name: &str) -> Result<Vec<Said>, ConfigError> {
        self.file.map_or(Ok(Vec::new()), |file| file.said(name))
    }
}

/// The environment variable of a setting.
pub fn variable(name: &str) -> String {
    format!("PICKMATE_{}", name.to_uppercase().replace('-', "_"))
}

/// One word may list several values with commas.
fn listed(said: &Said) -> Vec<Said> {
    let values = said.value.split(',').map(str::trim).filter(|value| !value.is_empty());
    values.map(|value| Said { source: said.source.clone(), value: value.to_owned() }).collect()
}
