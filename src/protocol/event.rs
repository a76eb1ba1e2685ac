use super::Attached;
use super::flat::FlatEvent;
use super::{Preview, Previews};
use crate::domain::{Access, Seq, TaskId, TaskState};
use serde::{Deserialize, Serialize};

/// Who did it: a snapshot of the account's name as served now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    pub id: i64,
    pub name: String,
}

/// One entry of a room's log as every member may see it. A body is never stored in the event:
/// `posted` and `edited` are served with the body and `rev` of the moment they are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "FlatEvent")]
pub struct Event {
    pub seq: Seq,
    /// Unix milliseconds of the commit, for display only; order is by `seq`.
    pub at: i64,
    #[serde(flatten)]
    pub kind: EventKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventKind {
    /// A message. Erased ones come with `deleted: true` and without `body`, `rev` and `files`.
    Posted {
        key: String,
        author: Author,
        #[serde(skip_serializing_if = "Option::is_none")]
        body: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        rev: Option<Seq>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        deleted: bool,
        /// In the order of their author. They never change.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        files: Vec<Attached>,
        #[serde(skip_serializing_if = "Option::is_none")]
        previews: Option<Previews>,
    },
    /// The message at `target` has a new body. `body` is absent once the message is erased.
    Edited {
        target: Seq,
        rev: Seq,
        #[serde(skip_serializing_if = "Option::is_none")]
        body: Option<String>,
    },
    /// The message at `target` is erased.
    Deleted {
        target: Seq,
    },
    /// What the links of the message at `target` lead to. As it stands now: nothing, once the message was edited
    /// or erased.
    Preview {
        target: Seq,
        /// The seq of the event that brought the list; absent with it.
        #[serde(skip_serializing_if = "Option::is_none")]
        rev: Option<Seq>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        list: Vec<Preview>,
    },
    /// `member` is in the room from here on.
    Joined {
        member: Author,
    },
    /// `member` is not in the room from here on.
    Left {
        member: Author,
    },
    Renamed {
        by: Author,
        name: String,
    },
    AccessChanged {
        by: Author,
        access: Access,
    },
    /// Messages are kept for so many days from here on; without `days` for ever.
    RetentionChanged {
        by: Author,
        #[serde(skip_serializing_if = "Option::is_none")]
        days: Option<u32>,
    },
    /// Everything up to `up_to` is gone.
    Pruned {
        up_to: Seq,
    },
    /// Somebody started a task that the room can see: its card, served as it stands now.
    Task {
        id: TaskId,
        /// What kind of task.
        task: String,
        by: Author,
        /// Of the newest change that is in `status`.
        rev: Seq,
        #[serde(flatten)]
        status: TaskStatus,
    },
    /// The card at `target` has another status.
    TaskChanged {
        target: Seq,
        rev: Seq,
        #[serde(flatten)]
        status: TaskStatus,
    },
    /// Of a later version: counts for density and is otherwise ignored.
    Unknown,
}

/// What a task's card tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskStatus {
    pub state: TaskState,
    /// Runs that have begun.
    pub attempts: u32,
    /// Unix milliseconds of the last run's begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<i64>,
    /// Unix milliseconds; of a task that will not run again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<i64>,
    /// For people, once it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// A path of this server where the result can be fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// A stable code: why the last run failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl EventKind {
    /// The message or card that the event changes.
    pub fn target(&self) -> Option<Seq> {
        match self {
            EventKind::Edited { target, .. }
            | EventKind::Deleted { target }
            | EventKind::Preview { target, .. }
            | EventKind::TaskChanged { target, .. } => Some(*target),
            _ => None,
        }
    }

    /// Whether the event is a row of the conversation, rather than a change to another row.
    pub fn makes_row(&self) -> bool {
        self.target().is_none() && !matches!(self, EventKind::Pruned { .. } | EventKind::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(json: &str) -> Event {
        let event: Event = serde_json::from_str(json).unwrap();
        let again = serde_json::to_string(&event).unwrap();
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&again).unwrap(),
            serde_json::from_str::<serde_json::Value>(json).unwrap()
        );
        event
    }

    #[test]
    fn the_published_shapes_are_kept() {
        round_trip(
            r#"{"seq":42,"kind":"posted","key":"k1","author":{"id":1,"name":"민아"},"at":1763800000000,"body":"안녕","rev":42}"#,
        );
        round_trip(
            r#"{"seq":42,"kind":"posted","key":"k1","author":{"id":1,"name":"민아"},"at":1763800000000,"deleted":true}"#,
        );
        round_trip(
            r#"{"seq":43,"kind":"posted","key":"k2","author":{"id":1,"name":"민아"},"at":1763800000000,"body":"","rev":43,
            "files":[{"id":"0123456789abcdef0123456789abcdef","name":"a.jpg","type":"image/jpeg","bytes":9,"width":3,"height":2}]}"#,
        );
        round_trip(r#"{"seq":50,"kind":"edited","target":42,"rev":50,"body":"네","at":1763800000000}"#);
        round_trip(r#"{"seq":51,"kind":"deleted","target":42,"at":1763800000000}"#);
        round_trip(
            r#"{"seq":60,"kind":"preview","target":42,"rev":60,"list":[{"url":"https://a.example","title":"A","description":"B","site":"C"}],"at":1}"#,
        );
        round_trip(r#"{"seq":60,"kind":"preview","target":42,"at":1}"#);
        round_trip(
            r#"{"seq":52,"kind":"access_changed","by":{"id":1,"name":"민아"},"access":"closed","at":1763800000000}"#,
        );
        round_trip(r#"{"seq":52,"kind":"retention_changed","by":{"id":1,"name":"민아"},"days":90,"at":1763800000000}"#);
        round_trip(r#"{"seq":60,"kind":"pruned","up_to":41,"at":1763800000000}"#);
        round_trip(
            r#"{"seq":53,"kind":"task","id":"a1","task":"demo","by":{"id":1,"name":"민아"},"rev":55,"state":"failed","attempts":1,"started":2,"ended":3,"error":"timed_out","at":1763800000000}"#,
        );
        round_trip(
            r#"{"seq":55,"kind":"task_changed","target":53,"rev":55,"state":"succeeded","attempts":1,"result":"작업 완료","link":"/files/a","at":1763800000000}"#,
        );
    }

    #[test]
    fn an_unknown_kind_is_kept_for_its_seq() {
        let event: Event = serde_json::from_str(r#"{"seq":7,"kind":"pick_opened","at":1,"pick":{"id":1}}"#).unwrap();
        assert_eq!((event.seq, event.kind), (Seq(7), EventKind::Unknown));
    }
}
