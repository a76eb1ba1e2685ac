use crate::markdown::{self, Line, Span};
use leptos::prelude::*;

/// The body of a message: its lines, with addresses as links.
#[component]
pub fn Prose(source: String) -> impl IntoView {
    let lines = markdown::parse(&source).iter().enumerate().map(line).collect_view();
    view! { <div class="body">{lines}</div> }
}

fn line((at, line): (usize, &Line<'_>)) -> AnyView {
    let spans = line.spans.iter().map(|span| self::span(*span)).collect_view();
    view! { {(at > 0).then(|| view! { <br/> }.into_any())}{spans} }.into_any()
}

fn span(span: Span<'_>) -> AnyView {
    match span {
        Span::Text(text) => text.to_owned().into_any(),
        Span::Link(address) => {
            let (target, address) = (address.to_owned(), address.to_owned());
            view! { <a href=target target="_blank" rel="noopener noreferrer nofollow">{address}</a> }.into_any()
        }
    }
}
