use std::fmt;

/// Why the store cannot do it now. `/readyz` tells the word, `docs/operating.md` what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The node stops, or the reason is not known.
    Unavailable,
    DiskFull,
    /// Another program holds the database.
    Locked,
    ReadOnly,
    /// The file is damaged or is no database.
    Corrupt,
    /// The file is gone.
    Missing,
    /// Another file stands in its place and is being opened.
    Replaced,
    /// The disk or the file system fails in another way.
    Io,
    /// The database server does not answer.
    Unreachable,
}

impl Reason {
    /// Stable: monitoring matches on it.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Unavailable => "unavailable",
            Reason::DiskFull => "disk_full",
            Reason::Locked => "locked",
            Reason::ReadOnly => "read_only",
            Reason::Corrupt => "corrupt",
            Reason::Missing => "missing",
            Reason::Replaced => "replaced",
            Reason::Io => "io",
            Reason::Unreachable => "unreachable",
        }
    }
}

/// A reason with words for operators, which may name files.
#[derive(Clone, Debug)]
pub struct Trouble {
    pub reason: Reason,
    words: String,
}

impl Trouble {
    pub fn new(reason: Reason, words: impl Into<String>) -> Trouble {
        Trouble { reason, words: words.into() }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl From<&str> for Trouble {
    fn from(words: &str) -> Trouble {
        Trouble::new(Reason::Unavailable, words)
    }
}

impl From<String> for Trouble {
    fn from(words: String) -> Trouble {
        Trouble::new(Reason::Unavailable, words)
    }
}
