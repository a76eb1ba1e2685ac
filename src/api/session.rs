use crate::i18n::Locale;
use crate::protocol::json::Answer;
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
    /// Minutes east of UTC where the reader is, from the `tz_offset` cookie; 0 until that is known.
    pub utc_offset_min: i32,
    /// Unix milliseconds when the page was made, for "today" and "yesterday".
    pub now: i64,
    /// Bytes of UTF-8 in a message.
    pub body_bytes: u32,
    /// Bytes of a file, and files of a message.
    pub upload_bytes: u64,
    pub message_files: u32,
    /// What an invite may be made for at most.
    pub invite_max_days: u32,
    pub invite_max_uses: u32,
}

/// Ends all other sessions of the account. `Unauthenticated`, `WrongCredentials`,
/// `RateLimited` and the rules of passwords.
#[server(input = Json, output = Answer)]
pub async fn change_password(current: String, new: String) -> Result<(), ErrorBody> {
    use crate::server::{auth, service};
    let (state, actor) = auth::current().await?;
    Ok(service::accounts::change_password(&state, &actor, &current, &new).await?)
}
