use super::redirect::{room_path, see_other, with_cookie};
use super::visit::Visit;
use crate::protocol::ErrorCode;
use crate::server::service::set_up::{self, SetUpForm};
use crate::ui::plain::PlainPage;
use axum::Form;
use axum::extract::Path;
use axum::extract::rejection::FormRejection;
use axum::response::Response;
use serde::Deserialize;

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct SetUp {
    community: String,
    name: String,
    password: String,
    room: String,
}

/// `GET /set-up/{secret}`
pub(super) async fn show(visit: Visit, Path(secret): Path<String>) -> Response {
    match set_up::look_up(&visit.state, visit.ip, &secret).await {
        Ok(()) => {
            let empty = String::new;
            visit.show(PlainPage::SetUp { community: empty(), name: empty(), room: empty(), error: None }).await
        }
        Err(error) => visit.fail(&error).await,
    }
}

/// `POST /set-up/{secret}`
pub(super) async fn submit(
    visit: Visit,
    Path(secret): Path<String>,
    form: Result<Form<SetUp>, FormRejection>,
) -> Response {
    let Form(typed) = match form {
        Ok(form) => form,
        Err(rejection) => return visit.unreadable(&rejection).await,
    };
    let SetUp { community, name, password, room } = typed.clone();
    let form = SetUpForm { community, name, password, room, locale: visit.chosen_locale };
    match set_up::set_up(&visit.state, visit.ip, &secret, form).await {
        Ok((session, slug)) => with_cookie(see_other(&room_path(&slug)), visit.session_cookie(&session)),
        Err(error) if error.code() == ErrorCode::LinkExpired => visit.fail(&error).await,
        Err(error) => {
            let SetUp { community, name, room, .. } = typed;
            visit.refuse(&error, PlainPage::SetUp { community, name, room, error: Some(error.body()) }).await
        }
    }
}
