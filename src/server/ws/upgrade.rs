//! Before a socket is a connection: subprotocol, session, caps. A browser cannot see the status of
//! a refused upgrade, so what it must act on is said with a close code after accepting.

use super::{connection, outgoing};
use crate::protocol::{CloseCode, ErrorCode, Refused, SUBPROTOCOL, ServerFrame};
use crate::server::auth::{ClientIp, account, identify};
use crate::server::encode;
use crate::server::error::AppError;
use crate::server::hub::{Connection, Peer, TooManyConnections};
use crate::server::service::Actor;
use crate::server::state::AppState;
use crate::server::store::Credential;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;

/// Buffers of a socket: small, because most sockets are idle; a burst is written as it is encoded.
const READ_BUFFER_BYTES: usize = 4 * 1024;
const WRITE_BUFFER_BYTES: usize = 16 * 1024;

/// A frame over the limit is still read, up to this many times the limit: only a peer whose frame
/// has been read hears why it is closed. Beyond that the socket is reset.
const READ_BEYOND_LIMIT: usize = 4;

/// `GET /live`. 400 for a subprotocol that is not ours; 403 for a foreign `Origin` (checked before
/// this); then 101, and a close code as the first word when there is no session, or `refused` and 4429
/// when too many sockets are open or opened.
pub async fn live(
    State(state): State<AppState>,
    ClientIp(address): ClientIp,
    headers: HeaderMap,
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
    match enter(&state, &headers, address).await {
        Ok((actor, registered)) => upgrade.on_upgrade(move |socket| connection::run(state, actor, registered, socket)),
        Err(denied) => deny(&state, upgrade, denied),
    }
}

async fn enter(state: &AppState, headers: &HeaderMap, address: IpAddr) -> Result<(Actor, Connection), Denied> {
    state.rate_limits.opening(address).map_err(|error| Denied::later(CloseCode::TooManyConnections, &error))?;
    let actor = identify(state, headers).await.map_err(|error| Denied::later(CloseCode::Internal, &error))?;
    let actor = actor.ok_or(Denied::UNAUTHENTICATED)?;
    let registered = admit(state, &actor, address).await?;
    Ok((actor, registered))
}

/// Why a socket is closed as soon as it is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    pub close: CloseCode,
    /// Said before the close: when to come back.
    pub refused: Option<Refused>,
}

impl Denied {
    const UNAUTHENTICATED: Denied = Denied { close: CloseCode::Unauthenticated, refused: None };

    fn later(close: CloseCode, error: &AppError) -> Denied {
        error.log();
        let refused = Refused { key: None, room: None, code: error.code(), retry_after_ms: error.retry_after_ms() };
        Denied { close, refused: Some(refused) }
    }
}

/// Registers a connection, or says why it is refused. The session is looked at again once the hub
/// knows the connection: nobody was there to be told of an end before that. What is remembered of
/// sessions is forgotten before the notice of an end is published, so it cannot hide one.
pub async fn admit(state: &AppState, actor: &Actor, address: IpAddr) -> Result<Connection, Denied> {
    let peer = Peer { user: actor.id, session: actor.session, address };
    let registered = state.hub.connect(peer).await.map_err(|TooManyConnections| {
        Denied::later(CloseCode::TooManyConnections, &AppError::refused(ErrorCode::TooManyConnections))
    })?;
    let Some(session) = actor.session else { return Ok(registered) };
    match account(state, Credential::Session(session)).await {
        Ok(None) => Err(Denied::UNAUTHENTICATED),
        Ok(Some(_)) => Ok(registered),
        Err(error) => Err(Denied::later(CloseCode::Internal, &error.into())),
    }
}

/// Says why and hangs up. A client that spoke first is listened to until it has heard: hanging up on
/// what it sent would reset the connection, and it would come back for ever.
fn deny(state: &AppState, upgrade: WebSocketUpgrade, denied: Denied) -> Response {
    let (sockets, deadline) = (state.sockets.clone(), state.config.limits.close_timeout());
    upgrade.on_upgrade(move |mut socket| {
        sockets.track_future(async move {
            let said = denied.refused.map(|refused| encode::frame(&ServerFrame::Refused(refused)));
            if outgoing::write(&mut socket, said, deadline).await.is_ok() {
                outgoing::close(&mut socket, denied.close, deadline).await;
            }
        })
    })
}
