use crate::client::conversation::MessageItem;
use crate::protocol::Preview;
use crate::ui::live::{live, memo};
use leptos::prelude::*;

/// What the links of a message lead to. Words of strangers, and none of their pictures: to load one would tell
/// them who reads.
#[component]
pub fn Previews(message: Memo<MessageItem>) -> impl IntoView {
    let list = memo(move || message.read().previews.clone());
    live(move || match list.get() {
        none if none.is_empty() => ().into_any(),
        // The message has been read out.
        list => {
            view! { <div class="previews" aria-live="off">{list.into_iter().map(card).collect_view()}</div> }.into_any()
        }
    })
}

fn card(Preview { url, title, description, site }: Preview) -> AnyView {
    // Whatever the page calls itself, where it is comes first.
    let mut place = host(&url).to_owned();
    if !site.is_empty() {
        place += " · ";
        place += &site;
    }
    view! {
        <a class="preview" href=url target="_blank" rel="noopener noreferrer nofollow">
            <span>{place}</span>
            <strong>{title}</strong>
            <span class="text">{description}</span>
        </a>
    }
    .into_any()
}

/// Where a web address leads, as it is written.
fn host(url: &str) -> &str {
    let rest = url.split_once("//").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn the_host_is_what_stands_before_the_path() {
        for (url, expected) in [
            ("https://a.example/b?c", "a.example"),
            ("HTTP://예시.한국", "예시.한국"),
            ("http://a.example:8080?b/c", "a.example:8080"),
        ] {
            assert_eq!(host(url), expected);
        }
    }
}
