//! The typed message catalogue: one struct of texts, filled in Korean and in English. A text that
//! is missing in a language does not compile. Dates and times are worded here too, from an offset
//! that the caller gives, so that server and browser say the same.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Locale {
    Ko,
    En,
}
