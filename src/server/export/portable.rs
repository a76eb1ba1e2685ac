//! Names that every system bears: Windows keeps some for devices, and none bears any length.

/// Bytes of a name that every file system takes, also one that encrypts names.
const MAX_BYTES: usize = 140;

/// An ending is kept if it is no longer.
const ENDING_BYTES: usize = 16;

/// Devices, whatever stands behind a point: `con.txt` is one too.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// Devices that have a number, in any of its shapes.
const NUMBERED: [&str; 2] = ["com", "lpt"];

/// The name as it is, or as near to it as can be.
pub fn name_for_all(name: &str) -> String {
    let strange = |c: char| c.is_control() || r#"\/:*?"<>|"#.contains(c);
    let name: String = name.chars().map(|c| if strange(c) { '_' } else { c }).collect();
    let name = shortened(name.trim_end_matches(['.', ' ']));
    match name.is_empty() || is_device(&name) {
        true => format!("_{name}"),
        false => name,
    }
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    let numbered = |device: &str| {
        let number = stem.strip_prefix(device).unwrap_or_default();
        number.chars().count() == 1 && number.chars().all(|c| c.is_ascii_digit() || "¹²³".contains(c))
    };
    DEVICES.contains(&stem.as_str()) || NUMBERED.into_iter().any(numbered)
}

/// What tells its kind, at the end, is kept.
fn shortened(name: &str) -> String {
    if name.len() <= MAX_BYTES {
        return name.to_owned();
    }
    let ending = name.rfind('.').map_or("", |point| &name[point..]);
    let ending = if ending.len() <= ENDING_BYTES { ending } else { "" };
    let stem = &name[..name.floor_char_boundary(MAX_BYTES - ending.len())];
    format!("{}{ending}", stem.trim_end_matches(['.', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_some_system_does_not_bear_is_changed_and_nothing_else() {
        for (name, expected) in [
            ("가족 사진.jpg", "가족 사진.jpg"),
            (".profile", ".profile"),
            ("a:b?.txt. ", "a_b_.txt"),
            ("..\\x", ".._x"),
            ("a\tb\u{7f}", "a_b_"),
            ("...", "_"),
            (" . .", "_"),
        ] {
            assert_eq!(name_for_all(name), expected, "{name:?}");
        }
    }

    #[test]
    fn names_of_devices_are_no_names_of_files() {
        for name in
            ["CON", "nul.txt", "Aux .tar.gz", "prn.", "COM1", "com0.log", "lpt9", "LPT².txt", "CONIN$", "conout$.a"]
        {
            assert_eq!(name_for_all(name), format!("_{}", name.trim_end_matches('.')), "{name:?}");
        }
        for name in ["console.txt", "con-1.txt", "common", "com10.txt", "com", "null", "lpt", "a.con"] {
            assert_eq!(name_for_all(name), name);
        }
    }

    #[test]
    fn a_long_name_becomes_one_that_fits_and_keeps_its_ending() {
        let long = name_for_all(&format!("{}.tar.gz", "가".repeat(120)));
        assert!(long.len() <= MAX_BYTES && long.ends_with("가.gz"), "{long}");
        let odd = name_for_all(&format!("a{}", ".가".repeat(120)));
        assert!(odd.len() <= MAX_BYTES && odd.ends_with("가"), "{odd}");
        assert_eq!(name_for_all(&"x".repeat(MAX_BYTES)).len(), MAX_BYTES);
    }
}
