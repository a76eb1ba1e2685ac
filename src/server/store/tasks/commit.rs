//! Work on the queue within the transaction of a batch: look up, decide, write, tell the rooms.

use super::plan::{NO_CARD_YET, Plan};
use super::{NewTask, Task, TaskWork};
use crate::domain::{Access, FileId, Lane, RoomId, Seq, Slug, TaskId, UserId};
use crate::protocol::{Author, Event, EventKind};
use crate::server::store::StoreError;
use crate::server::store::event_row::NewEvent;
use crate::server::store::plan::Outcome;
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};

/// A room with cards, as it stands in the transaction.
pub(in crate::server::store) struct CardRoom {
    pub id: RoomId,
    pub slug: Slug,
    pub access: Access,
    pub head: Seq,
}

/// What is looked up before anything is decided.
#[derive(Default)]
pub(in crate::server::store) struct Wanted {
    pub ids: Vec<TaskId>,
    pub unique: Vec<String>,
    /// Due ones, so many of each lane.
    pub due: Vec<(Lane, u32)>,
}

impl Wanted {
    pub fn by(works: &[&TaskWork], enqueued: &[NewTask]) -> Wanted {
        let mut wanted = Wanted::default();
        wanted.unique.extend(enqueued.iter().filter_map(|new| new.unique.clone()));
        for work in works {
            match work {
                TaskWork::Enqueue(new) => wanted.unique.extend(new.iter().filter_map(|new| new.unique.clone())),
                TaskWork::Claim { free, .. } => wanted.due.extend(free),
                TaskWork::Renew { runs, .. } => wanted.ids.extend(runs.iter().map(|run| run.task.clone())),
                TaskWork::Progress(noted) => wanted.ids.extend(noted.iter().map(|(run, _)| run.task.clone())),
                TaskWork::End(run, _) => wanted.ids.push(run.task.clone()),
                TaskWork::Cancel(id) | TaskWork::Again(id) => wanted.ids.push(id.clone()),
            }
        }
        wanted
    }
}

/// What an engine does for tasks, in the transaction of the batch.
#[async_trait]
pub(in crate::server::store) trait TaskTables: Send {
    /// Those wanted, for nobody else to change before the transaction ends. Due are those whose time has come
    /// and those that run although their lease is over; the first by priority, then by time.
    async fn look_up(&mut self, wanted: &Wanted, now: i64) -> Result<Vec<Task>, StoreError>;
    async fn card_rooms(&mut self, rooms: &[RoomId]) -> Result<Vec<CardRoom>, StoreError>;
    async fn author(&mut self, user: UserId) -> Result<Option<Author>, StoreError>;
    /// New ones, and those that are there as they stand from here on.
    async fn put(&mut self, tasks: &[Task], now: i64) -> Result<(), StoreError>;
    /// The card at this place as it is served from here on.
    async fn set_card(&mut self, room: RoomId, seq: Seq, kind: &EventKind) -> Result<(), StoreError>;
    /// Those of the files that are uploaded are refused.
    async fn give_files_up(&mut self, files: &[FileId]) -> Result<(), StoreError>;
    /// Those of the files that were given up are uploaded.
    async fn want_files(&mut self, files: &[FileId]) -> Result<(), StoreError>;
    async fn append(&mut self, events: &[NewEvent]) -> Result<(), StoreError>;
}

/// Carries out what is asked of the queue, after what the commands of the batch enqueue.
pub(in crate::server::store) async fn carry_out(
    tables: &mut (impl TaskTables + ?Sized),
    caused: Vec<(NewTask, Seq)>,
    works: &[&TaskWork],
    now: i64,
    outcome: &mut Outcome,
) -> Result<(), StoreError> {
    if caused.is_empty() && works.is_empty() {
        return Ok(());
    }
    let enqueued: Vec<NewTask> = caused.iter().map(|(new, _)| new.clone()).collect();
    let found = tables.look_up(&Wanted::by(works, &enqueued), now).await?;
    let mut plan = Plan::new(found, now);
    for (new, cause) in caused {
        plan.enqueue(new, Some(cause));
    }
    for work in works {
        let answer = plan.decide(work);
        outcome.tasks.push(answer);
    }
    tell(tables, &mut plan, outcome).await?;
    let files = plan.files();
    if !files.given_up.is_empty() {
        tables.give_files_up(&files.given_up).await?;
    }
    if !files.wanted.is_empty() {
        tables.want_files(&files.wanted).await?;
    }
    let changed = plan.into_changed();
    if !changed.is_empty() {
        outcome.tasks_changed = true;
        tables.put(&changed, now).await?;
    }
    Ok(())
}

/// Writes what the rooms see of the changes, one event for each.
async fn tell(
    tables: &mut (impl TaskTables + ?Sized),
    plan: &mut Plan,
    outcome: &mut Outcome,
) -> Result<(), StoreError> {
    let told = std::mem::take(&mut plan.told);
    let rooms: BTreeSet<RoomId> = told.iter().filter_map(|(id, _)| plan.tasks[id].room).collect();
    let rooms: Vec<RoomId> = rooms.into_iter().collect();
    let mut rooms: BTreeMap<RoomId, CardRoom> =
        tables.card_rooms(&rooms).await?.into_iter().map(|room| (room.id, room)).collect();
    for (id, status) in told {
        let Some(task) = plan.tasks.get_mut(&id) else { continue };
        let (Some(room), Some(actor)) = (task.room.and_then(|room| rooms.get_mut(&room)), task.data.actor) else {
            continue;
        };
        let by = tables.author(actor).await?.unwrap_or(Author { id: actor.0, name: String::new() });
        room.head = room.head.next();
        let seq = room.head;
        let card = task.data.card.filter(|card| *card != NO_CARD_YET);
        task.data.card = Some(card.unwrap_or(seq));
        let (name, rev) = (task.data.name.clone(), seq);
        let whole = EventKind::Task { id: id.clone(), task: name, by, rev, status: status.clone() };
        let kind = match card {
            None => whole,
            Some(target) => {
                tables.set_card(room.id, target, &whole).await?;
                EventKind::TaskChanged { target, rev, status }
            }
        };
        let event = Event { seq, at: plan.now, kind };
        let new = NewEvent { room: room.id, slug: room.slug.clone(), access: room.access, actor: Some(actor), event };
        tables.append(std::slice::from_ref(&new)).await?;
        outcome.grow(vec![new]);
    }
    Ok(())
}
