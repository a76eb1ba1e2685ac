//! What a task's card tells.

use super::super::Task;
use crate::protocol::TaskStatus;

impl Task {
    pub fn status(&self) -> TaskStatus {
        let said: Said = self.data.result.as_deref().map(Said::from_json).unwrap_or_default();
        TaskStatus {
            state: self.state,
            attempts: self.data.attempts,
            started: self.data.started_at,
            ended: self.ended_at,
            result: said.text,
            link: said.link,
            error: self.data.error.as_ref().map(|failure| failure.code.clone()),
        }
    }
}

/// What people read of a result: a text is one, an object may have one, and a link.
#[derive(Default, serde::Deserialize)]
struct Said {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    link: Option<String>,
}

impl Said {
    fn from_json(json: &str) -> Said {
        match serde_json::from_str::<String>(json) {
            Ok(text) => Said { text: Some(text), link: None },
            Err(_) => serde_json::from_str(json).unwrap_or_default(),
        }
    }
}
