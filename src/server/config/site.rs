//! Where the built site is, and what Leptos needs to know about it.

use super::error::ConfigError;
use super::file::SettingsFile;
use leptos::config::{LeptosOptions, get_config_from_str};
use std::path::{Path, PathBuf};

/// Leptos' table as the program was built with; used where the file has none.
const BUILT_IN: &str = include_str!("../../../Leptos.toml");

const TABLE: &str = "[package.metadata.leptos]";

/// Leptos' options with `LEPTOS_*` variables applied, `site_root` made findable from any working
/// directory, and `hash_files` as the site really is.
///
/// The site is looked for where `LEPTOS_SITE_ROOT` says and nowhere else; otherwise at `site-root`
/// relative to the file, then to the working directory, then in `site` beside the folder of the
/// executable, which is where a build puts it.
pub fn leptos_options(file: Option<&SettingsFile>) -> Result<LeptosOptions, ConfigError> {
    let options = read_table(file)?;
    let executable = std::env::current_exe().ok();
    let beside = executable.as_deref().and_then(Path::parent);
    let hashes = beside.and_then(|folder| std::fs::read_to_string(folder.join(options.hash_file.as_ref())).ok());
    let candidates = match std::env::var_os("LEPTOS_SITE_ROOT") {
        Some(root) => vec![PathBuf::from(root)],
        None => candidates(&options, file, beside),
    };
    find_site(options, &candidates, hashes.as_deref())
}

/// The same without looking for the site: pages come without their styles and scripts.
pub fn leptos_options_without_site(file: Option<&SettingsFile>) -> Result<LeptosOptions, ConfigError> {
    let mut options = read_table(file)?;
    options.hash_files = false;
    Ok(options)
}

fn read_table(file: Option<&SettingsFile>) -> Result<LeptosOptions, ConfigError> {
    let text = file.map(|file| file.text.as_str()).filter(|text| text.lines().any(|line| line.trim() == TABLE));
    get_config_from_str(text.unwrap_or(BUILT_IN)).map_err(|error| ConfigError::Leptos(error.to_string()))
}

fn candidates(options: &LeptosOptions, file: Option<&SettingsFile>, executable: Option<&Path>) -> Vec<PathBuf> {
    let root = Path::new(options.site_root.as_ref());
    let from_file = file.and_then(|file| file.path.parent()).map(|folder| folder.join(root));
    let from_executable = executable.and_then(Path::parent).map(|target| target.join("site"));
    let mut candidates: Vec<_> = from_file.into_iter().chain([root.to_owned()]).chain(from_executable).collect();
    candidates.dedup();
    candidates
}

/// The first folder that has all files that the pages will ask for: an older build may share some
/// of them with this one.
fn find_site(
    mut options: LeptosOptions,
    candidates: &[PathBuf],
    hashes: Option<&str>,
) -> Result<LeptosOptions, ConfigError> {
    let name = &options.output_name;
    let hashed = options.hash_files.then(|| hashed_files(name, hashes?)).flatten();
    let plain = format!("{name}.js");
    for root in candidates {
        let package = root.join(options.site_pkg_dir.as_ref());
        let has = |file: &String| package.join(file).is_file();
        let has_hashed = hashed.as_ref().is_some_and(|files| files.iter().all(has));
        if has_hashed || has(&plain) {
            options.site_root = root.to_string_lossy().into();
            options.hash_files = has_hashed;
            return Ok(options);
        }
    }
    let tried: Vec<_> = candidates.iter().map(|root| root.display().to_string()).collect();
    Err(ConfigError::NoSite { tried: tried.join(" or ") })
}

/// From lines of `kind: hash`, as cargo-leptos writes them beside the executable.
fn hashed_files(name: &str, hashes: &str) -> Option<Vec<String>> {
    let pairs = hashes.lines().filter_map(|line| line.split_once(':'));
    let files: Vec<_> = pairs.map(|(kind, hash)| format!("{name}.{}.{}", hash.trim(), kind.trim())).collect();
    (!files.is_empty()).then_some(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> LeptosOptions {
        LeptosOptions::builder().output_name("pickmate").site_root("target/site").hash_files(true).build()
    }

    fn site_with(files: &[&str]) -> tempfile::TempDir {
        let site = tempfile::tempdir().unwrap();
        std::fs::create_dir(site.path().join("pkg")).unwrap();
        for file in files {
            std::fs::write(site.path().join("pkg").join(file), "").unwrap();
        }
        site
    }

    #[test]
    fn the_site_that_fits_the_hashes_is_taken() {
        let stale = site_with(&["pickmate.new.js", "pickmate.old.wasm"]);
        let fitting = site_with(&["pickmate.new.js", "pickmate.new.wasm"]);
        let candidates = [stale.path().to_owned(), fitting.path().to_owned()];
        let found = find_site(options(), &candidates, Some("js: new\nwasm: new\n")).unwrap();
        assert_eq!(Path::new(found.site_root.as_ref()), fitting.path());
        assert!(found.hash_files);
    }

    #[test]
    fn a_site_without_hashes_is_served_without() {
        let site = site_with(&["pickmate.js"]);
        let found = find_site(options(), &[site.path().to_owned()], None).unwrap();
        assert!(!found.hash_files);
    }

    #[test]
    fn a_missing_site_is_one_sentence_that_says_what_to_do() {
        let sentence = find_site(options(), &["/a".into(), "/b".into()], None).unwrap_err().to_string();
        assert!(sentence.starts_with("there is no built site at /a or /b: run `make build`"), "{sentence}");
    }

    #[test]
    fn the_site_is_found_from_the_file_then_from_here_then_from_the_executable() {
        let file = SettingsFile::parse(Path::new("/etc/pickmate/Leptos.toml"), String::new()).unwrap();
        let found = candidates(&options(), Some(&file), Some(Path::new("/opt/target/release")));
        assert_eq!(found, ["/etc/pickmate/target/site", "target/site", "/opt/target/site"].map(PathBuf::from));
        assert_eq!(candidates(&options(), None, None), [Path::new("target/site")]);
    }

    #[test]
    fn leptos_reads_the_same_table_in_both_files() {
        let table = |text: &str| {
            let root: toml::Table = text.parse().unwrap();
            root["package"]["metadata"]["leptos"].clone()
        };
        assert_eq!(table(BUILT_IN), table(include_str!("../../../Cargo.toml")));
    }
}
