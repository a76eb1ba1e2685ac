use super::redirect::{local_path, see_other, with_cookie};
use super::visit::Visit;
use crate::server::auth::SessionCookie;
use crate::server::service::{accounts, community};
use crate::ui::plain::PlainPage;
use axum::Form;
use axum::extract::Query;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::response::Response;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Where {
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct SignIn {
    name: String,
    password: String,
    next: Option<String>,
}

/// `GET /sign-in?next=PATH`
pub(super) async fn show(visit: Visit, query: Result<Query<Where>, QueryRejection>) -> Response {
    // An address that cannot be read is no reason not to let people in.
    let next = query.ok().and_then(|Query(Where { next })| next).filter(|next| local_path(next).is_some());
    if visit.actor.is_some() {
        return see_other(next.as_deref().unwrap_or("/"));
    }
    match community::name(&visit.state).await {
        Ok(Some(_)) => visit.show(PlainPage::SignIn { name: String::new(), next, error: None }).await,
        Ok(None) => visit.show(PlainPage::NotSetUp).await,
        Err(error) => visit.fail(&error).await,
    }
}

/// `POST /sign-in`
pub(super) async fn submit(visit: Visit, form: Result<Form<SignIn>, FormRejection>) -> Response {
    let Form(form) = match form {
        Ok(form) => form,
        Err(rejection) => return visit.unreadable(&rejection).await,
    };
    let next = form.next.filter(|next| local_path(next).is_some());
    match accounts::sign_in(&visit.state, visit.ip, &form.name, &form.password).await {
        Ok(session) => with_cookie(see_other(next.as_deref().unwrap_or("/")), visit.session_cookie(&session)),
        Err(error) => {
            let page = PlainPage::SignIn { name: form.name, next, error: Some(error.body()) };
            visit.refuse(&error, page).await
        }
    }
}

/// `POST /sign-out`
pub(super) async fn sign_out(visit: Visit) -> Response {
    if let Some(actor) = &visit.actor
        && let Err(error) = accounts::sign_out(&visit.state, actor).await
    {
        return visit.fail(&error).await;
    }
    with_cookie(see_other("/sign-in"), SessionCookie::of(&visit.state.config).end())
}
