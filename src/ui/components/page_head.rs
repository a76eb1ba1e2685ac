use leptos::html::meta;
use leptos::prelude::*;

/// What the head of every document has: how it fits the screen, its colours and icons.
#[component]
pub fn PageHead() -> impl IntoView {
    view! {
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content"/>
        <meta name="color-scheme" content="light dark"/>
        {theme_color("(prefers-color-scheme: light)", "#fefdfc")}
        {theme_color("(prefers-color-scheme: dark)", "#191715")}
        <link rel="icon" href="/favicon.ico" sizes="32x32"/>
        <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
        <link rel="apple-touch-icon" href="/icon-180.png"/>
        <link rel="manifest" href="/site.webmanifest"/>
    }
}

/// Of the browser's own bars: the ground of the page.
fn theme_color(media: &'static str, color: &'static str) -> impl IntoView {
    meta().name("theme-color").content(color).attr("media", media)
}
