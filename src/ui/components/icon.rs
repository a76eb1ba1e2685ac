use leptos::prelude::*;

/// The icon set: 20 by 20, drawn with a stroke of 1.5. Icons are decoration; the control they stand in
/// carries the label.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Glyph {
    Add,
    AddPerson,
    Again,
    Alert,
    Bin,
    Check,
    Clip,
    Clock,
    Close,
    Down,
    Hash,
    Info,
    Leave,
    Lock,
    Menu,
    More,
    Pencil,
    People,
    Send,
    Settings,
}

impl Glyph {
    fn path(self) -> &'static str {
        match self {
            Glyph::Add => "M10 4v12M4 10h12",
            Glyph::AddPerson => {
                "M8 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6M2.5 16.5c0-2.8 2.4-4.5 5.5-4.5 1.2 0 2.3.3 3.2.7M15 11.5v5M12.5 14h5"
            }
            Glyph::Again => "M15.7 11.5a6 6 0 1 1-1.4-5.7L16 7.5M16 3.5v4h-4",
            Glyph::Alert => "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14M10 6.5v4M10 13.5v.01",
            Glyph::Bin => "M4 5.5h12M8 5.5v-2h4v2M5.5 5.5l.8 11h7.4l.8-11M8.5 8.5v5M11.5 8.5v5",
            Glyph::Check => "M4 10.5l4 4 8-9",
            Glyph::Clip => {
                "M14.5 9l-5.2 5.2a2.6 2.6 0 0 1-3.7-3.7l6-6a1.8 1.8 0 0 1 2.5 2.5l-5.9 5.9a.9.9 0 0 1-1.3-1.3l5-5"
            }
            Glyph::Clock => "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14M10 6v4l2.8 1.8",
            Glyph::Close => "M5 5l10 10M15 5L5 15",
            Glyph::Down => "M10 4v12M5 11l5 5 5-5",
            Glyph::Hash => "M7.8 3.5l-1.6 13M13.8 3.5l-1.6 13M3.8 7.5h13M3.2 12.5h13",
            Glyph::Info => "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14M10 9.5v4M10 6.5v.01",
            Glyph::Leave => "M8 3.5H4.5v13H8M12 6.5l3.5 3.5-3.5 3.5M15.5 10H8",
            Glyph::Lock => "M5 9h10v7.5H5zM7 9V6.5a3 3 0 0 1 6 0V9",
            Glyph::Menu => "M3.5 6h13M3.5 10h13M3.5 14h13",
            Glyph::More => "M4.5 10v.01M10 10v.01M15.5 10v.01",
            Glyph::Pencil => "M4 16l.8-3.4L13 4.4l2.6 2.6-8.2 8.2zM11.4 6l2.6 2.6",
            Glyph::People => {
                "M7.5 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6M2 16.5c0-2.8 2.4-4.5 5.5-4.5s5.5 1.7 5.5 4.5M13 3.8a3 3 0 0 1 0 5.4M15 12.4c1.8.7 3 2.1 3 4.1"
            }
            Glyph::Send => "M10 16V4M5 9l5-5 5 5",
            Glyph::Settings => {
                "M3.5 6.5h6M13.5 6.5h3M3.5 13.5h3M10.5 13.5h6M11.5 4.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4M8.5 11.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4"
            }
        }
    }
}

#[component]
pub fn Icon(glyph: Glyph) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
            <path d=glyph.path()/>
        </svg>
    }
}

/// The product's mark: people around a table.
#[component]
pub fn Mark() -> impl IntoView {
    view! {
        <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
            <circle class="mark-table" cx="16" cy="17" r="6.5"/>
            <circle class="mark-seat" cx="16" cy="5" r="3.75"/>
            <circle class="mark-seat" cx="26.4" cy="23" r="3.75"/>
            <circle class="mark-seat" cx="5.6" cy="23" r="3.75"/>
        </svg>
    }
}
