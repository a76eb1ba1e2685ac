//! The inputs that fuzzing started from, and those that it found, once more.

#[path = "../fuzz/laws.rs"]
mod laws;

use std::fs;
use std::path::Path;

/// Tries every kept input of a fuzz target.
fn replay(target: &str, law: fn(&[u8])) {
    // Cargo runs tests in the package's folder; the one it was compiled in may be another clone.
    let fuzz = Path::new("tests/fuzz");
    let inputs = ["corpus", "found"].map(|folder| fs::read_dir(fuzz.join(folder).join(target)).unwrap());
    let mut tried = 0;
    for input in inputs.into_iter().flatten() {
        let path = input.unwrap().path();
        println!("{}", path.display());
        law(&fs::read(path).unwrap());
        tried += 1;
    }
    assert!(tried > 1, "the inputs of {target} are gone");
}

#[test]
fn frames_that_were_found_are_read_by_both_readers_alike() {
    replay("frames", laws::frames);
}

#[test]
fn markdown_that_was_found_is_kept_whole() {
    replay("markdown", laws::markdown);
}

#[test]
fn settings_that_were_found_are_a_configuration_or_a_sentence() {
    replay("config", laws::config);
}
