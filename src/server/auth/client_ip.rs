//! The address of the client.

use crate::server::error::AppError;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::net::IpAddr;

/// The client's address as the router's outermost layer put it into the request's extensions.
/// `Internal` where that layer is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for ClientIp {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<ClientIp, AppError> {
        parts.extensions.get().copied().ok_or_else(|| AppError::Internal("no client address in the request".into()))
    }
}
