use super::redirect::{local_path, see_other, with_cookie};
use super::visit::Visit;
use crate::i18n::Locale;
use crate::protocol::ErrorCode;
use crate::server::auth::LocaleCookie;
use crate::server::error::AppError;
use crate::server::service::accounts;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::response::Response;
use serde::Deserialize;

/// The choice that follows the browser.
const AUTO: &str = "auto";

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    locale: String,
    next: String,
}

/// `POST /locale`: for the browser, and for the account of somebody signed in.
pub(super) async fn submit(visit: Visit, form: Result<Form<Choice>, FormRejection>) -> Response {
    let Form(choice) = match form {
        Ok(form) => form,
        Err(rejection) => return visit.unreadable(&rejection).await,
    };
    let locale = Locale::from_tag(&choice.locale);
    if locale.is_none() && choice.locale != AUTO {
        let message = format!("locale is ko, en or {AUTO}");
        return visit.fail(&AppError::Refused { code: ErrorCode::BadRequest, message }).await;
    }
    if let Some(actor) = &visit.actor
        && let Err(error) = accounts::set_locale(&visit.state, actor, locale).await
    {
        return visit.fail(&error).await;
    }
    let back = see_other(local_path(&choice.next).unwrap_or("/"));
    with_cookie(back, LocaleCookie::of(&visit.state.config).keep(locale))
}
