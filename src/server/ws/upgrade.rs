//! Before a socket is a connection: subprotocol, session, caps. A browser cannot see the status of
//! a refused upgrade, so what it must act on is said with a close code after accepting.

use super::connection::{self, Live};
use super::outgoing;
use super::socket::Socket;
use crate::protocol::{CloseCode, ErrorCode, Refused, SUBPROTOCOL, ServerFrame};
use crate::server::auth::{ClientIp, account, identify};
use crate::server::encode;
use crate::server::error::AppError;
use crate::server::hub::{Connection, Peer, TooManyConnections};
use crate::server::service::Actor;
use crate::server::state::AppState;
use crate::server::store::Credential;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::OnUpgrade;
use std::net::IpAddr;
use tungstenite::handshake::server::create_response;

/// A frame over the limit is still read, up to this many times the limit: only a peer whose frame
/// has been read hears why it is closed. Beyond that the socket is reset.
const READ_BEYOND_LIMIT: usize = 4;

/// `GET /live`. 400 for a handshake that is none or a subprotocol that is not ours; 403 for a foreign
/// `Origin` (checked before this); then 101, and a close code as the first word when there is no session,
/// or `refused` and 4429 when too many sockets are open or opened.
pub async fn live(State(state): State<AppState>, ClientIp(address): ClientIp, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let Some(upgrade) = parts.extensions.remove::<OnUpgrade>() else {
        let headers = [(header::UPGRADE, "websocket"), (header::CONNECTION, "upgrade")];
        return (StatusCode::UPGRADE_REQUIRED, headers, "this is a WebSocket").into_response();
    };
    let request = hyper::Request::from_parts(parts, ());
    let mut response = match create_response(&request) {
        Ok(response) => response.map(|()| Body::empty()),
        Err(error) => {
            let version = [(header::SEC_WEBSOCKET_VERSION, "13")];
            return (StatusCode::BAD_REQUEST, version, error.to_string()).into_response();
        }
    };
    match subprotocol(request.headers()) {
        Ok(None) => {}
        Ok(Some(ours)) => drop(response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, ours)),
        Err(Unknown) => return (StatusCode::BAD_REQUEST, "unknown subprotocol").into_response(),
    }
    let entered = enter(&state, request.headers(), address).await;
    let max_bytes = state.config.limits.frame_bytes * READ_BEYOND_LIMIT;
    tokio::spawn(async move {
        let Some(socket) = upgrade.await.ok().and_then(|upgraded| Socket::open(upgraded, max_bytes)) else {
            tracing::debug!("a connection ended before it was a socket");
            return;
        };
        match entered {
            // A task of its own, which holds nothing of the handshake.
            Ok((actor, registered)) => {
                let live = Live::new(state, actor, registered, socket);
                drop(tokio::spawn(connection::run(Box::new(live))));
            }
            Err(denied) => state.sockets.clone().track_future(deny(state, socket, denied)).await,
        }
    });
    response
}

/// None of the offered subprotocols is ours.
struct Unknown;

/// What to answer to the subprotocols that are offered; none means ours (RFC 6455, section 4.2.2).
fn subprotocol(headers: &HeaderMap) -> Result<Option<HeaderValue>, Unknown> {
    let mut offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().peekable();
    if offered.peek().is_none() {
        return Ok(None);
    }
    let named = |value: &HeaderValue| {
        let names = value.to_str().unwrap_or_default();
        names.split(',').any(|name| name.trim() == SUBPROTOCOL)
    };
    if offered.any(named) { Ok(Some(HeaderValue::from_static(SUBPROTOCOL))) } else { Err(Unknown) }
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
    let peer = Peer { user: actor.id, name: actor.name.as_str().into(), session: actor.session, address };
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
async fn deny(state: AppState, mut socket: Socket, denied: Denied) {
    let deadline = state.config.limits.close_timeout();
    let queue = state.hub.queue();
    queue.open(socket.wire(), []);
    if let Some(refused) = denied.refused {
        queue.push(encode::frame(&ServerFrame::Refused(refused)));
    }
    outgoing::close(&queue, &mut socket, denied.close, deadline).await;
}
