use crate::domain::Seq;
use serde::{Deserialize, Serialize};

/// What a link of a message leads to, as its page says. All of it is text of strangers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// As it stands in the message.
    pub url: String,
    pub title: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What the site calls itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub site: String,
}

/// The previews of a message, of which a later edit leaves none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previews {
    /// The seq of the event that brought them.
    pub rev: Seq,
    pub list: Vec<Preview>,
}
