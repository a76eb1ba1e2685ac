//! Messages that are to be said later, once or again and again.

use super::{Actor, rooms, tasks};
use crate::domain::{Key, MessageBody, Slug};
use crate::protocol::{ErrorCode, ScheduledView};
use crate::server::clock::now_ms;
use crate::server::error::AppError;
use crate::server::queue::{self, Payload, Say};
use crate::server::state::AppState;
use crate::server::store::{NewTask, Repeat, Task};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What is to be said, as a client sent it.
#[derive(Clone, Copy, Debug)]
pub struct NewScheduled<'a> {
    pub room: &'a str,
    pub key: &'a str,
    pub body: &'a str,
    /// Unix milliseconds; with `repeat`, `None` is the first time that its pattern names.
    pub at: Option<i64>,
    /// Five fields of cron.
    pub repeat: Option<&'a str>,
    /// IANA, in which `repeat` is read.
    pub zone: &'a str,
}

/// Has a member of the room say it later; Unix milliseconds of when. A repeat with the same key schedules nothing
/// more. `KeyReused`, `NotFound`; `Forbidden` but for members; the rules of bodies; `BadTime`, `BadRequest` for no pattern or no
/// zone, `TooManyScheduled`.
pub async fn add(state: &AppState, actor: &Actor, new: NewScheduled<'_>) -> Result<i64, AppError> {
    let (key, limits) = (Key::parse(new.key)?, &state.config.limits);
    let room = rooms::view(state, actor, new.room).await?;
    if !room.summary.member {
        return Err(AppError::refused(ErrorCode::Forbidden));
    }
    let body = MessageBody::parse(new.body, limits.body_bytes)?;
    let repeat = new.repeat.map(|cron| Repeat::parse(cron, new.zone)).transpose();
    let repeat = repeat.map_err(|_| AppError::refused(ErrorCode::BadRequest))?;
    let now = now_ms();
    let at = new.at.or_else(|| repeat.as_ref()?.next(now)).ok_or_else(|| AppError::refused(ErrorCode::BadTime))?;
    if !(now..=now + i64::from(limits.schedule_days) * DAY_MS).contains(&at) {
        return Err(AppError::refused(ErrorCode::BadTime));
    }
    state.rate_limits.command(actor.id)?;
    let unique = format!("say:{}:{}", actor.id.0, key.as_str());
    let waiting = state.store.waiting_tasks(Say::NAME, actor.id).await?;
    let known = waiting.iter().any(|task| task.unique.as_ref() == Some(&unique));
    if !known && waiting.len() >= limits.scheduled_per_user as usize {
        return Err(AppError::refused(ErrorCode::TooManyScheduled));
    }
    let say = Say { room: rooms::claimed(new.room)?, body: body.as_str().to_owned() };
    let task = NewTask {
        actor: Some(actor.id),
        room: Some(room.id),
        run_at: Some(at),
        unique: Some(unique),
        repeat,
        ..queue::task(&say)
    };
    tasks::enqueue(state, task).await?;
    Ok(at)
}

/// What the actor has scheduled in the room, the next first. `NotFound`.
pub async fn list(state: &AppState, actor: &Actor, room: &str) -> Result<Vec<ScheduledView>, AppError> {
    rooms::readable(state, actor, room).await?;
    let slug = rooms::claimed(room)?;
    let waiting = state.store.waiting_tasks(Say::NAME, actor.id).await?;
    Ok(waiting.into_iter().filter_map(|task| view(task, &slug)).collect())
}

fn view(task: Task, room: &Slug) -> Option<ScheduledView> {
    let say: Say = serde_json::from_str(&task.data.args).ok()?;
    (say.room == *room).then(|| ScheduledView {
        id: task.id,
        body: say.body,
        at: task.run_at,
        repeat: task.data.repeat.map(|repeat| repeat.cron().to_owned()),
    })
}
