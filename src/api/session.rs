use crate::i18n::Locale;
use crate::protocol::{Community, ErrorBody, Me, RoomSummary};
use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use serde::{Deserialize, Serialize};

/// What the app starts from: who is here, where, and how to word it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppStart {
    pub community: Community,
    pub me: Me,
    pub rooms: Vec<RoomSummary>,
    pub epoch: String,
    pub locale: Locale,
    /// The account's own choice; `None` follows the browser.
    pub chosen_locale: Option<Locale>,
    /// Minutes east of UTC where the reader is, from the `tz` cookie; 0 until that is known.
    pub utc_offset_min: i32,
    /// Unix milliseconds when the page was made, for "today" and "yesterday".
    pub now: i64,
    /// Bytes of UTF-8 in a message.
    pub body_bytes: u32,
}

#[server(input = Json)]
pub async fn boot() -> Result<AppStart, ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    let rooms = service::rooms::list(&state, &actor).await?;
    let name = state.store.community().await.map_err(crate::server::error::AppError::from)?.unwrap_or_default();
    let reader = auth::reader(&actor).await;
    Ok(AppStart {
        community: Community { name },
        me: Me { id: actor.id.0, name: actor.name, role: actor.role },
        rooms,
        epoch: state.store.epoch().to_string(),
        locale: reader.locale,
        chosen_locale: actor.locale,
        utc_offset_min: reader.utc_offset_min,
        now: auth::now_ms(),
        body_bytes: state.config.limits.body_bytes as u32,
    })
}

#[server(input = Json)]
pub async fn set_locale(locale: Option<Locale>) -> Result<(), ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    Ok(service::accounts::set_locale(&state, &actor, locale).await?)
}

#[server(input = Json)]
pub async fn change_password(current: String, new: String) -> Result<(), ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    Ok(service::accounts::change_password(&state, &actor, &current, &new).await?)
}
