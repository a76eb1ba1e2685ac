use super::place::reload;
use crate::client::session::{Link, Session};
use crate::ui::live::{act, effect, live};
use crate::ui::reader::texts;
use leptos::prelude::*;

/// The connection: one quiet dot, with words only when they matter. Words are said aloud when they
/// change; that all is well, only after trouble.
#[component]
pub fn LinkState() -> impl IntoView {
    let texts = &texts().link;
    let link = Session::expect().link();
    let troubled = RwSignal::new(false);
    let name = live(move || match link.get() {
        Link::Connecting => "connecting",
        Link::Live => "live",
        Link::Reconnecting | Link::Crowded { .. } => "reconnecting",
        Link::Offline => "offline",
        Link::Stopped => "stopped",
        Link::SignedOut => "signed-out",
    });
    let words = move || match link.get() {
        Link::Connecting | Link::Live => None,
        Link::Reconnecting => Some(texts.reconnecting.to_owned()),
        Link::Crowded { seconds } => Some((texts.crowded)(seconds)),
        Link::Offline => Some(texts.offline.to_owned()),
        Link::Stopped => Some(texts.stopped.to_owned()),
        Link::SignedOut => Some(texts.signed_out.to_owned()),
    };
    effect(move || {
        if words().is_some() {
            troubled.set(true);
        }
    });
    let well = move || (link.get() == Link::Live).then(|| texts.live.to_owned());
    let said = move || words().or_else(|| well().filter(|_| troubled.get()));
    let unsaid = move || well().filter(|_| !troubled.get());
    view! {
        <p class="link" data-link=name title=live(well)>
            <span class="dot" aria-hidden="true"></span>
            <span class="unseen">{live(unsaid)}</span>
            <span role="status" class:unseen=live(move || words().is_none())>{live(said)}</span>
            <button type="button" class="button small" hidden=live(move || link.get() != Link::Stopped) on:click=act(|_| reload())>
                {texts.reload}
            </button>
        </p>
    }
}
