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

/// The keys of things that have a number.
pub fn keys_of<T>(list: &[T], number: fn(&T) -> i64) -> Vec<Arc<str>> {
    list.iter().map(|thing| number(thing).to_string().into()).collect()
}

/// The thing that a key of [`keys_of`] stands for.
pub fn with_key<T: Clone>(list: &[T], number: fn(&T) -> i64, key: &str) -> Option<T> {
    let wanted: i64 = key.parse().ok()?;
    list.iter().find(|thing| number(thing) == wanted).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leads_back_to_what_it_was_made_of() {
        let things = [(7, "a"), (-1, "b")];
        let keys = keys_of(&things, |thing| thing.0);
        assert_eq!(with_key(&things, |thing| thing.0, &keys[1]), Some((-1, "b")));
        assert_eq!(with_key(&things, |thing| thing.0, "8"), None);
    }
}
