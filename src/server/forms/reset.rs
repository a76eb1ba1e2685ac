use super::redirect::{see_other, with_cookie};
use super::visit::Visit;
use crate::server::service::resets;
use crate::ui::plain::PlainPage;
use axum::Form;
use axum::extract::Path;
use axum::extract::rejection::FormRejection;
use axum::response::Response;
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Reset {
    password: String,
}

/// `GET /reset/{secret}`
pub(super) async fn show(visit: Visit, Path(secret): Path<String>) -> Response {
    match resets::look_up(&visit.state, visit.ip, &secret).await {
        Ok(name) => visit.show(PlainPage::Reset { name, error: None }).await,
        Err(error) => visit.fail(&error).await,
    }
}

/// `POST /reset/{secret}`
pub(super) async fn submit(
    visit: Visit,
    Path(secret): Path<String>,
    form: Result<Form<Reset>, FormRejection>,
) -> Response {
    let Form(Reset { password }) = match form {
        Ok(form) => form,
        Err(rejection) => return visit.unreadable(&rejection).await,
    };
    let name = match resets::look_up(&visit.state, visit.ip, &secret).await {
        Ok(name) => name,
        Err(error) => return visit.fail(&error).await,
    };
    match resets::redeem(&visit.state, &secret, &password).await {
        Ok(session) => with_cookie(see_other("/"), visit.session_cookie(&session)),
        Err(error) => visit.refuse(&error, PlainPage::Reset { name, error: Some(error.body()) }).await,
    }
}
