use super::Key;
use super::invisible::is_invisible;
use serde::{Deserialize, Serialize};

/// An uploaded file, by a name that nobody can guess: 32 hexadecimal digits. Never reused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileId(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a file's id is 32 digits of 0-9 and a-f")]
pub struct FileIdError;

impl FileId {
    pub fn parse(text: &str) -> Result<FileId, FileIdError> {
        let clean = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if text.len() == 32 && clean { Ok(FileId(text.to_owned())) } else { Err(FileIdError) }
    }

    pub fn from_random(bits: [u8; 16]) -> FileId {
        FileId(Key::from_random(bits).as_str().to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a file is called: one line, no folder, nothing that cannot be seen. Whatever name it came with has such a one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    pub const MAX_CHARS: usize = 120;

    pub fn cleaned(text: &str) -> FileName {
        let name = text.rsplit(['/', '\\']).next().unwrap_or_default();
        let name: String = name.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        let name: String = name.chars().filter(|c| !c.is_control() && !is_invisible(*c)).collect();
        let name = shortened(name.trim());
        if name.trim_matches('.').is_empty() { FileName("file".to_owned()) } else { FileName(name) }
    }

    /// The same with another ending, which has a point.
    pub fn ending(&self, ending: &str) -> FileName {
        let stem = self.0.rsplit_once('.').map_or(self.0.as_str(), |(stem, _)| stem);
        FileName(format!("{}{ending}", if stem.is_empty() { "file" } else { stem }))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What tells its kind, at the end, is kept.
fn shortened(name: &str) -> String {
    let count = name.chars().count();
    if count <= FileName::MAX_CHARS {
        return name.to_owned();
    }
    let end = name.rfind('.').map_or("", |point| &name[point..]);
    let kept = if end.chars().count() <= 12 { end } else { "" };
    name.chars().take(FileName::MAX_CHARS - kept.chars().count()).chain(kept.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_what_random_bits_make() {
        let id = FileId::from_random([0xa5; 16]);
        assert_eq!(FileId::parse(id.as_str()), Ok(id));
        for bad in ["", "a5", &"A5".repeat(16), &"g5".repeat(16), &"a5".repeat(17), "../../../../../../../../etc/pass"]
        {
            assert_eq!(FileId::parse(bad), Err(FileIdError), "{bad}");
        }
    }

    #[test]
    fn every_name_becomes_one_that_can_be_shown_and_kept() {
        let cleaned = |name: &str| FileName::cleaned(name).as_str().to_owned();
        assert_eq!(cleaned("가족 사진.jpg"), "가족 사진.jpg");
        assert_eq!(cleaned("C:\\Users\\mina\\a.txt"), "a.txt");
        assert_eq!(cleaned("../../etc/passwd"), "passwd");
        assert_eq!(cleaned("a\nb\t\u{202e}gpj.exe\0"), "a b gpj.exe");
        for nothing in ["", " ", "..", ".", "/", "\u{200b}"] {
            assert_eq!(cleaned(nothing), "file");
        }
        let long = cleaned(&format!("{}.tar.gz", "가".repeat(300)));
        assert!(long.chars().count() == FileName::MAX_CHARS && long.ends_with("가.gz"), "{long}");
    }

    #[test]
    fn a_name_gets_the_ending_of_what_it_became() {
        let ending = |name: &str| FileName::cleaned(name).ending(".jpg").as_str().to_owned();
        assert_eq!(ending("a.b.webp"), "a.b.jpg");
        assert_eq!(ending("photo"), "photo.jpg");
        assert_eq!(ending(".png"), "file.jpg");
    }
}
