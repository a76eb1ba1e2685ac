//! Pages and components. What they show comes from [`client`](crate::client) and
//! [`api`](crate::api), what they say from [`i18n`](crate::i18n). The first render is the same on
//! server and browser: no clock, no randomness, no window outside of effects and event handlers.

mod answer;
mod app;
mod attempt;
mod components;
mod first;
mod live;
mod loaded;
mod pages;
pub mod plain;
mod reader;
mod shell;
mod title;

pub use answer::AnswerStatus;
pub use app::App;
pub use first::SentPage;
pub use shell::shell;
