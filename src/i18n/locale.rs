use super::catalogue::Catalogue;
use super::{en::EN, ko::KO};
use serde::{Deserialize, Serialize};

/// A language that the interface speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Locale {
    Ko,
    En,
}

impl Locale {
    pub const ALL: [Locale; 2] = [Locale::Ko, Locale::En];

    /// The texts in this language.
    pub fn texts(self) -> &'static Catalogue {
        match self {
            Locale::Ko => &KO,
            Locale::En => &EN,
        }
    }

    /// BCP 47, for `lang` attributes, forms and cookies.
    pub fn tag(self) -> &'static str {
        match self {
            Locale::Ko => "ko",
            Locale::En => "en",
        }
    }

    /// The language by its own name, so that those who need it can read it.
    pub fn own_name(self) -> &'static str {
        match self {
            Locale::Ko => "한국어",
            Locale::En => "English",
        }
    }

    /// What [`tag`](Locale::tag) made, and nothing else.
    pub fn from_tag(tag: &str) -> Option<Locale> {
        Locale::ALL.into_iter().find(|locale| locale.tag() == tag)
    }

    /// The language that an `Accept-Language` header likes best; English when it names neither.
    pub fn from_accept_language(header: &str) -> Locale {
        let mut best: Option<(u32, Locale)> = None;
        for entry in header.split(',') {
            let mut parts = entry.split(';');
            let Some(locale) = parts.next().and_then(primary_language) else { continue };
            let weight = parts.find_map(weight).unwrap_or(1_000);
            // Of equals the first counts, and 0 means "not this one".
            if weight > best.map_or(0, |(weight, _)| weight) {
                best = Some((weight, locale));
            }
        }
        best.map_or(Locale::En, |(_, locale)| locale)
    }
}

fn primary_language(range: &str) -> Option<Locale> {
    let primary = range.trim().split('-').next()?;
    Locale::ALL.into_iter().find(|locale| locale.tag().eq_ignore_ascii_case(primary))
}

/// Thousandths of a `q=0.9` parameter; integers, because formatting and parsing floats is large in the browser.
fn weight(parameter: &str) -> Option<u32> {
    let value = parameter.trim().strip_prefix("q=")?.trim();
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(3);
    let thousandths = digits.fold(0, |sum, digit| sum * 10 + u32::from(digit.saturating_sub(b'0').min(9)));
    Some((whole.parse::<u32>().ok()?.min(1) * 1_000 + thousandths).min(1_000))
}
