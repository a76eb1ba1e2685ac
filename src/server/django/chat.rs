//! `/ws/chat/`: greets, then echoes to the sender. Idle connections stay open; nothing is sent on
//! this path that the note's consumer does not send.

use super::message::echo;
use crate::protocol::CloseCode;
use crate::server::auth::ClientIp;
use crate::server::error::AppError;
use crate::server::forms;
use crate::server::limits::ConnectionPermit;
use crate::server::state::AppState;
use crate::server::ws::close_code_of;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::error::Error;
use std::net::IpAddr;

const GREETING: &str = r#"{"message": "연결 성공"}"#;

/// `GET /ws/chat/`: any `Origin`, and no subprotocol is answered. A page with 404 without a
/// handshake, 400 for a broken one, 429 when the address holds too many connections.
pub(super) async fn chat(State(state): State<AppState>, request: Request) -> Response {
    if !request.headers().contains_key(header::UPGRADE) {
        return forms::not_found(State(state), request).await;
    }
    let (mut parts, _) = request.into_parts();
    let ip = match ClientIp::from_request_parts(&mut parts, &state).await {
        Ok(ClientIp(ip)) => ip,
        Err(error) => return error.into_response(),
    };
    match WebSocketUpgrade::from_request_parts(&mut parts, &state).await {
        Ok(upgrade) => accept(state, ip, upgrade).unwrap_or_else(AppError::into_response),
        Err(rejection) => (StatusCode::BAD_REQUEST, rejection.body_text()).into_response(),
    }
}

fn accept(state: AppState, ip: IpAddr, upgrade: WebSocketUpgrade) -> Result<Response, AppError> {
    let permit = state.rate_limits.echo_connection(ip)?;
    let max_bytes = state.config.limits.echo_frame_bytes;
    let upgrade = upgrade.max_frame_size(max_bytes).max_message_size(max_bytes);
    let sockets = state.sockets.clone();
    let talk = move |socket| sockets.track_future(Conversation { socket, state, _permit: permit }.run());
    Ok(upgrade.on_upgrade(talk))
}

struct Conversation {
    socket: WebSocket,
    state: AppState,
    _permit: ConnectionPermit,
}

/// Why a conversation is over.
enum End {
    /// The peer left or is gone; the library has answered its close frame with the same code.
    Left,
    Close(CloseCode),
}

impl Conversation {
    async fn run(mut self) {
        let End::Close(code) = self.talk().await else { return };
        let frame = CloseFrame { code: code.code(), reason: Utf8Bytes::from_static("") };
        let closing = async {
            // Hanging up on something unread would reset the connection, and the reason with it.
            if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        };
        let _ = tokio::time::timeout(self.state.config.limits.close_timeout(), closing).await;
    }

    /// One frame after the other, so answers keep the order of the questions and a peer that does
    /// not read is not read from.
    async fn talk(&mut self) -> End {
        if let Err(end) = self.send(Message::text(GREETING)).await {
            return end;
        }
        let shutdown = self.state.shutdown.clone();
        loop {
            let received = tokio::select! {
                received = self.socket.recv() => received,
                () = shutdown.cancelled() => return End::Close(CloseCode::Restarting),
            };
            let answer = match received {
                Some(Ok(Message::Text(text))) => echo(&text),
                Some(Ok(Message::Binary(_))) => None,
                // Answered by the library while it is read from.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_))) => continue,
                Some(Err(error)) => {
                    let cause = error.source().and_then(|cause| cause.downcast_ref());
                    return cause.and_then(close_code_of).map_or(End::Left, End::Close);
                }
                None => return End::Left,
            };
            let Some(answer) = answer else { return End::Close(CloseCode::Internal) };
            if let Err(end) = self.send(Message::text(answer)).await {
                return end;
            }
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match tokio::time::timeout(self.state.config.limits.write_timeout(), self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Left),
        }
    }
}
