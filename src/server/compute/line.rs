use serde::{Deserialize, Serialize};

/// How far a computation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub current: u64,
    pub total: u64,
}

/// What a child writes on its stdout, one JSON object a line. The last line is no `progress`.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line<T> {
    Progress(Step),
    Result(T),
    Error { code: String },
}
