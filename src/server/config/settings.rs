use super::Config;
use super::error::ConfigError;
use super::file::SettingsFile;
use super::layers::{Flags, Layers, variable};
use std::path::{Path, PathBuf};

/// Read from the working directory when no other file is named.
const DEFAULT_FILE: &str = "Leptos.toml";

/// All that was set for this process, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    pub config: Config,
    pub file: Option<SettingsFile>,
}

impl Settings {
    /// Reads `file`, or the file of `PICKMATE_CONFIG`, or `Leptos.toml` in the working directory,
    /// which alone may be missing.
    pub fn load(
        flags: &Flags,
        file: Option<&Path>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Settings, ConfigError> {
        let named = file.map(Path::to_owned).or_else(|| environment(&variable("config")).map(PathBuf::from));
        let default = || Some(PathBuf::from(DEFAULT_FILE)).filter(|path| path.exists());
        let file = named.or_else(default).map(|path| SettingsFile::read(&path)).transpose()?;
        let config = Config::from_layers(&Layers { flags, environment, file: file.as_ref() })?;
        Ok(Settings { config, file })
    }
}

/// A variable of this process; an empty one counts as not set.
pub fn process_environment(name: &str) -> Option<String> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty())?;
    Some(value.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_named_must_be_there() {
        let by_flag = Settings::load(&Flags::default(), Some(Path::new("no/such.toml")), &|_| None);
        let by_variable = Settings::load(&Flags::default(), None, &|name| {
            (name == "PICKMATE_CONFIG").then(|| "no/such.toml".to_owned())
        });
        for refused in [by_flag, by_variable] {
            let sentence = refused.unwrap_err().to_string();
            assert!(sentence.starts_with("no/such.toml: "), "{sentence}");
        }
    }

    #[test]
    fn the_flag_names_the_file_before_the_variable() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[pickmate]\ndata = \"elsewhere\"\n").unwrap();
        let environment = |name: &str| (name == "PICKMATE_CONFIG").then(|| "no/such.toml".to_owned());
        let settings = Settings::load(&Flags::default(), Some(file.path()), &environment).unwrap();
        assert_eq!(settings.config.data, Path::new("elsewhere"));
        assert_eq!(settings.file.unwrap().path, file.path());
    }
}
