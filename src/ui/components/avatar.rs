use leptos::prelude::*;

/// How many colours there are for people; `style/controls.css` has one rule for each.
const TONES: i64 = 8;

/// The first letter of a name, which the stylesheet writes large, on a colour that stays with the account. Decoration: the name stands beside it.
#[component]
pub fn Avatar(id: i64, #[prop(into)] name: String, #[prop(optional)] class: &'static str) -> impl IntoView {
    let initial: String = name.chars().take(1).collect();
    let tone = id.rem_euclid(TONES).to_string();
    view! { <span class=format!("avatar {class}") data-tone=tone aria-hidden="true">{initial}</span> }
}
