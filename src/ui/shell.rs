use super::app::App;
use super::components::PageHead;
use super::first::First;
use leptos::config::LeptosOptions;
use leptos::hydration::{AutoReload, HydrationScripts};
use leptos::prelude::*;
use leptos_meta::HashedStylesheet;

/// The document around the app, on the server. The stylesheet stands in the head before anything
/// is shown, so nothing is ever seen without it; and a browser that is slow shows nothing before it has read up to
/// the mark at the end (`frame.css`), or messages would move while more of them come.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang=First::language()>
            <head>
                <PageHead/>
                <title>{First::title()}</title>
                <HashedStylesheet options=options.clone() id="leptos"/>
                <AutoReload options=options.clone()/>
                <HydrationScripts options/>
            </head>
            <body>
                <App/>
                <span class="end-of-page" hidden></span>
            </body>
        </html>
    }
}
