//! Addresses in running text, found without a pattern engine: one pass, no step back.

use super::Span;

const MAIL: &str = "mailto:";
const SCHEMES: [&str; 3] = ["https://", "http://", MAIL];

/// What a Korean writer attaches to a word. Alone after a slash it belongs to the sentence, not to
/// the address.
const PARTICLES: [&str; 24] = [
    "은", "는", "이", "가", "을", "를", "의", "에", "로", "와", "과", "도", "만", "요", "랑", "에서", "에는", "에도",
    "으로", "까지", "부터", "하고", "이랑", "보다",
];

/// Cuts a line into text and links.
pub fn spans(line: &str) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    let mut text_from = 0;
    let mut at = 0;
    while let Some(found) = line[at..].find(':') {
        let colon = at + found;
        at = colon + 1;
        let Some((start, scheme)) = scheme_ending(line, text_from, colon) else { continue };
        let rest_from = start + scheme.len();
        let end = rest_from + rest_len(&line[rest_from..]);
        // A failed attempt is passed over whole: nothing in it is looked at again.
        at = end;
        if !leads_somewhere(scheme, &line[rest_from..end]) {
            continue;
        }
        if start > text_from {
            spans.push(Span::Text(&line[text_from..start]));
        }
        spans.push(Span::Link(&line[start..end]));
        text_from = end;
    }
    if text_from < line.len() {
        spans.push(Span::Text(&line[text_from..]));
    }
    spans
}

/// The scheme of ours that has its colon at `colon`, and where it begins, if it is no part of a longer word.
fn scheme_ending(line: &str, from: usize, colon: usize) -> Option<(usize, &'static str)> {
    SCHEMES.into_iter().find_map(|scheme| {
        let start = colon.checked_sub(scheme.find(':')?).filter(|&start| start >= from)?;
        let fits = line.get(start..start + scheme.len())?.eq_ignore_ascii_case(scheme);
        let begins_word = !line[..start].ends_with(|c: char| c.is_ascii_alphanumeric());
        (fits && begins_word).then_some((start, scheme))
    })
}

/// Whether what stands behind the scheme is enough to go there.
fn leads_somewhere(scheme: &str, rest: &str) -> bool {
    if scheme == MAIL {
        rest.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
    } else {
        rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
    }
}

/// Bytes from behind the scheme to the end of the address: up to a blank, a character that no
/// address has, a closing bracket that was not opened, or letters of another script that only
/// follow a word; without the punctuation of the sentence.
fn rest_len(text: &str) -> usize {
    let mut open = Vec::new();
    let mut in_path = false;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let ends = match c {
            '(' | '[' => {
                open.push(c);
                false
            }
            ')' => open.pop() != Some('('),
            ']' => open.pop() != Some('['),
            _ if c.is_ascii() => !is_url_byte(c),
            // Other scripts only in the path, where a part of it begins or goes on.
            _ => !c.is_alphanumeric() || !in_path || before.is_ascii_alphanumeric() || before == ')',
        };
        if ends {
            return trimmed_len(&text[..at]);
        }
        in_path = in_path || c == '/';
        before = c;
    }
    trimmed_len(text)
}

fn is_url_byte(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | '`' | '{' | '}' | '|' | '\\' | '^')
}

/// Without the full stop, comma or quote of the sentence, and without a particle that alone follows a slash.
fn trimmed_len(address: &str) -> usize {
    let address = address.trim_end_matches(is_sentence_end);
    let tail = address.rsplit('/').next().unwrap_or_default();
    let particle = PARTICLES.contains(&tail);
    address.len() - if particle { tail.len() } else { 0 }
}

fn is_sentence_end(c: char) -> bool {
    matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '"' | '*' | '_' | '~' | '(' | '[')
}
