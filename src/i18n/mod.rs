//! The typed message catalogue: one struct of texts, filled in Korean and in English. A text that
//! is missing in a language does not compile. Dates and times are worded here too, from an offset
//! that the caller gives, so that server and browser say the same.

mod catalogue;
mod dates;
mod en;
mod errors;
mod group;
mod hooks;
mod ko;
mod later;
mod locale;
mod transcript;

pub use catalogue::{Catalogue, Common, Dates, LinkWords, People, Plain, Rooms, Settings, SlashWords, Talk, Tasks};
pub use hooks::Hooks;
pub use later::Later;
pub use locale::Locale;

#[cfg(test)]
mod tests;
