//! What clients say: decoding, and one use case for each command.

use super::join::{Join, join_room, leave_room};
use crate::domain::Seq;
use crate::protocol::{ClientFrame, CloseCode, ErrorCode, Refused, ServerFrame};
use crate::server::error::AppError;
use crate::server::hub::Connection;
use crate::server::service::messages::{self, NewDeletion, NewEdit, NewPost};
use crate::server::service::{Actor, PendingAck, reading, rooms};
use crate::server::state::AppState;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;

/// The answer to a command, when it is known; some commands have none.
pub type Answer = BoxFuture<'static, Option<ServerFrame>>;

/// Carries out one frame. Commands that change the log are put in the writer's queue before this
/// returns, so a connection's posts keep their order; their acks come from the returned future.
/// An error ends the connection.
pub async fn obey(
    state: &AppState,
    actor: &Actor,
    connection: &Connection,
    text: &str,
) -> Result<Option<Answer>, Option<CloseCode>> {
    let frame = match serde_json::from_str(text) {
        Ok(frame) => frame,
        Err(_) => return refuse_undecoded(connection, text).map(|()| None),
    };
    match frame {
        ClientFrame::Post { room, key, body, files } => {
            let post = NewPost { room: &room, key: &key, body: &body, files: &files };
            let pending = messages::submit_post(state, actor, post).await;
            return Ok(answer(connection, Named { room, key }, pending));
        }
        ClientFrame::Edit { room, key, target, body, epoch } => {
            let edit = NewEdit { room: &room, key: &key, target, body: &body, epoch: epoch.as_deref() };
            let pending = messages::submit_edit(state, actor, edit).await;
            return Ok(answer(connection, Named { room, key }, pending));
        }
        ClientFrame::Delete { room, key, target, epoch } => {
            let deletion = NewDeletion { room: &room, key: &key, target, epoch: epoch.as_deref() };
            let pending = messages::submit_deletion(state, actor, deletion).await;
            return Ok(answer(connection, Named { room, key }, pending));
        }
        ClientFrame::Read { room, seq } => return Ok(Some(read(state.clone(), actor.clone(), room, seq))),
        ClientFrame::Join { room, after, epoch } => {
            let join = Join { room, after, epoch };
            if let Err((room, error)) = join_room(state, actor, connection, join).await {
                connection.push(&refused(None, Some(room), &error));
            }
        }
        ClientFrame::Typing { room } => {
            if let Some(id) = connection.types_in(&room) {
                rooms::type_in(state, actor, id, &room).await.unwrap_or_else(|error| error.log());
            }
        }
        ClientFrame::Leave { room } => leave_room(connection, &room).await,
        ClientFrame::Ping => connection.push(&ServerFrame::Pong),
        ClientFrame::Unknown => {
            let key = serde_json::from_str(text).ok().and_then(|Keyed { key }| key);
            connection.push(&refusal(key, ErrorCode::UnknownType));
        }
    }
    Ok(None)
}

/// The key of a frame that is otherwise not understood, so that the refusal finds its command.
#[derive(Deserialize)]
struct Keyed {
    #[serde(default)]
    key: Option<String>,
}

/// JSON of the wrong shape is refused; what is not JSON ends the connection (contract: 1007).
fn refuse_undecoded(connection: &Connection, text: &str) -> Result<(), Option<CloseCode>> {
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        return Err(Some(CloseCode::NotJson));
    }
    let key = serde_json::from_str(text).ok().and_then(|Keyed { key }| key);
    connection.push(&refusal(key, ErrorCode::BadRequest));
    Ok(())
}

/// What an answer names its command by.
struct Named {
    room: String,
    key: String,
}

/// The ack of a command on its way; a refusal is told at once.
fn answer(connection: &Connection, named: Named, pending: Result<PendingAck, AppError>) -> Option<Answer> {
    let Named { room, key } = named;
    match pending {
        Ok(pending) => {
            let answer = async move {
                Some(match pending.outcome().await {
                    Ok(acked) => ServerFrame::Ack { key, seq: acked.seq },
                    Err(error) => refused(Some(key), Some(room), &error),
                })
            };
            Some(answer.boxed())
        }
        Err(error) => {
            connection.push(&refused(Some(key), Some(room), &error));
            None
        }
    }
}

fn read(state: AppState, actor: Actor, room: String, seq: Seq) -> Answer {
    let answer = async move {
        // A position in a room that is gone is nobody's loss.
        if let Err(error) = reading::mark_read(&state, &actor, &room, seq).await {
            error.log();
        }
        None
    };
    answer.boxed()
}

/// The answer to a command that is not even looked at now. Only what has a key waits for an answer.
pub fn refuse_later(text: &str, retry_after_ms: u32) -> Option<ServerFrame> {
    let Keyed { key } = serde_json::from_str(text).ok()?;
    let refused =
        Refused { key: Some(key?), room: None, code: ErrorCode::Unavailable, retry_after_ms: Some(retry_after_ms) };
    Some(ServerFrame::Refused(refused))
}

fn refused(key: Option<String>, room: Option<String>, error: &AppError) -> ServerFrame {
    error.log();
    ServerFrame::Refused(Refused { key, room, code: error.code(), retry_after_ms: error.retry_after_ms() })
}

fn refusal(key: Option<String>, code: ErrorCode) -> ServerFrame {
    ServerFrame::Refused(Refused { key, room: None, code, retry_after_ms: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Text that is nearly a frame.
    fn nearly_frames() -> impl Strategy<Value = String> {
        let types = prop_oneof![
            Just("join"),
            Just("post"),
            Just("read"),
            Just("typing"),
            Just("leave"),
            Just("ping"),
            Just("x")
        ];
        let values = prop_oneof!["[0-9-]{1,25}", ".*".prop_map(|text| serde_json::json!(text).to_string()), ".{0,8}"];
        let names = prop_oneof![Just("room"), Just("key"), Just("body"), Just("seq"), Just("after"), Just("type")];
        let fields = prop::collection::vec((names, values), 0..5);
        (types, fields, prop::bool::weighted(0.9)).prop_map(|(kind, fields, whole)| {
            let fields: String = fields.iter().map(|(name, value)| format!(r#","{name}":{value}"#)).collect();
            format!(r#"{{"type":"{kind}"{fields}{}"#, if whole { "}" } else { "" })
        })
    }

    proptest! {
        #[test]
        fn whatever_comes_is_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = serde_json::from_slice::<ClientFrame>(&bytes);
        }

        #[test]
        fn a_frame_that_is_read_is_written_and_read_as_the_same(text in nearly_frames()) {
            if let Ok(frame) = serde_json::from_str::<ClientFrame>(&text)
                && frame != ClientFrame::Unknown
            {
                let written = serde_json::to_string(&frame).unwrap();
                prop_assert_eq!(serde_json::from_str::<ClientFrame>(&written).unwrap(), frame);
            }
        }
    }
}
