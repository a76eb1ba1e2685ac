//! The columns beside the conversation become drawers where there is no room for them. Which one
//! is open stands in the address (`#rooms`, `#about`), so the browser's back button closes it, and
//! without scripts `:target` opens it.

use super::{Glyph, Icon, place};
use crate::ui::live::{act, live, memo};
use crate::ui::reader::texts;
use leptos::ev;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Drawer {
    Rooms,
    About,
}

/// The drawer that is open, for everything that has to step back meanwhile.
#[derive(Clone, Copy)]
pub struct OpenDrawer(Signal<Option<Drawer>>);

impl Drawer {
    fn hash(self) -> &'static str {
        match self {
            Drawer::Rooms => "#rooms",
            Drawer::About => "#about",
        }
    }

    /// Id of the column.
    pub fn id(self) -> &'static str {
        &self.hash()[1..]
    }
}

impl OpenDrawer {
    /// Follows the address, from the moment the page lives: the server does not see the part after `#`.
    pub fn provide(alive: Signal<bool>) -> OpenDrawer {
        let hash = use_location().hash;
        let open = memo(move || {
            if !alive.get() {
                return None;
            }
            let named = |drawer: &Drawer| hash.read().as_str() == drawer.hash();
            [Drawer::Rooms, Drawer::About].into_iter().find(named)
        });
        let state = OpenDrawer(open.into());
        provide_context(state);
        state.govern();
        state
    }

    pub fn expect() -> OpenDrawer {
        expect_context()
    }

    pub fn is(self, drawer: Drawer) -> bool {
        self.0.get() == Some(drawer)
    }

    pub fn is_any(self) -> bool {
        self.0.get().is_some()
    }

    /// Escape closes it, and so does a window wide enough for the column. The focus goes into it,
    /// and back to its button afterwards.
    fn govern(self) {
        let open = self.0;
        let on_key = window_event_listener(ev::keydown, move |event| {
            if event.key() == "Escape" && open.get_untracked().is_some() && !place::is_there("dialog[open]") {
                place::go_back();
            }
        });
        let on_resize = window_event_listener(ev::resize, move |_| {
            let useless = |drawer: Drawer| !place::is_shown(&format!("#{} .only-drawer", drawer.id()));
            if open.get_untracked().is_some_and(useless) {
                place::go_back();
            }
        });
        on_cleanup(move || {
            on_key.remove();
            on_resize.remove();
        });
        Effect::new(move |before: Option<Option<Drawer>>| {
            let now = open.get();
            match (before.flatten(), now) {
                (None, Some(drawer)) => place::focus(drawer.hash()),
                (Some(drawer), None) => place::focus(&format!("[aria-controls={}]", drawer.id())),
                _ => {}
            }
            now
        });
    }
}

/// Opens a drawer.
#[component]
pub fn DrawerButton(drawer: Drawer, class: &'static str) -> impl IntoView {
    let texts = texts();
    let (glyph, label) = match drawer {
        Drawer::Rooms => (Glyph::Menu, texts.rooms.show_list),
        Drawer::About => (Glyph::Info, texts.rooms.about),
    };
    let open = OpenDrawer::expect();
    view! {
        <a
            class=format!("icon-button {class}")
            href=drawer.hash()
            data-noscroll
            aria-label=label
            title=label
            aria-controls=drawer.id()
            aria-expanded=live(move || if open.is(drawer) { "true" } else { "false" })
        >
            <Icon glyph/>
        </a>
    }
}

/// Stands in the drawer's own bar; seen only while the column is a drawer.
#[component]
pub fn DrawerClose() -> impl IntoView {
    let texts = texts();
    view! {
        <button type="button" class="icon-button only-drawer" aria-label=texts.common.close on:click=act(|_| place::go_back())>
            <Icon glyph=Glyph::Close/>
        </button>
    }
}

/// Darkens what is behind the drawer; a click closes it.
#[component]
pub fn Scrim(drawer: Drawer, class: &'static str) -> impl IntoView {
    let open = OpenDrawer::expect();
    let classes = format!("scrim {class}");
    live(move || match open.is(drawer) {
        true => {
            view! { <div class=classes.clone() aria-hidden="true" on:click=act(|_| place::go_back())></div> }.into_any()
        }
        false => ().into_any(),
    })
}
