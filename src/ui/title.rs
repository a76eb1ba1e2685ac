//! The title of the tab: what is unread, what is open, where. The server words it for the document
//! that it sends, from the same data; afterwards the open page keeps it.

use super::live::effect;
use super::reader::Reader;
use crate::api::{FirstPage, Place};
use crate::client::session::{Session, unread_total};
use crate::protocol::{ErrorCode, MOST_UNREAD};
use leptos::prelude::*;

/// Keeps the title of the page that calls it, as long as it is open.
pub fn keep(name: Signal<String>) {
    let community = Reader::expect().start.community.name.clone();
    let unread = Session::expect().unread_total();
    effect(move || document().set_title(&title(unread.get(), &name.read(), &community)));
}

/// Of the document that the server sends for `path`.
pub fn of_document(page: &FirstPage, path: &str) -> Option<String> {
    let app = page.app.as_ref().ok()?;
    let (texts, community) = (app.locale.texts(), app.community.name.as_str());
    let name = match (&page.place, path.trim_end_matches('/')) {
        (Place::Room { start: Ok(start), .. }, _) => &start.room.name,
        (Place::Room { start: Err(error), .. }, _) if error.code != ErrorCode::NotFound => community,
        (Place::People { .. }, _) => texts.people.title,
        (Place::Tasks { .. }, _) => texts.tasks.title,
        (Place::Plain, "/rooms") => community,
        (Place::Plain, "/settings") => texts.settings.title,
        _ => return Some(texts.common.not_found_title.to_owned()),
    };
    Some(title(unread_total(&app.rooms), name, community))
}

fn title(unread: u32, name: &str, community: &str) -> String {
    let place = if name == community { name.to_owned() } else { format!("{name} · {community}") };
    match unread {
        0 => place,
        1..=MOST_UNREAD => format!("({unread}) {place}"),
        _ => format!("({MOST_UNREAD}+) {place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::title;

    #[test]
    fn the_title_counts_what_is_unread() {
        assert_eq!(title(0, "General", "한빛"), "General · 한빛");
        assert_eq!(title(3, "General", "한빛"), "(3) General · 한빛");
        assert_eq!(title(250, "General", "한빛"), "(99+) General · 한빛");
        assert_eq!(title(1, "한빛", "한빛"), "(1) 한빛");
    }
}
