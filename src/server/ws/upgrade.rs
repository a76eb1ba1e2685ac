//! Before a socket is a connection: subprotocol, session, caps. A browser cannot see the status of
//! a refused upgrade, so what it must act on is said with a close code after accepting.

use super::{connection, outgoing};
use crate::protocol::{CloseCode, SUBPROTOCOL};
use crate::server::auth::{ClientIp, MaybeActor};
use crate::server::clock::now_ms;
use crate::server::hub::{Connection, Peer, TooManyConnections};
use crate::server::service::Actor;
use crate::server::state::AppState;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;

/// Buffers of a socket: small, because most sockets are idle; a burst is written as it is encoded.
const READ_BUFFER_BYTES: usize = 4 * 1024;
const WRITE_BUFFER_BYTES: usize = 16 * 1024;

/// A frame over the limit is still read, up to this many times the limit: only a peer whose frame
/// has been read hears why it is closed. Beyond that the socket is reset.
const READ_BEYOND_LIMIT: usize = 4;

/// `GET /live`. 400 for a subprotocol that is not ours; 403 for a foreign `Origin` (checked before
/// this); then 101, and 4401 or 4429 as the first word when there is no session or no room.
pub async fn live(
    State(state): State<AppState>,
    MaybeActor(actor): MaybeActor,
    ClientIp(address): ClientIp,
    upgrade: WebSocketUpgrade,
) -> Response {
    let offered = upgrade.requested_protocols().count() > 0;
    let upgrade = upgrade.protocols([SUBPROTOCOL]);
    if offered && upgrade.selected_protocol().is_none() {
        return (StatusCode::BAD_REQUEST, "unknown subprotocol").into_response();
    }
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_frame_size(state.config.limits.frame_bytes * READ_BEYOND_LIMIT)
        .max_message_size(state.config.limits.frame_bytes * READ_BEYOND_LIMIT);
    let Some(actor) = actor else {
        return refuse(&state, upgrade, CloseCode::Unauthenticated);
    };
    match admit(&state, &actor, address).await {
        Ok(registered) => upgrade.on_upgrade(move |socket| connection::run(state, actor, registered, socket)),
        Err(code) => refuse(&state, upgrade, code),
    }
}

/// Registers a connection, or says why it is refused. The session is looked at again once the hub
/// knows the connection: nobody was there to be told of an end before that.
pub async fn admit(state: &AppState, actor: &Actor, address: IpAddr) -> Result<Connection, CloseCode> {
    let peer = Peer { user: actor.id, session: actor.session, address };
    let registered = state.hub.connect(peer).await.map_err(|TooManyConnections| CloseCode::TooManyConnections)?;
    let Some(session) = actor.session else { return Ok(registered) };
    match state.store.standing_sessions(&[session], now_ms()).await {
        Ok(standing) if standing.is_empty() => Err(CloseCode::Unauthenticated),
        Ok(_) => Ok(registered),
        Err(error) => {
            tracing::warn!(%error, "cannot look at a session again");
            Err(CloseCode::Internal)
        }
    }
}

/// Says why and hangs up. A client that spoke first is listened to until it has heard: hanging up on
/// what it sent would reset the connection, and it would come back for ever.
fn refuse(state: &AppState, upgrade: WebSocketUpgrade, code: CloseCode) -> Response {
    let (sockets, deadline) = (state.sockets.clone(), state.config.limits.close_timeout());
    upgrade.on_upgrade(move |mut socket| {
        sockets.track_future(async move { outgoing::close(&mut socket, code, deadline).await })
    })
}
