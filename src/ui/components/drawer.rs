//! The columns beside the conversation become drawers where there is no room for them. Which one
//! is open stands in the address (`#rooms`, `#about`), so the browser's back button closes it, and
//! without scripts `:target` opens it.

use super::{Glyph, Icon, place};
use crate::ui::live::{act, live, memo};
use crate::ui::reader::texts;
use leptos::ev;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Drawer {
    Rooms,
    About,
}

/// The drawer that is open, for everything that has to step back meanwhile.
#[derive(Clone, Copy)]
pub struct OpenDrawer {
    open: Signal<Option<Drawer>>,
    /// Counts the looks at the layout, which tells whether the column is a drawer at all.
    looks: RwSignal<u32>,
    /// The page came with the drawer open: there is no step in the history that closes it.
    brought: RwSignal<bool>,
    closing: RwSignal<bool>,
    go: Callback<String>,
}

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
    /// Follows the address, from the moment the page lives: the server does not see the part after
    /// `#`. Where the column has room beside the conversation, no address makes it a drawer.
    pub fn provide(alive: Signal<bool>) -> OpenDrawer {
        let hash = use_location().hash;
        let looks = RwSignal::new(0);
        let open = memo(move || {
            looks.track();
            if !alive.get() {
                return None;
            }
            let is_open = |drawer: &Drawer| {
                hash.read().as_str() == drawer.hash() && place::is_shown(&format!("{} .only-drawer", drawer.hash()))
            };
            [Drawer::Rooms, Drawer::About].into_iter().find(is_open)
        });
        let navigate = use_navigate();
        let go = move |path: String| {
            let replace = open.get_untracked().is_some();
            navigate(&path, NavigateOptions { replace, ..NavigateOptions::default() });
        };
        let state = OpenDrawer {
            open: open.into(),
            looks,
            brought: RwSignal::new(!hash.read_untracked().is_empty()),
            closing: RwSignal::new(false),
            go: Callback::new(go),
        };
        provide_context(state);
        state.govern();
        state
    }

    pub fn expect() -> OpenDrawer {
        expect_context()
    }

    pub fn is(self, drawer: Drawer) -> bool {
        self.open.get() == Some(drawer)
    }

    pub fn is_any(self) -> bool {
        self.open.get().is_some()
    }

    /// The layout may have changed: a drawer's column came, or there is more room for it, or less.
    pub fn look(self) {
        self.looks.update(|looks| *looks += 1);
    }

    /// Goes to a page of the app, in the place of an open drawer.
    pub fn go(self, path: String) {
        self.go.run(path);
    }

    /// Closes what is open, once: the history takes a moment to step back.
    fn close(self) {
        if self.open.get_untracked().is_none() || self.closing.get_untracked() {
            return;
        }
        self.closing.set(true);
        if self.brought.get_untracked() {
            self.go(place::path());
        } else {
            place::go_back();
        }
    }

    /// Escape closes it. The focus goes into it, and back to its button afterwards.
    fn govern(self) {
        let on_key = window_event_listener(ev::keydown, move |event| {
            if event.key() == "Escape" && !place::is_there("dialog[open]") {
                self.close();
            }
        });
        let on_resize = window_event_listener(ev::resize, move |_| self.look());
        on_cleanup(move || {
            on_key.remove();
            on_resize.remove();
        });
        Effect::new(move |before: Option<Option<Drawer>>| {
            let now = self.open.get();
            self.closing.set(false);
            match (before.flatten(), now) {
                (None, Some(drawer)) => place::focus(drawer.hash()),
                (Some(drawer), None) => {
                    self.brought.set(false);
                    place::focus(&format!("[aria-controls={}]", drawer.id()));
                }
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
    let open = OpenDrawer::expect();
    view! {
        <button type="button" class="icon-button only-drawer" aria-label=texts.common.close on:click=act(move |_| open.close())>
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
        true => view! { <div class=classes.clone() aria-hidden="true" on:click=act(move |_| open.close())></div> }
            .into_any(),
        false => ().into_any(),
    })
}
