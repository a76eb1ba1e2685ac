//! Commands that begin with a stroke, as they are typed into the composer. Pure. Their names are good in either
//! language.

use crate::i18n::Locale;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slash {
    Remind,
    Export,
    Demo,
}

impl Slash {
    pub const ALL: [Slash; 3] = [Slash::Remind, Slash::Export, Slash::Demo];

    /// In English and Korean, without the stroke.
    const fn names(self) -> [&'static str; 2] {
        match self {
            Slash::Remind => ["remind", "알림"],
            Slash::Export => ["export", "내보내기"],
            Slash::Demo => ["demo", "데모"],
        }
    }

    pub fn name(self, locale: Locale) -> &'static str {
        self.names()[usize::from(locale == Locale::Ko)]
    }

    /// Whether something is to follow its name.
    pub fn takes_arguments(self) -> bool {
        self == Slash::Remind
    }

    pub fn for_owners_only(self) -> bool {
        self == Slash::Demo
    }

    /// The kind of task that it starts, if that is all it does.
    pub fn task(self) -> Option<&'static str> {
        match self {
            Slash::Remind => None,
            Slash::Export => Some("export"),
            Slash::Demo => Some("demo"),
        }
    }

    /// What that task is given, as JSON: `zone` is where the reader is.
    pub fn arguments(self, zone: &str) -> String {
        if self == Slash::Export { format!("{{\"zone\":\"{zone}\"}}") } else { "{}".to_owned() }
    }

    fn of(name: &str) -> Option<Slash> {
        let name = name.to_ascii_lowercase();
        Slash::ALL.into_iter().find(|command| command.names().contains(&name.as_str()))
    }
}

/// What a text in the composer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed<'a> {
    /// To be said; of two strokes at the beginning one is left.
    Text(&'a str),
    Command(Slash, &'a str),
    /// It looks like a command, and there is none of that name.
    Unknown,
}

pub fn read(text: &str) -> Typed<'_> {
    let Some((name, rest)) = named(text) else {
        return Typed::Text(if text.starts_with("//") { &text[1..] } else { text });
    };
    match Slash::of(name) {
        Some(command) => Typed::Command(command, rest.trim()),
        None => Typed::Unknown,
    }
}

/// The name after the stroke, which is of letters only (a path is none), and what follows.
fn named(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('/')?;
    let (name, rest) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    (!name.is_empty() && name.chars().all(char::is_alphabetic)).then_some((name, rest))
}

/// Whether a name is being typed: the commands that it may become. `None` where the text is anything else.
pub fn offered(text: &str, is_owner: bool) -> Option<Vec<Slash>> {
    let name = text.strip_prefix('/')?.to_ascii_lowercase();
    if !name.chars().all(char::is_alphabetic) {
        return None;
    }
    let fits = |command: &Slash| command.names().iter().any(|known| known.starts_with(&name));
    let allowed = |command: &Slash| is_owner || !command.for_owners_only();
    let offered: Vec<Slash> = Slash::ALL.into_iter().filter(allowed).filter(fits).collect();
    (!offered.is_empty()).then_some(offered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_good_in_both_languages() {
        assert_eq!(read("/remind in 10m tea"), Typed::Command(Slash::Remind, "in 10m tea"));
        assert_eq!(read("/알림 10분 뒤 차"), Typed::Command(Slash::Remind, "10분 뒤 차"));
        assert_eq!(read("/Export"), Typed::Command(Slash::Export, ""));
        assert_eq!(read("/내보내기 "), Typed::Command(Slash::Export, ""));
        assert_eq!(read("/demo\nx"), Typed::Command(Slash::Demo, "x"));
    }

    #[test]
    fn what_is_no_command_is_said() {
        for text in ["hello", "/", "/ x", "/usr/bin", "/1", "a /demo", " /demo", ""] {
            assert_eq!(read(text), Typed::Text(text));
        }
        assert_eq!(read("//demo"), Typed::Text("/demo"));
        assert_eq!(read("///"), Typed::Text("//"));
    }

    #[test]
    fn an_unknown_name_is_not_said_by_accident() {
        for text in ["/dmeo", "/reminder 10m", "/알람"] {
            assert_eq!(read(text), Typed::Unknown, "{text}");
        }
    }

    #[test]
    fn commands_are_offered_while_their_name_is_typed() {
        assert_eq!(offered("/", true).unwrap(), Slash::ALL);
        assert_eq!(offered("/", false).unwrap(), [Slash::Remind, Slash::Export]);
        assert_eq!(offered("/R", false).unwrap(), [Slash::Remind]);
        assert_eq!(offered("/알", false).unwrap(), [Slash::Remind]);
        for text in ["", "x", "//", "/remind ", "/x", "/데", "/a/b"] {
            assert_eq!(offered(text, false), None, "{text}");
        }
    }
}
