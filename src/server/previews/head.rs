//! Title, description and site from the head of a page. OpenGraph beats what Twitter reads, which beats the page's
//! own.

use crate::domain::excerpt;
use crate::protocol::Preview;
use html5gum::emitters::default::DefaultEmitter;
use html5gum::{StartTag, Token, Tokenizer};

/// Characters of a title, a description and a site's name.
const TITLE_CHARS: usize = 200;
const DESCRIPTION_CHARS: usize = 300;
const SITE_CHARS: usize = 60;

/// A page that has not come to its body by then does not get there.
const MAX_TOKENS: usize = 20_000;

/// Names of `meta` elements, the best first.
const TITLES: [&str; 2] = ["og:title", "twitter:title"];
const DESCRIPTIONS: [&str; 3] = ["og:description", "twitter:description", "description"];
const SITES: [&str; 2] = ["og:site_name", "application-name"];

/// The title is empty where the page has none.
pub(super) fn read(page: &str) -> Preview {
    let mut emitter = DefaultEmitter::default();
    // Or what stands in scripts and titles would be taken for elements.
    emitter.naively_switch_states(true);
    let mut head = Head::default();
    for token in Tokenizer::new_with_emitter(page, emitter).flatten().take(MAX_TOKENS) {
        match token {
            Token::StartTag(tag) => match &**tag.name {
                b"body" => break,
                b"title" if head.title.is_none() => head.in_title = true,
                b"meta" => head.meta(&tag),
                _ => {}
            },
            Token::EndTag(tag) => match &**tag.name {
                b"head" => break,
                _ => head.in_title = false,
            },
            Token::String(text) if head.in_title => {
                head.title.get_or_insert_default().push_str(&String::from_utf8_lossy(&text));
            }
            _ => {}
        }
    }
    let own = head.title.take().unwrap_or_default();
    Preview {
        url: String::new(),
        title: excerpt(head.first_of(&TITLES).unwrap_or(&own), TITLE_CHARS),
        description: excerpt(head.first_of(&DESCRIPTIONS).unwrap_or_default(), DESCRIPTION_CHARS),
        site: excerpt(head.first_of(&SITES).unwrap_or_default(), SITE_CHARS),
    }
}

#[derive(Default)]
struct Head {
    in_title: bool,
    title: Option<String>,
    /// The first of each name that says something.
    metas: Vec<(String, String)>,
}

impl Head {
    fn meta(&mut self, tag: &StartTag<()>) {
        let attribute = |name: &[u8]| {
            let (_, value) = tag.attributes.iter().find(|(key, _)| ***key == *name)?;
            Some(String::from_utf8_lossy(value).into_owned())
        };
        let Some(content) = attribute(b"content").filter(|content| !content.trim().is_empty()) else { return };
        for name in [attribute(b"property"), attribute(b"name")].into_iter().flatten() {
            let name = name.trim().to_ascii_lowercase();
            let wanted = TITLES.iter().chain(&DESCRIPTIONS).chain(&SITES).any(|wanted| *wanted == name);
            if wanted && !self.metas.iter().any(|(known, _)| *known == name) {
                self.metas.push((name, content.clone()));
            }
        }
    }

    fn first_of(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| {
            let (_, content) = self.metas.iter().find(|(known, _)| known == name)?;
            Some(content.as_str())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(page: &str) -> (String, String, String) {
        let Preview { title, description, site, .. } = read(page);
        (title, description, site)
    }

    fn title(page: &str) -> String {
        shown(page).0
    }

    #[test]
    fn opengraph_beats_twitter_beats_the_pages_own() {
        let own = "<title>own</title><meta name=description content='own text'>";
        let twitter = "<meta name=twitter:title content=bird><meta name=twitter:description content='bird text'>";
        let graph = "<meta property='og:title' content='graph'><meta property=og:description content='graph text'>
            <meta property=og:site_name content=Site>";
        assert_eq!(shown(own), ("own".into(), "own text".into(), "".into()));
        assert_eq!(shown(&[own, twitter].concat()), ("bird".into(), "bird text".into(), "".into()));
        assert_eq!(shown(&[own, twitter, graph].concat()), ("graph".into(), "graph text".into(), "Site".into()));
        assert_eq!(shown(&[graph, twitter, own].concat()), ("graph".into(), "graph text".into(), "Site".into()));
    }

    #[test]
    fn entities_and_blanks_are_read_as_a_browser_does() {
        assert_eq!(title("<title>\n  Tom &amp; Jerry &#8211; &lt;b&gt;\n</title>"), "Tom & Jerry – <b>");
        assert_eq!(title("<TITLE>안녕</TITLE >"), "안녕");
        assert_eq!(title("<meta property=OG:Title content='&quot;a&quot;'>"), "\"a\"");
    }

    #[test]
    fn what_is_no_head_is_not_read() {
        assert_eq!(title("<head></head><body><title>late</title>"), "");
        assert_eq!(title("<body><meta property=og:title content=late>"), "");
        assert_eq!(title("<script>'<title>a</title>'</script><title>b</title>"), "b");
        assert_eq!(title("<!-- <title>a</title> --><title>b</title><title>c</title>"), "b");
        assert_eq!(title("<svg><title>"), "");
        assert_eq!(title(""), "");
    }

    #[test]
    fn what_is_empty_gives_way() {
        assert_eq!(title("<meta property=og:title content=' '><title>own</title>"), "own");
    }

    #[test]
    fn text_is_short_and_plain() {
        let page = format!(
            "<title>{}\u{202e}</title><meta name=description content='{}'>",
            "가".repeat(999),
            "a ".repeat(999)
        );
        let (title, description, _) = shown(&page);
        assert_eq!((title.chars().count(), title.ends_with('…')), (TITLE_CHARS, true));
        assert_eq!((description.chars().count(), description.ends_with('…')), (DESCRIPTION_CHARS, true));
        assert!(!title.contains('\u{202e}'));
    }

    #[test]
    fn a_page_of_nothing_but_tags_ends() {
        let page = format!("{}<title>late</title>", "<i>".repeat(300_000));
        assert_eq!(title(&page), "");
        let attributes: String = (0..100_000).map(|n| format!(" a{n}=b")).collect();
        assert_eq!(title(&format!("<meta{attributes}><title>after</title>")), "after");
    }
}
