use super::redirect::{see_other, sign_in_path};
use super::visit::Visit;
use crate::server::service::accounts;
use crate::ui::plain::PlainPage;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::response::Response;
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Change {
    current: String,
    new: String,
}

/// `GET /settings/password`: whoever comes back to the answer of a post.
pub(super) async fn show() -> Response {
    see_other("/settings")
}

/// `POST /settings/password`: the form of the settings without WASM.
pub(super) async fn submit(visit: Visit, form: Result<Form<Change>, FormRejection>) -> Response {
    let Form(Change { current, new }) = match form {
        Ok(form) => form,
        Err(rejection) => return visit.unreadable(&rejection).await,
    };
    let Some(actor) = &visit.actor else { return see_other(&sign_in_path("/settings")) };
    match accounts::change_password(&visit.state, actor, &current, &new).await {
        Ok(()) => visit.show(PlainPage::PasswordChange { error: None }).await,
        Err(error) => visit.refuse(&error, PlainPage::PasswordChange { error: Some(error.body()) }).await,
    }
}
