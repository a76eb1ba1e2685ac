use crate::client::session::Session;
use crate::ui::components::{Glyph, Icon, NewRoom};
use crate::ui::live::{act, live, memo};
use crate::ui::reader::{Reader, texts};
use crate::ui::title;
use leptos::prelude::*;

/// `/rooms`: on a wide screen the place where a room will be; on a phone the list is the page.
#[component]
pub fn RoomsPage() -> impl IntoView {
    let texts = &texts().rooms;
    let rooms = Session::expect().rooms();
    let none = memo(move || rooms.read().is_empty());
    let making = RwSignal::new(false);
    let community = Reader::expect().start.community.name.clone();
    title::keep(Signal::stored(community));
    view! {
        <section class="state">
            <h1>{live(move || if none.get() { texts.none_title } else { texts.choose_title })}</h1>
            <p>{live(move || if none.get() { texts.none_text } else { texts.choose_text })}</p>
            <button type="button" class="button" hidden=live(move || !none.get()) on:click=act(move |_| making.set(true))>
                <Icon glyph=Glyph::Add/>
                {texts.new}
            </button>
        </section>
        <NewRoom open=making/>
    }
}
