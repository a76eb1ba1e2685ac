//! Pages and components.

pub mod plain;

use leptos::prelude::*;

#[component]
pub fn App() -> impl IntoView {}
