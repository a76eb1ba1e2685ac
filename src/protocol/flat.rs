//! How events and frames are read: each as one flat object whose fields are all optional, then by
//! its kind. Serde's own reading of tagged enums keeps the whole object in a tree first and is
//! compiled once more for that tree, which more than doubles what a browser loads for it. The price
//! is a rule for later versions: a field name has one type in all kinds.

use super::{
    Attached, Author, ErrorCode, Event, EventKind, Limits, Preview, Previews, Refused, ServerFrame, TaskStatus,
};
use crate::domain::{Access, Progress, Seq, TaskId, TaskState};
use serde::Deserialize;

/// A field that an object of this kind must have.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("missing field `{0}`")]
pub struct Missing(&'static str);

fn required<T>(field: Option<T>, name: &'static str) -> Result<T, Missing> {
    field.ok_or(Missing(name))
}

#[derive(Deserialize)]
pub struct FlatEvent {
    seq: Seq,
    at: i64,
    kind: String,
    key: Option<String>,
    author: Option<Author>,
    body: Option<String>,
    rev: Option<Seq>,
    #[serde(default)]
    deleted: bool,
    files: Option<Vec<Attached>>,
    target: Option<Seq>,
    member: Option<Author>,
    by: Option<Author>,
    name: Option<String>,
    access: Option<Access>,
    previews: Option<Previews>,
    #[serde(default)]
    list: Vec<Preview>,
    days: Option<u32>,
    up_to: Option<Seq>,
    id: Option<TaskId>,
    task: Option<String>,
    state: Option<TaskState>,
    attempts: Option<u32>,
    started: Option<i64>,
    ended: Option<i64>,
    result: Option<String>,
    link: Option<String>,
    error: Option<String>,
}

impl FlatEvent {
    fn status(&mut self) -> Result<TaskStatus, Missing> {
        Ok(TaskStatus {
            state: required(self.state, "state")?,
            attempts: required(self.attempts, "attempts")?,
            started: self.started,
            ended: self.ended,
            result: self.result.take(),
            link: self.link.take(),
            error: self.error.take(),
        })
    }
}

impl TryFrom<FlatEvent> for Event {
    type Error = Missing;

    fn try_from(mut flat: FlatEvent) -> Result<Event, Missing> {
        let FlatEvent { seq, at, rev, deleted, .. } = flat;
        let body = flat.body.take();
        let kind = match flat.kind.as_str() {
            "posted" => EventKind::Posted {
                key: required(flat.key, "key")?,
                author: required(flat.author, "author")?,
                body,
                rev,
                deleted,
                files: flat.files.unwrap_or_default(),
                previews: flat.previews,
            },
            "edited" => {
                EventKind::Edited { target: required(flat.target, "target")?, rev: required(rev, "rev")?, body }
            }
            "deleted" => EventKind::Deleted { target: required(flat.target, "target")? },
            "preview" => EventKind::Preview { target: required(flat.target, "target")?, rev, list: flat.list },
            "joined" => EventKind::Joined { member: required(flat.member, "member")? },
            "left" => EventKind::Left { member: required(flat.member, "member")? },
            "renamed" => EventKind::Renamed { by: required(flat.by, "by")?, name: required(flat.name, "name")? },
            "access_changed" => {
                EventKind::AccessChanged { by: required(flat.by, "by")?, access: required(flat.access, "access")? }
            }
            "retention_changed" => EventKind::RetentionChanged { by: required(flat.by, "by")?, days: flat.days },
            "pruned" => EventKind::Pruned { up_to: required(flat.up_to, "up_to")? },
            "task" => EventKind::Task {
                status: flat.status()?,
                id: required(flat.id, "id")?,
                task: required(flat.task, "task")?,
                by: required(flat.by, "by")?,
                rev: required(rev, "rev")?,
            },
            "task_changed" => EventKind::TaskChanged {
                status: flat.status()?,
                target: required(flat.target, "target")?,
                rev: required(rev, "rev")?,
            },
            _ => EventKind::Unknown,
        };
        Ok(Event { seq, at, kind })
    }
}

#[derive(Deserialize)]
pub struct FlatFrame {
    #[serde(rename = "type")]
    kind: String,
    epoch: Option<String>,
    user: Option<Author>,
    server_time: Option<i64>,
    limits: Option<Limits>,
    ping_every_ms: Option<u32>,
    dead_after_ms: Option<u32>,
    #[serde(default)]
    typing_every_ms: u32,
    #[serde(default)]
    typing_shown_ms: u32,
    room: Option<String>,
    head: Option<Seq>,
    list: Option<Vec<Event>>,
    key: Option<String>,
    seq: Option<Seq>,
    code: Option<ErrorCode>,
    present: Option<Vec<Author>>,
    came: Option<Vec<Author>>,
    left: Option<Vec<Author>>,
    count: Option<u32>,
    task: Option<TaskId>,
    progress: Option<Progress>,
    retry_after_ms: Option<u32>,
}

impl TryFrom<FlatFrame> for ServerFrame {
    type Error = Missing;

    fn try_from(flat: FlatFrame) -> Result<ServerFrame, Missing> {
        let FlatFrame { key, retry_after_ms, .. } = flat;
        Ok(match flat.kind.as_str() {
            "hello" => ServerFrame::Hello {
                epoch: required(flat.epoch, "epoch")?,
                user: required(flat.user, "user")?,
                server_time: required(flat.server_time, "server_time")?,
                limits: required(flat.limits, "limits")?,
                ping_every_ms: required(flat.ping_every_ms, "ping_every_ms")?,
                dead_after_ms: required(flat.dead_after_ms, "dead_after_ms")?,
                typing_every_ms: flat.typing_every_ms,
                typing_shown_ms: flat.typing_shown_ms,
            },
            "joined" => ServerFrame::Joined {
                room: required(flat.room, "room")?,
                head: required(flat.head, "head")?,
                epoch: required(flat.epoch, "epoch")?,
            },
            "events" => ServerFrame::Events {
                room: required(flat.room, "room")?,
                epoch: required(flat.epoch, "epoch")?,
                list: required(flat.list, "list")?,
            },
            "ack" => ServerFrame::Ack { key: required(key, "key")?, seq: required(flat.seq, "seq")? },
            "refused" => {
                let code = required(flat.code, "code")?;
                ServerFrame::Refused(Refused { key, room: flat.room, code, retry_after_ms })
            }
            "gap" => ServerFrame::Gap { room: required(flat.room, "room")?, head: required(flat.head, "head")? },
            "revoked" => ServerFrame::Revoked { room: required(flat.room, "room")? },
            "read" => ServerFrame::Read { room: required(flat.room, "room")?, seq: required(flat.seq, "seq")? },
            "presence" => ServerFrame::Presence {
                room: required(flat.room, "room")?,
                present: flat.present,
                came: flat.came.unwrap_or_default(),
                left: flat.left.unwrap_or_default(),
                count: flat.count,
            },
            "typing" => ServerFrame::Typing { room: required(flat.room, "room")?, user: required(flat.user, "user")? },
            "progress" => ServerFrame::Progress {
                room: required(flat.room, "room")?,
                task: required(flat.task, "task")?,
                progress: required(flat.progress, "progress")?,
            },
            "rooms_changed" => ServerFrame::RoomsChanged,
            "draining" => ServerFrame::Draining { retry_after_ms: required(retry_after_ms, "retry_after_ms")? },
            "pong" => ServerFrame::Pong,
            _ => ServerFrame::Unknown,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::FileId;

    #[test]
    fn every_event_is_read_as_it_was_written() {
        let mina = Author { id: 1, name: "민아".into() };
        let status = TaskStatus {
            state: TaskState::Succeeded,
            attempts: 2,
            started: Some(3),
            ended: Some(4),
            result: Some("작업 완료".into()),
            link: None,
            error: None,
        };
        let (id, name, media_type) = (FileId::from_random([7; 16]), "a".into(), "image/png".into());
        let file = Attached { id, name, media_type, bytes: 1, width: Some(2), height: None };
        let list = vec![Preview { url: "https://a.example".into(), title: "A".into(), ..Preview::default() }];
        let previews = Some(Previews { rev: Seq(3), list: list.clone() });
        let kinds = [
            EventKind::Posted {
                key: "k".into(),
                author: mina.clone(),
                body: Some("안녕".into()),
                rev: Some(Seq(1)),
                deleted: false,
                files: vec![file],
                previews,
            },
            EventKind::Posted {
                key: "k".into(),
                author: mina.clone(),
                body: None,
                rev: None,
                deleted: true,
                files: vec![],
                previews: None,
            },
            EventKind::Preview { target: Seq(1), rev: Some(Seq(3)), list },
            EventKind::Preview { target: Seq(1), rev: None, list: vec![] },
            EventKind::Edited { target: Seq(1), rev: Seq(2), body: None },
            EventKind::Deleted { target: Seq(1) },
            EventKind::Joined { member: mina.clone() },
            EventKind::Left { member: mina.clone() },
            EventKind::Renamed { by: mina.clone(), name: "공지".into() },
            EventKind::AccessChanged { by: mina.clone(), access: Access::Closed },
            EventKind::RetentionChanged { by: mina.clone(), days: Some(90) },
            EventKind::RetentionChanged { by: mina.clone(), days: None },
            EventKind::Pruned { up_to: Seq(5) },
            EventKind::Task {
                id: TaskId::parse("a1").unwrap(),
                task: "demo".into(),
                by: mina,
                rev: Seq(7),
                status: status.clone(),
            },
            EventKind::TaskChanged { target: Seq(7), rev: Seq(8), status },
        ];
        for kind in kinds {
            let event = Event { seq: Seq(7), at: 1, kind };
            let json = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event, "{json}");
        }
    }

    #[test]
    fn every_frame_is_read_as_it_was_written() {
        let user = Author { id: 1, name: "민아".into() };
        let limits = Limits { body_bytes: 1, frame_bytes: 2, rooms_per_connection: 3, catch_up_events: 4 };
        let refused =
            Refused { key: None, room: Some("a".into()), code: ErrorCode::Forbidden, retry_after_ms: Some(5) };
        let frames = [
            ServerFrame::Hello {
                epoch: "e".into(),
                user: user.clone(),
                server_time: 1,
                limits,
                ping_every_ms: 2,
                dead_after_ms: 3,
                typing_every_ms: 4,
                typing_shown_ms: 5,
            },
            ServerFrame::Presence {
                room: "a".into(),
                present: Some(vec![user.clone()]),
                came: vec![],
                left: vec![],
                count: None,
            },
            ServerFrame::Presence {
                room: "a".into(),
                present: None,
                came: vec![user.clone()],
                left: vec![user.clone()],
                count: Some(7),
            },
            ServerFrame::Typing { room: "a".into(), user },
            ServerFrame::Joined { room: "a".into(), head: Seq(1), epoch: "e".into() },
            ServerFrame::Events { room: "a".into(), epoch: "e".into(), list: vec![] },
            ServerFrame::Ack { key: "k".into(), seq: Seq(1) },
            ServerFrame::Refused(refused),
            ServerFrame::Gap { room: "a".into(), head: Seq(9) },
            ServerFrame::Revoked { room: "a".into() },
            ServerFrame::Read { room: "a".into(), seq: Seq(1) },
            ServerFrame::Progress {
                room: "a".into(),
                task: TaskId::parse("a1").unwrap(),
                progress: Progress { current: 1, total: Some(5), message: Some("b".into()) },
            },
            ServerFrame::RoomsChanged,
            ServerFrame::Draining { retry_after_ms: 7 },
            ServerFrame::Pong,
        ];
        for frame in frames {
            let json = serde_json::to_string(&frame).unwrap();
            assert_eq!(serde_json::from_str::<ServerFrame>(&json).unwrap(), frame, "{json}");
        }
    }

    #[test]
    fn what_a_kind_must_have_is_missed() {
        assert!(serde_json::from_str::<Event>(r#"{"seq":1,"kind":"posted","at":1,"key":"k"}"#).is_err());
        assert!(serde_json::from_str::<ServerFrame>(r#"{"type":"gap","room":"a"}"#).is_err());
    }
}
