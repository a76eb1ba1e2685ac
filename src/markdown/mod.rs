//! Message source to a small tree that server and browser render alike. In this version: lines and links.

mod links;

#[cfg(test)]
mod tests;

/// A line of a message; `\n` stands between two of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    pub spans: Vec<Span<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span<'a> {
    Text(&'a str),
    /// An address that stands in the text: its target is what is written, and it begins with
    /// `http://`, `https://` or `mailto:` in any case.
    Link(&'a str),
}

impl<'a> Span<'a> {
    /// What it contributes to the source.
    pub fn source(self) -> &'a str {
        match self {
            Span::Text(text) | Span::Link(text) => text,
        }
    }
}

/// The addresses of web pages in a message, each once, in order.
pub fn web_links(source: &str) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for span in parse(source).into_iter().flat_map(|line| line.spans) {
        if let Span::Link(address) = span
            && address.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http"))
            && !found.contains(&address)
        {
            found.push(address);
        }
    }
    found
}

/// The lines of a message. Takes any text, in time proportional to its length; the sources of all
/// spans, joined with `\n` between lines, are the text again.
pub fn parse(source: &str) -> Vec<Line<'_>> {
    source.split('\n').map(|line| Line { spans: links::spans(line) }).collect()
}
