use crate::client::session::{Link, Session};
use crate::ui::live::live;
use crate::ui::reader::texts;
use leptos::prelude::*;

/// The connection: one quiet dot, with words only when they matter. Words are said aloud when they
/// change.
#[component]
pub fn LinkState() -> impl IntoView {
    let texts = &texts().link;
    let link = Session::expect().link();
    let name = live(move || match link.get() {
        Link::Connecting => "connecting",
        Link::Live => "live",
        Link::Reconnecting => "reconnecting",
        Link::Offline => "offline",
        Link::SignedOut => "signed-out",
    });
    let words = move || match link.get() {
        Link::Connecting | Link::Live => None,
        Link::Reconnecting => Some(texts.reconnecting),
        Link::Offline => Some(texts.offline),
        Link::SignedOut => Some(texts.signed_out),
    };
    let tooltip = move || (link.get() == Link::Live).then_some(texts.live);
    view! {
        <p class="link" data-link=name title=live(tooltip) role="status">
            <span class="dot" aria-hidden="true"></span>
            {live(move || match words() {
                Some(words) => view! { <span class="words">{words}</span> }.into_any(),
                None => view! { <span class="unseen">{live(tooltip)}</span> }.into_any(),
            })}
        </p>
    }
}
