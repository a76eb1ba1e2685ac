use super::{Glyph, Icon};
use crate::client::conversation::Item;
use crate::client::room_session::{Older, RoomSession};
use crate::client::scroll::{self, Anchor};
use crate::domain::Seq;
use crate::ui::live::{act, effect, live, memo};
use crate::ui::reader::{Reader, texts};
use leptos::html;
use leptos::prelude::*;
use std::sync::Arc;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::HtmlElement;

/// Where the reader is in a conversation. At its end new rows are followed; above it the row that is
/// looked at stays where it is, whatever comes before or after it.
#[derive(Clone, Copy)]
pub struct ReaderPlace {
    pub viewport: NodeRef<html::Div>,
    at_end: RwSignal<bool>,
    /// The row looked at, while the reader is above the end.
    anchor: StoredValue<Option<Anchor>>,
    /// Scroll position and height when the anchor was last right.
    settled: StoredValue<(i32, i32)>,
    /// The newest row when the reader was at the end.
    seen: RwSignal<Seq>,
}

impl ReaderPlace {
    pub fn new() -> ReaderPlace {
        ReaderPlace {
            viewport: NodeRef::new(),
            at_end: RwSignal::new(true),
            anchor: StoredValue::new(None),
            settled: StoredValue::new((0, 0)),
            seen: RwSignal::new(Seq::ZERO),
        }
    }

    /// Goes to the newest row.
    pub fn to_end(self) {
        self.anchor.set_value(None);
        if let Some(viewport) = self.viewport.get_untracked() {
            scroll::scroll_to_end(&viewport);
        }
    }

    /// The viewport was scrolled.
    pub fn moved(self, session: RoomSession) {
        let Some(viewport) = self.viewport.get_untracked() else { return };
        let at_end = scroll::element_is_at_end(&viewport);
        self.follow_scroll(&viewport, at_end);
        self.anchor.with_value(|anchor| session.reads(anchor.as_ref().map(|anchor| anchor.key.as_str())));
        if at_end != self.at_end.get_untracked() {
            self.at_end.set(at_end);
        }
        if scroll::element_is_near_beginning(&viewport) {
            load_more(session);
        }
    }

    /// Scrolling that the page did itself changes no place. Rows that came in this very frame have
    /// not been made up for yet (`hold` does that after layout), so what is seen now is not the
    /// place; the place moves as far as the reader scrolled.
    fn follow_scroll(self, viewport: &HtmlElement, at_end: bool) {
        let (top, height) = (viewport.scroll_top(), viewport.scroll_height());
        let (top_before, height_before) = self.settled.get_value();
        if top == top_before && !at_end {
            return;
        }
        let pushed_px = if height_before == 0 { 0 } else { height - height_before };
        self.settled.set_value((top, height_before));
        self.anchor.update_value(|anchor| match anchor {
            Some(anchor) if !at_end && height != height_before => anchor.offset_px -= top - top_before,
            _ if at_end => *anchor = None,
            Some(_) => *anchor = scroll::capture(viewport),
            // From the end, where new rows push the others up.
            None => *anchor = scroll::capture(viewport).map(|place| place.lower_by(pushed_px)),
        });
    }

    /// Holds the place from now on: in the browser, while the component lives.
    pub fn keep(self, session: RoomSession, history: NodeRef<html::Div>) {
        effect(move || {
            let newest = session.with_items(|items| items.iter().rev().find_map(seq));
            if self.at_end.get() {
                if let Some(newest) = newest {
                    self.seen.set(newest);
                }
                session.seen_to_end();
            }
        });
        effect(move || {
            let Some(history) = history.get() else { return };
            // Runs after layout and before paint, so a correction is never seen.
            let resized: Closure<dyn FnMut()> = Closure::new(move || self.hold(session));
            let Ok(observer) = web_sys::ResizeObserver::new(resized.as_ref().unchecked_ref()) else { return };
            observer.observe(&history);
            let kept = StoredValue::new_local((observer, resized));
            on_cleanup(move || {
                kept.with_value(|(observer, _)| observer.disconnect());
            });
        });
    }

    /// Whether the newest row is in sight; followed.
    pub fn is_at_end(self) -> bool {
        self.at_end.get()
    }

    /// Rows came or went.
    fn hold(self, session: RoomSession) {
        let Some(viewport) = self.viewport.try_get_untracked().flatten() else { return };
        self.anchor.with_value(|anchor| {
            if let Some(anchor) = anchor {
                scroll::restore(&viewport, anchor);
            }
        });
        self.settled.set_value((viewport.scroll_top(), viewport.scroll_height()));
        // At the end nobody looks for older rows yet, unless there is nothing to scroll.
        let wanted = !self.at_end.get_untracked() || scroll::element_has_nothing_above(&viewport);
        if wanted && scroll::element_is_near_beginning(&viewport) {
            load_more(session);
        }
    }

    /// Messages by others that came after the reader left the end.
    fn waiting(self, session: RoomSession) -> Memo<u32> {
        let reader = Reader::expect();
        memo(move || {
            if self.at_end.get() {
                return 0;
            }
            let seen = self.seen.get();
            session.with_items(|items| {
                let newer = items.iter().rev().take_while(|item| seq(item).is_none_or(|seq| seq > seen));
                newer
                    .filter(|item| matches!(&***item, Item::Message(message) if !reader.is_me(message.author.id)))
                    .count() as u32
            })
        })
    }
}

/// Fetches older rows before the reader gets there. What failed is tried again only by hand.
fn load_more(session: RoomSession) {
    if session.older().get_untracked() == Older::More {
        session.load_older();
    }
}

fn seq(item: &Arc<Item>) -> Option<Seq> {
    match &**item {
        Item::Message(message) => message.seq,
        Item::Notice(notice) => Some(notice.seq),
        Item::Task(task) => Some(task.seq),
        Item::Day(_) | Item::Seam(_) => None,
    }
}

/// The way back to the end, with the number of messages that wait there.
#[component]
pub fn ToLatest(place: ReaderPlace, session: RoomSession) -> impl IntoView {
    let texts = &texts().talk;
    let waiting = place.waiting(session);
    let some_wait = move || waiting.get() > 0;
    let words = move || match waiting.get() {
        0 => texts.to_latest.to_owned(),
        count => (texts.new_messages)(count),
    };
    live(move || {
        match place.at_end.get() {
        true => ().into_any(),
        false => view! {
            <div class="to-latest">
                <button type="button" class="button small" class:primary=live(some_wait) on:click=act(move |_| place.to_end())>
                    <Icon glyph=Glyph::Down/>
                    {live(words)}
                </button>
            </div>
        }
        .into_any(),
    }
    })
}
