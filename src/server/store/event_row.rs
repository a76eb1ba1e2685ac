//! An event between the log's columns and the wire, both ways.

use super::StoreError;
use super::columns::{access_column, access_from, damaged, seq_column, seq_from};
use crate::domain::{Access, RoomId, Seq, Slug, TaskId, UserId};
use crate::protocol::{Author, Event, EventKind, Preview, Previews, TaskStatus};
use serde::{Deserialize, Serialize};
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};
use std::collections::BTreeMap;

/// The kinds for which [`EventKind::makes_row`] holds, as an SQL list.
macro_rules! row_kinds {
    () => {
        "('posted', 'joined', 'left', 'renamed', 'access_changed', 'retention_changed', 'task')"
    };
}
pub(super) use row_kinds;

/// An event about to be stored, as it is served now.
#[derive(Clone, Debug)]
pub(super) struct NewEvent {
    pub room: RoomId,
    pub slug: Slug,
    /// Of the room, after the event.
    pub access: Access,
    /// `None`: the operator.
    pub actor: Option<UserId>,
    pub event: Event,
}

/// A row for the table `events`.
#[derive(Serialize)]
pub(super) struct EventColumns<'a> {
    room: i64,
    seq: i64,
    kind: &'static str,
    at: i64,
    actor: Option<i64>,
    member: Option<i64>,
    key: Option<&'a str>,
    target: Option<i64>,
    data: Option<String>,
}

#[derive(Serialize)]
struct HeadColumns {
    room: i64,
    seq: i64,
}

/// What the column `data` holds, by kind.
#[derive(Default, Serialize, Deserialize)]
struct EventData {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    access: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    days: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    up_to: Option<Seq>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    task: Option<CardData>,
}

/// What a card or a change of it holds.
#[derive(Serialize, Deserialize)]
struct CardData {
    /// Of a card: which task, of what kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<TaskId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    task: Option<String>,
    rev: Seq,
    status: TaskStatus,
}

impl EventData {
    fn of(kind: &EventKind) -> Option<EventData> {
        match kind {
            EventKind::Renamed { name, .. } => Some(EventData { name: Some(name.clone()), ..EventData::default() }),
            EventKind::AccessChanged { access, .. } => {
                Some(EventData { access: Some(access_column(*access).to_owned()), ..EventData::default() })
            }
            EventKind::RetentionChanged { days, .. } => Some(EventData { days: *days, ..EventData::default() }),
            EventKind::Pruned { up_to } => Some(EventData { up_to: Some(*up_to), ..EventData::default() }),
            EventKind::Task { id, task, rev, status, .. } => Some(EventData {
                task: Some(CardData {
                    id: Some(id.clone()),
                    task: Some(task.clone()),
                    rev: *rev,
                    status: status.clone(),
                }),
                ..EventData::default()
            }),
            EventKind::TaskChanged { rev, status, .. } => Some(EventData {
                task: Some(CardData { id: None, task: None, rev: *rev, status: status.clone() }),
                ..EventData::default()
            }),
            _ => None,
        }
    }
}

/// What stands in the column `data` of an event of this kind.
pub(super) fn data_column(kind: &EventKind) -> Result<Option<String>, StoreError> {
    EventData::of(kind).map(|data| json(&data)).transpose()
}

impl NewEvent {
    pub fn columns(&self) -> Result<EventColumns<'_>, StoreError> {
        let (mut member, mut key) = (None, None);
        match &self.event.kind {
            EventKind::Joined { member: who } | EventKind::Left { member: who } => member = Some(who.id),
            EventKind::Posted { key: own, .. } => key = Some(own.as_str()),
            _ => {}
        }
        Ok(EventColumns {
            room: self.room.0,
            seq: seq_column(self.event.seq),
            kind: kind_column(&self.event.kind)?,
            at: self.event.at,
            actor: self.actor.map(|actor| actor.0),
            member,
            key,
            target: self.event.kind.target().map(seq_column),
            data: data_column(&self.event.kind)?,
        })
    }
}

fn kind_column(kind: &EventKind) -> Result<&'static str, StoreError> {
    match kind {
        EventKind::Posted { .. } => Ok("posted"),
        EventKind::Edited { .. } => Ok("edited"),
        EventKind::Deleted { .. } => Ok("deleted"),
        EventKind::Preview { .. } => Ok("preview"),
        EventKind::Joined { .. } => Ok("joined"),
        EventKind::Left { .. } => Ok("left"),
        EventKind::Renamed { .. } => Ok("renamed"),
        EventKind::AccessChanged { .. } => Ok("access_changed"),
        EventKind::RetentionChanged { .. } => Ok("retention_changed"),
        EventKind::Pruned { .. } => Ok("pruned"),
        EventKind::Task { .. } => Ok("task"),
        EventKind::TaskChanged { .. } => Ok("task_changed"),
        EventKind::Unknown => Err(StoreError::Internal("an event of unknown kind cannot be stored".into())),
    }
}

/// An event as it is read: its columns, the names of the accounts in it, and the message it posts
/// or changes as that stands now.
pub(super) struct EventRow {
    pub seq: i64,
    pub kind: String,
    pub at: i64,
    pub actor: Option<i64>,
    pub actor_name: Option<String>,
    pub member: Option<i64>,
    pub member_name: Option<String>,
    pub key: Option<String>,
    pub target: Option<i64>,
    pub data: Option<String>,
    pub body: Option<String>,
    pub rev: Option<i64>,
    /// What a message carries, as JSON.
    pub files: Option<String>,
    pub previews_rev: Option<i64>,
    /// JSON of the list.
    pub previews: Option<String>,
}

impl<'r, R: Row> FromRow<'r, R> for EventRow
where
    usize: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    String: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<EventRow, sqlx::Error> {
        Ok(EventRow {
            seq: row.try_get(0)?,
            kind: row.try_get(1)?,
            at: row.try_get(2)?,
            actor: row.try_get(3)?,
            actor_name: row.try_get(4)?,
            member: row.try_get(5)?,
            member_name: row.try_get(6)?,
            key: row.try_get(7)?,
            target: row.try_get(8)?,
            data: row.try_get(9)?,
            body: row.try_get(10)?,
            rev: row.try_get(11)?,
            files: row.try_get(12)?,
            previews_rev: row.try_get(13)?,
            previews: row.try_get(14)?,
        })
    }
}

impl EventRow {
    pub fn into_event(self) -> Result<Event, StoreError> {
        let (seq, at) = (seq_from(self.seq)?, self.at);
        let kind = match self.kind.as_str() {
            "posted" => self.posted()?,
            // Of what is pruned nothing is left but that it was edited.
            "edited" => {
                let rev = self.rev.map_or(Ok(seq), seq_from)?;
                EventKind::Edited { target: self.target()?, rev, body: self.body }
            }
            "deleted" => EventKind::Deleted { target: self.target()? },
            "preview" => {
                let (rev, list) = self.previews()?.map(|shown| (shown.rev, shown.list)).unzip();
                EventKind::Preview { target: self.target()?, rev, list: list.unwrap_or_default() }
            }
            "joined" => EventKind::Joined { member: self.member()? },
            "left" => EventKind::Left { member: self.member()? },
            "renamed" => EventKind::Renamed { by: self.actor()?, name: self.data()?.name.unwrap_or_default() },
            "access_changed" => {
                let access = access_from(&self.data()?.access.unwrap_or_default())?;
                EventKind::AccessChanged { by: self.actor()?, access }
            }
            "retention_changed" => EventKind::RetentionChanged { by: self.actor()?, days: self.data()?.days },
            "pruned" => EventKind::Pruned { up_to: self.data()?.up_to.unwrap_or_default() },
            "task" => self.card()?,
            "task_changed" => {
                let CardData { rev, status, .. } = self.card_data()?;
                EventKind::TaskChanged { target: self.target()?, rev, status }
            }
            // Of a later version, which works on the same database during an upgrade.
            _ => EventKind::Unknown,
        };
        Ok(Event { seq, at, kind })
    }

    fn posted(self) -> Result<EventKind, StoreError> {
        let (author, rev, previews) = (self.actor()?, self.rev()?, self.previews()?);
        let deleted = self.body.is_none();
        let files = self.files.as_deref().filter(|_| !deleted).map(serde_json::from_str).transpose();
        Ok(EventKind::Posted {
            key: self.key.unwrap_or_default(),
            author,
            rev: (!deleted).then_some(rev),
            body: self.body,
            deleted,
            files: files.map_err(|_| damaged("list of files", self.seq))?.unwrap_or_default(),
            previews,
        })
    }

    fn card(&self) -> Result<EventKind, StoreError> {
        let CardData { id: Some(id), task: Some(task), rev, status } = self.card_data()? else {
            return Err(damaged("card without its task", self.seq));
        };
        Ok(EventKind::Task { id, task, by: self.actor()?, rev, status })
    }

    fn card_data(&self) -> Result<CardData, StoreError> {
        self.data()?.task.ok_or_else(|| damaged("card without data", self.seq))
    }

    /// Those of the body of now.
    fn previews(&self) -> Result<Option<Previews>, StoreError> {
        let (Some(rev), Some(list)) = (self.previews_rev, &self.previews) else { return Ok(None) };
        let list: Vec<Preview> = serde_json::from_str(list).map_err(|_| damaged("list of previews", self.seq))?;
        Ok(Some(Previews { rev: seq_from(rev)?, list }))
    }

    /// Bytes of what was said, for budgets.
    pub fn bytes(&self) -> usize {
        [&self.body, &self.previews].into_iter().flatten().map(String::len).sum()
    }

    fn actor(&self) -> Result<Author, StoreError> {
        self.account(self.actor, &self.actor_name)
    }

    fn member(&self) -> Result<Author, StoreError> {
        self.account(self.member, &self.member_name)
    }

    fn account(&self, id: Option<i64>, name: &Option<String>) -> Result<Author, StoreError> {
        match (id, name) {
            (Some(id), Some(name)) => Ok(Author { id, name: name.clone() }),
            _ => Err(damaged("event without its account", self.seq)),
        }
    }

    fn target(&self) -> Result<Seq, StoreError> {
        self.target.ok_or_else(|| damaged("change without a target", self.seq)).and_then(seq_from)
    }

    fn rev(&self) -> Result<Seq, StoreError> {
        self.rev.ok_or_else(|| damaged("post without a message", self.seq)).and_then(seq_from)
    }

    fn data(&self) -> Result<EventData, StoreError> {
        let text = self.data.as_deref().unwrap_or("{}");
        serde_json::from_str(text).map_err(|_| damaged("event with other data", self.seq))
    }
}

/// Events, and the heads that their rooms have after them, as the bulk statements take them.
pub(super) fn event_rows(events: &[NewEvent]) -> Result<(String, String), StoreError> {
    let rows: Vec<EventColumns<'_>> = events.iter().map(NewEvent::columns).collect::<Result<_, _>>()?;
    let heads: BTreeMap<RoomId, i64> = events.iter().map(|new| (new.room, seq_column(new.event.seq))).collect();
    let heads: Vec<_> = heads.into_iter().map(|(room, seq)| HeadColumns { room: room.0, seq }).collect();
    Ok((json(&rows)?, json(&heads)?))
}

/// JSON for a column or for the argument of a bulk statement.
pub(super) fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_later_version_logged_counts_for_its_seq() {
        let row = EventRow {
            seq: 7,
            kind: "pick_opened".into(),
            at: 1,
            actor: Some(1),
            actor_name: Some("민아".into()),
            member: None,
            member_name: None,
            key: None,
            target: None,
            data: Some(r#"{"pick":1}"#.into()),
            body: None,
            rev: None,
            files: None,
            previews_rev: None,
            previews: None,
        };
        assert_eq!(row.into_event().unwrap(), Event { seq: Seq(7), at: 1, kind: EventKind::Unknown });
    }
}
