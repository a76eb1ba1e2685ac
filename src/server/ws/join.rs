//! How a connection begins and ends to follow a room.

use crate::domain::Seq;
use crate::protocol::{ErrorCode, ServerFrame};
use crate::server::cache::ring::RoomLog;
use crate::server::error::AppError;
use crate::server::hub::Connection;
use crate::server::service::{Actor, rooms};
use crate::server::state::AppState;

/// What a client asks for.
pub struct Join {
    pub room: String,
    pub after: Option<Seq>,
    pub epoch: Option<String>,
}

/// Authorise, register for fan-out, then read the head: the reverse order loses events. Both reads go
/// through caches, and that keeps the order, because a cache is told of a change before the notice of
/// it is published: what happened before the registration is in what is read after it, and what
/// happens later is offered to the registered connection.
pub async fn join_room(
    state: &AppState,
    actor: &Actor,
    connection: &Connection,
    join: Join,
) -> Result<(), (String, AppError)> {
    let named = |error: AppError| (join.room.clone(), error);
    let room = rooms::followable(state, actor, &join.room).await.map_err(named)?;
    let log = RoomLog { room, slug: rooms::claimed(&join.room).map_err(named)? };
    let queue = connection.queue();
    if !queue.follows(log.room) && queue.followed().len() >= state.config.limits.rooms_per_connection {
        return Err(named(AppError::refused(ErrorCode::TooManyRooms)));
    }
    connection.follow(log.room, log.slug.clone(), join.after.unwrap_or(Seq::ZERO)).await;
    match position(state, actor, &log, &join).await {
        Ok(position) => {
            answer(connection, &log, position);
            Ok(())
        }
        Err(error) => {
            connection.unfollow(log.room).await;
            Err(named(error))
        }
    }
}

pub async fn leave_room(connection: &Connection, room: &str) {
    if let Some(room) = connection.queue().room_named(room) {
        connection.unfollow(room).await;
    }
}

/// Where a room's log stands and from where on its reader wants it.
struct Position {
    epoch: String,
    head: Seq,
    after: After,
}

enum After {
    Seq,
    Head,
    /// The reader's cursor is of another history, or beyond this one.
    Gap,
}

async fn position(state: &AppState, actor: &Actor, log: &RoomLog, join: &Join) -> Result<Position, AppError> {
    // The right may have ended between the check and the registration, and no notice would tell.
    rooms::followable(state, actor, &join.room).await?;
    let epoch = state.store.epoch();
    let same_history = join.epoch.as_deref().is_none_or(|theirs| theirs == &*epoch);
    let claimed = join.after.filter(|_| same_history);
    let head = state.cache.logs.head(&state.store, log, claimed).await?;
    let after = match join.after {
        _ if !same_history => After::Gap,
        None => After::Head,
        Some(after) if after <= head => After::Seq,
        Some(_) => After::Gap,
    };
    Ok(Position { epoch: epoch.to_string(), head, after })
}

fn answer(connection: &Connection, log: &RoomLog, Position { epoch, head, after }: Position) {
    let room = log.slug.to_string();
    connection.push(&ServerFrame::Joined { room: room.clone(), head, epoch });
    if matches!(after, After::Gap) {
        connection.push(&ServerFrame::Gap { room, head });
    }
    if !matches!(after, After::Seq) {
        connection.queue().skip_to(log.room, head);
    }
    connection.queue().release(log.room, head);
    connection.arrived(log.room);
}
