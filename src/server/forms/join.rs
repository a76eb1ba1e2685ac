use super::redirect::{see_other, with_cookie};
use super::visit::Visit;
use crate::server::service::invites::{self, JoinForm};
use crate::ui::plain::PlainPage;
use axum::Form;
use axum::extract::Path;
use axum::extract::rejection::FormRejection;
use axum::response::Response;
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Join {
    name: String,
    password: String,
}

/// `GET /join/{secret}`
pub(super) async fn show(visit: Visit, Path(secret): Path<String>) -> Response {
    match invites::look_up(&visit.state, visit.ip, &secret).await {
        Ok(invite) => visit.show(PlainPage::Join { inviter: invite.inviter, name: String::new(), error: None }).await,
        Err(error) => visit.fail(&error).await,
    }
}

/// `POST /join/{secret}`
pub(super) async fn submit(
    visit: Visit,
    Path(secret): Path<String>,
    form: Result<Form<Join>, FormRejection>,
) -> Response {
    let Form(Join { name, password }) = match form {
        Ok(form) => form,
        Err(rejection) => return visit.unreadable(&rejection).await,
    };
    let invite = match invites::look_up(&visit.state, visit.ip, &secret).await {
        Ok(invite) => invite,
        Err(error) => return visit.fail(&error).await,
    };
    let form = JoinForm { name: name.clone(), password, locale: visit.chosen_locale };
    match invites::accept(&visit.state, &secret, form).await {
        Ok(session) => with_cookie(see_other("/"), visit.session_cookie(&session)),
        Err(error) => {
            let page = PlainPage::Join { inviter: invite.inviter, name, error: Some(error.body()) };
            visit.refuse(&error, page).await
        }
    }
}
