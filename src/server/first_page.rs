//! Loads what a page of the app shows, before it is rendered.

use super::auth::Reader;
use super::clock::now_ms;
use super::error::AppError;
use super::secret::random_key;
use super::service::{Actor, accounts, community, invites, messages, rooms, tasks};
use super::state::AppState;
use crate::api::{AppStart, Place, RoomStart};
use crate::protocol::{Community, Me, TasksFilter};

/// What the app starts from.
pub async fn app(state: &AppState, actor: &Actor, reader: Reader) -> Result<AppStart, AppError> {
    let rooms = rooms::list(state, actor).await?;
    let name = community::name(state).await?.unwrap_or_default();
    Ok(AppStart {
        community: Community { name },
        me: Me { id: actor.id.0, name: actor.name.clone(), role: actor.role },
        rooms,
        epoch: messages::epoch(state),
        locale: reader.locale,
        chosen_locale: actor.locale,
        utc_offset_min: reader.utc_offset_min,
        now: now_ms(),
        body_bytes: state.config.limits.body_bytes as u32,
        upload_bytes: state.config.limits.upload_bytes,
        message_files: state.config.limits.message_files as u32,
        invite_max_days: state.config.limits.invite_max_days,
        invite_max_uses: state.config.limits.invite_max_uses,
    })
}

/// A room and its newest rows.
pub async fn room(state: &AppState, actor: &Actor, slug: &str) -> Result<RoomStart, AppError> {
    let room = rooms::find(state, actor, slug).await?;
    let page = messages::page(state, actor, slug, None).await?;
    Ok(RoomStart { room, page, form_key: random_key() })
}

/// A room's page.
pub async fn room_place(state: &AppState, actor: &Actor, slug: String) -> Place {
    let start = room(state, actor, &slug).await.map_err(Into::into);
    let members = rooms::members(state, actor, &slug).await.map_err(Into::into);
    Place::Room { slug, start, members }
}

/// The page of all people.
pub async fn people_place(state: &AppState, actor: &Actor) -> Place {
    Place::People {
        people: accounts::people(state, actor).await.map_err(Into::into),
        invites: invites::list(state, actor).await.map_err(Into::into),
    }
}

/// The page of all tasks.
pub async fn tasks_place(state: &AppState, actor: &Actor, filter: TasksFilter) -> Place {
    let tasks = tasks::list(state, actor, filter.list, filter.lane).await.map_err(Into::into);
    Place::Tasks { filter, tasks }
}
