use super::redirect::{room_path, see_other};
use super::visit::Visit;
use crate::protocol::ErrorCode;
use crate::server::error::AppError;
use crate::server::secret::random_key;
use crate::server::service::messages::{NewPost, post_message};
use crate::ui::plain::PlainPage;
use axum::Form;
use axum::extract::Path;
use axum::extract::rejection::FormRejection;
use axum::response::Response;
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Post {
    key: String,
    body: String,
}

/// `POST /rooms/{slug}`: the composer's form without WASM.
pub(super) async fn submit(
    visit: Visit,
    Path(room): Path<String>,
    form: Result<Form<Post>, FormRejection>,
) -> Response {
    let Form(Post { key, body }) = match form {
        Ok(form) => form,
        Err(rejection) => return visit.unreadable(&rejection).await,
    };
    let outcome = match &visit.actor {
        Some(actor) => {
            let post = NewPost { room: &room, key: &key, body: &body, files: &[] };
            post_message(&visit.state, actor, post).await
        }
        None => Err(AppError::refused(ErrorCode::Unauthenticated)),
    };
    match outcome {
        Ok(_) => see_other(&room_path(&room)),
        Err(error) => {
            // Under such a key it could never be sent.
            let spent = matches!(error.code(), ErrorCode::KeyReused | ErrorCode::BadKey);
            let key = if spent { random_key() } else { key };
            let page = PlainPage::PostRefused { room, key, body, error: error.body() };
            visit.refuse(&error, page).await
        }
    }
}
