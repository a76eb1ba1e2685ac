//! How the bytes of a page are text: its byte order mark, else what the header says, else what the page says at its
//! beginning, else UTF-8. <https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding>

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use html5gum::{StartTag, Token, Tokenizer};
use std::borrow::Cow;

/// Bytes in which a page has to name its encoding.
const DECLARED_WITHIN: usize = 1_024;

/// The text; what is no text of its encoding shows as U+FFFD. `content_type` in lower case.
pub(super) fn decode<'a>(page: &'a [u8], content_type: &str) -> Cow<'a, str> {
    let encoding = named_in(content_type).or_else(|| declared(page)).unwrap_or(UTF_8);
    // A byte order mark beats it.
    encoding.decode(page).0
}

/// Of a content type with a parameter `charset`.
fn named_in(content_type: &str) -> Option<&'static Encoding> {
    let (_, after) = content_type.split_once("charset")?;
    let value = after.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    Encoding::for_label(value.split(['"', '\'', ';', ' ']).next()?.as_bytes())
}

fn declared(page: &[u8]) -> Option<&'static Encoding> {
    let beginning = &page[..page.len().min(DECLARED_WITHIN)];
    Tokenizer::new(beginning).flatten().find_map(|token| match token {
        Token::StartTag(tag) if &**tag.name == b"meta" => of_meta(&tag),
        _ => None,
    })
}

/// A page that names UTF-16 in ASCII is not in it.
fn of_meta(tag: &StartTag<()>) -> Option<&'static Encoding> {
    let attribute = |name: &[u8]| {
        let (_, value) = tag.attributes.iter().find(|(key, _)| ***key == *name)?;
        Some(String::from_utf8_lossy(value).to_ascii_lowercase())
    };
    let named = match attribute(b"charset") {
        Some(label) => Encoding::for_label(label.trim().as_bytes()),
        None if attribute(b"http-equiv")? == "content-type" => named_in(&attribute(b"content")?),
        None => None,
    };
    named.map(|encoding| if encoding == UTF_16BE || encoding == UTF_16LE { UTF_8 } else { encoding })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `안녕` in EUC-KR.
    const KOREAN: &[u8] = b"\xbe\xc8\xb3\xe7";

    fn page(before: &str) -> Vec<u8> {
        [before.as_bytes(), KOREAN].concat()
    }

    #[test]
    fn the_header_names_the_encoding() {
        for charset in ["charset=euc-kr", "charset=\"ks_c_5601-1987\"", "charset = windows-949 ; a=b"] {
            assert_eq!(decode(&page(""), &format!("text/html; {charset}")), "안녕", "{charset}");
        }
    }

    #[test]
    fn else_the_page_does_at_its_beginning() {
        for before in [
            "<!doctype html><meta charset=\"EUC-KR\"><p>",
            "<META HTTP-EQUIV='Content-Type' CONTENT='text/html; charset=euc-kr'><p>",
            "<html><head><title></title><meta charset= euc-kr >",
        ] {
            assert!(decode(&page(before), "text/html").ends_with("안녕"), "{before}");
        }
        let late = format!("{}<meta charset=euc-kr>", " ".repeat(DECLARED_WITHIN));
        assert!(!decode(&page(&late), "text/html").ends_with("안녕"));
    }

    #[test]
    fn the_header_beats_the_page_and_a_mark_beats_both() {
        let before = "<meta charset=iso-8859-1>";
        assert!(decode(&page(before), "text/html; charset=euc-kr").ends_with("안녕"));
        let marked = [&b"\xef\xbb\xbf"[..], "안녕".as_bytes()].concat();
        assert_eq!(decode(&marked, "text/html; charset=euc-kr"), "안녕");
    }

    #[test]
    fn nothing_said_or_nothing_known_is_utf_8() {
        for content_type in ["text/html", "text/html; charset=nonsense", "text/html; charset="] {
            assert_eq!(decode("안녕".as_bytes(), content_type), "안녕");
        }
        assert_eq!(decode(b"a\xffb", "text/html"), "a\u{fffd}b");
        assert_eq!(decode("<meta charset=utf-16>안녕".as_bytes(), "").chars().last(), Some('녕'));
    }
}
