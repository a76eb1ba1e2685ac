use super::redirect::{see_other, sign_in_path};
use super::visit::Visit;
use crate::protocol::ErrorCode;
use crate::server::error::AppError;
use crate::server::secret::random_key;
use crate::server::service::webhooks::MadeOnce;
use crate::server::service::{Actor, rooms, webhooks};
use crate::ui::plain::{PlainPage, WebhooksPage};
use axum::Form;
use axum::extract::Path;
use axum::extract::rejection::FormRejection;
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    deed: String,
    /// To be added, once for each key.
    url: String,
    key: String,
    /// To be tried or removed.
    id: i64,
}

/// `GET /rooms/{slug}/webhooks`
pub(super) async fn show(visit: Visit, Path(room): Path<String>, uri: Uri) -> Response {
    let Some(actor) = &visit.actor else { return see_other(&sign_in_path(uri.path())) };
    match page(&visit, actor, &room).await {
        Ok(page) => visit.show(PlainPage::Webhooks(page)).await,
        Err(error) => visit.fail(&error).await,
    }
}

/// `POST /rooms/{slug}/webhooks`: adds one, has one tried, or removes one.
pub(super) async fn submit(
    visit: Visit,
    Path(room): Path<String>,
    form: Result<Form<Asked>, FormRejection>,
) -> Response {
    let Form(asked) = match form {
        Ok(form) => form,
        Err(rejection) => return visit.unreadable(&rejection).await,
    };
    let Some(actor) = &visit.actor else { return visit.fail(&AppError::refused(ErrorCode::Unauthenticated)).await };
    let (state, url) = (&visit.state, asked.url.as_str());
    let done = match asked.deed.as_str() {
        "add" => webhooks::create_once(state, actor, &room, (url, &asked.key)).await.map(Some),
        "test" => webhooks::test(state, actor, &room, asked.id).await.map(|_| None),
        "remove" => webhooks::remove(state, actor, &room, asked.id).await.map(|()| None),
        _ => Err(AppError::refused(ErrorCode::BadRequest)),
    };
    let page = match page(&visit, actor, &room).await {
        Ok(page) => page,
        Err(error) => return visit.fail(&error).await,
    };
    match done {
        Ok(None) => see_other(&format!("/rooms/{room}/webhooks")),
        Ok(Some(made)) => {
            // The secret is in no address and in no store of the browser: it stands in this answer only.
            let secret = match made {
                MadeOnce::Now(made) => Some(made.secret),
                MadeOnce::JustBefore(secret) => Some(secret),
                MadeOnce::Before => None,
            };
            let made_before = secret.is_none();
            visit.show(PlainPage::Webhooks(WebhooksPage { secret, made_before, ..page })).await
        }
        Err(error) => {
            // Whether it was made is not known of every error: the same form may be sent again. Other forms have no key.
            let same = asked.deed == "add" && error.code() != ErrorCode::BadKey;
            let key = if same { asked.key.clone() } else { page.key };
            let page = WebhooksPage { url: url.to_owned(), key, error: Some(error.body()), ..page };
            visit.refuse(&error, PlainPage::Webhooks(page)).await
        }
    }
}

/// As it stands. `Forbidden` but for owners, `NotFound`.
async fn page(visit: &Visit, actor: &Actor, room: &str) -> Result<WebhooksPage, AppError> {
    let hooks = webhooks::logs(&visit.state, actor, room).await?;
    let name = rooms::find(&visit.state, actor, room).await?.name;
    let (room, key) = ((room.to_owned(), name), random_key());
    Ok(WebhooksPage { room, hooks, secret: None, made_before: false, url: String::new(), key, error: None })
}
