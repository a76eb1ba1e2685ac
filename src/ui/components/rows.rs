use leptos::prelude::*;
use std::sync::Arc;

/// What draws one row, from its key.
pub type Row = Arc<dyn Fn(Arc<str>) -> AnyView + Send + Sync>;

/// Rows that stay where they are, with focus and all that is open in them, as long as their key is
/// there. What a row shows follows the data by itself.
#[component]
pub fn Rows(keys: Memo<Vec<Arc<str>>>, row: Row) -> impl IntoView {
    view! { <For each=move || keys.get() key=Arc::clone children=move |key| row(key)/> }
}

/// A key for something that has a number.
pub fn key_of(id: i64) -> Arc<str> {
    id.to_string().into()
}
