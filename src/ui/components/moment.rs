use crate::client::session::Session;
use crate::i18n::Locale;
use crate::ui::live::live;
use crate::ui::reader::Reader;
use leptos::prelude::*;

/// The time of day of something that was said, with the whole date on hover. Worded again when the
/// reader's exact zone is known.
#[component]
pub fn ClockTime(at: Memo<i64>) -> impl IntoView {
    let locale = Reader::expect().locale();
    let zone = Session::expect().zone();
    let offset = move || zone.get().offset_min_at(at.get());
    view! {
        <time datetime=live(move || Locale::datetime(at.get())) title=live(move || locale.moment(at.get(), offset()))>
            {live(move || locale.time(at.get(), offset()))}
        </time>
    }
}

/// Words for the day of `at`: today, yesterday, or its date.
pub fn day_words(at: i64) -> Box<dyn FnMut() -> String + Send> {
    let locale = Reader::expect().locale();
    let session = Session::expect();
    let (zone, now) = (session.zone(), session.now());
    live(move || locale.day(at, zone.get().offset_min_at(at), now.get()))
}
