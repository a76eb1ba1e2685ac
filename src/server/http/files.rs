//! Uploads, and files on their way out. Whoever may not have a file is told that there is none.

use super::failure::Failure;
use super::input::{Query, Room};
use crate::protocol::{Attached, ErrorCode};
use crate::server::auth::MaybeActor;
use crate::server::service::Actor;
use crate::server::service::files::{self, Handed, NewUpload, Wanted};
use crate::server::state::AppState;
use crate::server::store::{FileState, StoredFile};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// Nothing in a file runs, loads or sends anything, whatever a browser takes it for.
const POLICY: &str = "default-src 'none'; sandbox";

/// By its reader's browser only, and asked about each time: whoever loses a right loses the file.
const CACHING: &str = "private, no-cache";

#[derive(Deserialize)]
pub(super) struct Upload {
    key: String,
    #[serde(default)]
    name: String,
}

/// A file as its uploader, or whoever may read its message, is told of it.
#[derive(Serialize)]
pub(super) struct FileView {
    #[serde(flatten)]
    shown: Attached,
    state: &'static str,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<ErrorCode>,
}

impl FileView {
    fn of(file: StoredFile) -> FileView {
        let (state, code) = match file.state {
            FileState::Ready | FileState::Shared => ("ready", None),
            FileState::Refused(code) => ("refused", Some(ErrorCode::from(code))),
            FileState::Uploaded | FileState::Removed => ("uploaded", None),
        };
        FileView { shown: file.shown, state, code }
    }
}

/// `POST …/files?key=K&name=NAME`, the bytes as the body: 201, and 200 for a repeat.
pub(super) async fn upload(
    State(state): State<AppState>,
    actor: Actor,
    Room(room): Room,
    Query(Upload { key, name }): Query<Upload>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<FileView>), Failure> {
    let said = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let media_type = said(header::CONTENT_TYPE).unwrap_or_default();
    let bytes = said(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    let new = NewUpload { room: &room, key: &key, name: &name, media_type, bytes };
    let uploaded = files::upload(&state, &actor, new, body.into_data_stream()).await?;
    let status = if uploaded.repeated { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(FileView::of(uploaded.file))))
}

/// `GET /api/v1/files/{id}`: what it is and whether it is ready.
pub(super) async fn view(
    State(state): State<AppState>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Json<FileView>, Failure> {
    Ok(Json(FileView::of(files::look_up(&state, &actor, &id).await?)))
}

/// `GET /files/{id}`.
pub(super) async fn whole(
    State(state): State<AppState>,
    MaybeActor(actor): MaybeActor,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    hand_out(&state, actor, &id, Wanted::Whole, &headers).await
}

/// `GET /files/{id}/thumb`.
pub(super) async fn thumbnail(
    State(state): State<AppState>,
    MaybeActor(actor): MaybeActor,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    hand_out(&state, actor, &id, Wanted::Thumbnail, &headers).await
}

async fn hand_out(
    state: &AppState,
    actor: Option<Actor>,
    id: &str,
    wanted: Wanted,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let actor = actor.ok_or(ErrorCode::NotFound)?;
    let file = files::look_up(state, &actor, id).await?;
    // What an id names never changes.
    let tag = match wanted {
        Wanted::Whole => format!("\"{id}\""),
        Wanted::Thumbnail => format!("\"{id}-thumb\""),
    };
    let own = [
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, CACHING.to_owned()),
        (header::CONTENT_SECURITY_POLICY, POLICY.to_owned()),
        (header::VARY, "Cookie, Authorization".to_owned()),
    ];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).unwrap_or_default();
    if matches!(file.state, FileState::Ready | FileState::Shared)
        && known.split(',').any(|known| known.trim().trim_start_matches("W/") == tag)
    {
        return Ok((StatusCode::NOT_MODIFIED, own).into_response());
    }
    let Handed { file, media_type, content } = files::hand_out(state, file, wanted).await?;
    let described = [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_LENGTH, content.bytes.to_string()),
        (header::CONTENT_DISPOSITION, disposition(&file)),
    ];
    Ok((own, described, Body::from_stream(content.stream)).into_response())
}

/// Only what was made anew here is shown; everything else is saved.
fn disposition(file: &StoredFile) -> String {
    let kind = if file.thumbnail.is_some() { "inline" } else { "attachment" };
    format!("{kind}; filename*=UTF-8''{}", utf8_percent_encode(&file.shown.name, NON_ALPHANUMERIC))
}
