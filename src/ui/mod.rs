//! Pages and components.

pub mod plain;

use leptos::config::LeptosOptions;
use leptos::prelude::*;

#[component]
pub fn App() -> impl IntoView {}

/// The document around the app.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html>
            <head>
                <HydrationScripts options/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}
