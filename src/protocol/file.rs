use crate::domain::FileId;
use serde::{Deserialize, Serialize};

/// A file that a message carries. Its bytes are at `/files/ID`, of an image also a small one at `/files/ID/thumb`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    pub id: FileId,
    pub name: String,
    #[serde(rename = "type")]
    pub media_type: String,
    pub bytes: u64,
    /// Of an image, in pixels, with `height`: it can be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
}
