use crate::client::conversation::NoticeItem;
use crate::domain::Access;
use crate::i18n::Talk;
use crate::protocol::EventKind;
use crate::ui::reader::texts;
use leptos::prelude::*;

/// A change to the room that everybody should know of.
#[component]
pub fn NoticeRow(notice: NoticeItem) -> impl IntoView {
    let words = notice_words(&texts().talk, &notice.kind);
    view! { <li class="notice" data-key=notice.key.to_string()>{words}</li> }
}

/// `None`: it is no notice.
pub fn notice_words(texts: &Talk, kind: &EventKind) -> Option<String> {
    Some(match kind {
        EventKind::Joined { member } => (texts.joined)(&member.name),
        EventKind::Left { member } => (texts.left)(&member.name),
        EventKind::Renamed { by, name } => (texts.renamed)(&by.name, name),
        EventKind::AccessChanged { by, access: Access::Open } => (texts.opened)(&by.name),
        EventKind::AccessChanged { by, access: Access::Closed } => (texts.closed)(&by.name),
        EventKind::RetentionChanged { by, days } => (texts.retention_changed)(&by.name, days.unwrap_or(0)),
        _ => return None,
    })
}
