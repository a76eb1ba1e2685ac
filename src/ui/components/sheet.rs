use super::{Drawer, DrawerButton};
use leptos::prelude::*;

/// A page that is read and filled in, with the same bar on top as a room.
#[component]
pub fn Sheet(title: &'static str, children: Children) -> impl IntoView {
    view! {
        <section class="sheet">
            <header class="bar">
                <DrawerButton drawer=Drawer::Rooms class="only-narrow"/>
                <h1>{title}</h1>
            </header>
            <div class="sheet-body">
                <div class="sheet-column">{children()}</div>
            </div>
        </section>
    }
}
