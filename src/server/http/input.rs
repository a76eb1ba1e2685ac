//! What a request carries, with refusals in the API's own form.

use super::failure::Failure;
use crate::domain::Seq;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

/// A JSON body: 415 for another content type, 413 when too large, else 400.
pub(super) struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Body<T>, Failure> {
        match axum::Json::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Body(value)),
            Err(rejection) => {
                // Well-formed JSON of another shape is no better than none.
                let status = match rejection.status() {
                    StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
                    status => status,
                };
                Err(Failure::bad_request(status, rejection.body_text()))
            }
        }
    }
}

/// The query; unknown parameters are ignored.
pub(super) struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Query<T>, Failure> {
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Query(value)),
            Err(rejection) => Err(Failure::bad_request(rejection.status(), rejection.body_text())),
        }
    }
}

/// The room of the path.
pub(super) struct Room(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Room {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Room, Failure> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(slug)) => Ok(Room(slug)),
            Err(rejection) => Err(Failure::bad_request(rejection.status(), rejection.body_text())),
        }
    }
}

/// The room and the message of the path.
pub(super) struct Target {
    pub room: String,
    pub seq: Seq,
}

impl<S: Send + Sync> FromRequestParts<S> for Target {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Target, Failure> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path((room, seq))) => Ok(Target { room, seq }),
            Err(rejection) => Err(Failure::bad_request(rejection.status(), rejection.body_text())),
        }
    }
}

/// The room and the webhook of the path.
pub(super) struct Hook {
    pub room: String,
    pub id: i64,
}

impl<S: Send + Sync> FromRequestParts<S> for Hook {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Hook, Failure> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path((room, id))) => Ok(Hook { room, id }),
            Err(rejection) => Err(Failure::bad_request(rejection.status(), rejection.body_text())),
        }
    }
}

/// How much is asked for: cut to `max`, `max` when not said. 400 for 0.
pub(super) fn limit(asked: Option<u32>, max: u32) -> Result<u32, Failure> {
    match asked {
        Some(0) => Err(Failure::bad_request(StatusCode::BAD_REQUEST, "limit is at least 1")),
        Some(asked) => Ok(asked.min(max)),
        None => Ok(max),
    }
}
