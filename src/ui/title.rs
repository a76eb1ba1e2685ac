use super::reader::Reader;
use crate::client::session::Session;
use crate::protocol::MOST_UNREAD;
use leptos::prelude::*;
use leptos_meta::Title;

/// The title of the tab: what is unread, what is open, where.
#[component]
pub fn PageTitle(#[prop(into)] name: Signal<String>) -> impl IntoView {
    let community = Reader::expect().start.community.name.clone();
    let unread = Session::expect().unread_total();
    let text = ArcMemo::new(move |_| title(unread.get(), &name.read(), &community));
    // The server asks for the title when the page's signals may be out of its reach already: by
    // then it stands in the memo.
    text.read_untracked();
    view! { <Title text=move || text.get()/> }
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
