use super::*;
use proptest::prelude::*;

/// The links of a text.
fn links(source: &str) -> Vec<&str> {
    let spans = parse(source).into_iter().flat_map(|line| line.spans);
    spans.filter_map(|span| if let Span::Link(address) = span { Some(address) } else { None }).collect()
}

fn joined(lines: &[Line<'_>]) -> String {
    let sources: Vec<String> = lines.iter().map(|line| line.spans.iter().map(|span| span.source()).collect()).collect();
    sources.join("\n")
}

#[test]
fn lines_stay_lines() {
    let lines = parse("a\n\n b");
    let spans: Vec<_> = lines.into_iter().map(|line| line.spans).collect();
    assert_eq!(spans, [vec![Span::Text("a")], vec![], vec![Span::Text(" b")]]);
}

#[test]
fn addresses_become_links_and_the_rest_stays_text() {
    assert_eq!(
        parse("see https://a.kr/b now")[0].spans,
        [Span::Text("see "), Span::Link("https://a.kr/b"), Span::Text(" now")]
    );
    assert_eq!(links("http://a.kr HTTPS://B.kr mailto:a@b.kr"), ["http://a.kr", "HTTPS://B.kr", "mailto:a@b.kr"]);
    assert_eq!(
        links("https://a.kr/?q=1&r=[x]#y http://[::1]:3000/"),
        ["https://a.kr/?q=1&r=[x]#y", "http://[::1]:3000/"]
    );
}

#[test]
fn other_schemes_are_text() {
    for source in ["javascript:alert(1)", "data:text/html,x", "ftp://a.kr", "xhttp://a.kr", "file:///etc", "https:/a"] {
        assert!(links(source).is_empty(), "{source}");
    }
}

#[test]
fn schemes_without_an_address_are_text() {
    for source in ["https://", "http:// a", "mailto:", "mailto:a", "mailto:@", "https://.", "https://가나", "http:"] {
        assert!(links(source).is_empty(), "{source}");
    }
}

#[test]
fn the_sentence_keeps_its_punctuation() {
    for source in [
        "https://a.kr/b.",
        "https://a.kr/b?!",
        "(https://a.kr/b)",
        "\"https://a.kr/b\"",
        "https://a.kr/b,",
        "[https://a.kr/b]:",
    ] {
        assert_eq!(links(source), ["https://a.kr/b"], "{source}");
    }
    assert_eq!(links("https://a.kr/b_(c)"), ["https://a.kr/b_(c)"]);
    assert_eq!(links("https://a.kr/b)c"), ["https://a.kr/b"]);
}

#[test]
fn hangul_particles_stay_outside() {
    assert_eq!(links("https://a.kr를 보세요"), ["https://a.kr"]);
    assert_eq!(links("https://a.kr/b에서 봤어요"), ["https://a.kr/b"]);
    assert_eq!(links("https://a.kr/를 보세요"), ["https://a.kr/"]);
    assert_eq!(links("여기https://a.kr/b。"), ["https://a.kr/b"]);
}

#[test]
fn addresses_in_hangul_are_whole() {
    assert_eq!(links("https://a.kr/rooms/점심-뭐-먹지"), ["https://a.kr/rooms/점심-뭐-먹지"]);
    assert_eq!(links("https://a.kr/?q=회의 안건"), ["https://a.kr/?q=회의"]);
}

#[test]
fn many_beginnings_are_read_once() {
    // Quadratic reading of this would take minutes.
    let source = "mailto:https://((".repeat(100_000);
    assert_eq!(joined(&parse(&source)), source);
}

fn anything() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("https://".to_owned()),
        Just("http://a.kr/".to_owned()),
        Just("mailto:a@b".to_owned()),
        Just("\n".to_owned()),
        "[ ()\\[\\].,:/@가를é😀a-c]{0,6}",
        any::<String>(),
    ];
    prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn nothing_is_lost_or_added(source in anything()) {
        prop_assert_eq!(joined(&parse(&source)), source);
    }

    #[test]
    fn links_lead_only_where_they_may(source in anything()) {
        for link in links(&source) {
            let lower = link.to_ascii_lowercase();
            prop_assert!(["http://", "https://", "mailto:"].iter().any(|scheme| lower.starts_with(scheme)));
            prop_assert!(!link.contains(|c: char| c.is_whitespace() || c.is_control() || c == '<' || c == '"'));
        }
    }

    #[test]
    fn no_span_is_empty(source in anything()) {
        prop_assert!(parse(&source).iter().flat_map(|line| &line.spans).all(|span| !span.source().is_empty()));
    }
}
