//! What the links of messages lead to.

use crate::domain::{RoomId, Seq};
use crate::markdown;
use crate::protocol::{Event, EventKind, Preview};
use crate::server::clock::now_ms;
use crate::server::config::Limits;
use crate::server::outgoing::Client;
use crate::server::previews::{PreviewError, preview};
use crate::server::secret::hash_secret;
use crate::server::store::{Action, Command, Linking, NotedFor, PageNote, Refusal, Store, StoreError};
use futures_util::future::join_all;

const MINUTE_MS: i64 = 60_000;

/// The message whose links are to be shown, now that this happened to it.
pub fn wants_previews(event: &Event) -> Option<Seq> {
    let (target, body) = match &event.kind {
        EventKind::Posted { body: Some(body), .. } => (event.seq, body),
        EventKind::Edited { target, body: Some(body), .. } => (*target, body),
        _ => return None,
    };
    (!markdown::web_links(body).is_empty()).then_some(target)
}

/// Asks the first links of the message at `target` what they are and shows it to the room: at most one event for each
/// body that the message has, however often and by however many this is called. The seq of the event that this call
/// made. Pages that do not answer leave nothing, and are not asked again for a while.
pub async fn unfurl(
    store: &dyn Store,
    client: &Client,
    limits: &Limits,
    (room, target): (RoomId, Seq),
) -> Result<Option<Seq>, StoreError> {
    let Some(Linking { room, body, rev, previewed: false }) = store.linking(room, target).await? else {
        return Ok(None);
    };
    let links = markdown::web_links(&body).into_iter().take(limits.preview_links);
    let pages = join_all(links.map(|url| page(store, client, limits, url))).await;
    let list: Vec<Preview> = pages.into_iter().filter_map(Result::transpose).collect::<Result<_, _>>()?;
    if list.is_empty() {
        return Ok(None);
    }
    let show = Command::by_operator(room, Action::Preview { target, rev, list });
    match store.submit(show).await?.outcome().await {
        Ok(committed) => Ok(committed.seq),
        Err(Refusal::Store(error)) => Err(error),
        Err(refusal) => Err(StoreError::Internal(format!("previews of {target}: {refusal}"))),
    }
}

/// What is known of a page, else what it says now.
async fn page(store: &dyn Store, client: &Client, limits: &Limits, url: &str) -> Result<Option<Preview>, StoreError> {
    let (hash, now) = (hash_secret(url), now_ms());
    if let Some(note) = store.page_note(&hash, now).await? {
        return Ok(shown(url, note));
    }
    let found = preview(client, url).await;
    let minutes = match found {
        Ok(_) => i64::from(limits.preview_minutes),
        Err(_) => i64::from(limits.preview_failure_minutes),
    };
    let note = note(found);
    let noted = NotedFor { fetched_at: now, expires_at: now + minutes * MINUTE_MS };
    store.put_page_note(&hash, &note, noted).await?;
    Ok(shown(url, note))
}

fn note(found: Result<Preview, PreviewError>) -> PageNote {
    match found {
        Ok(Preview { title, description, site, .. }) => PageNote::Shows { title, description, site },
        Err(error) => {
            tracing::debug!(code = error.code(), "a link has no preview");
            PageNote::Failed(error.code().to_owned())
        }
    }
}

fn shown(url: &str, note: PageNote) -> Option<Preview> {
    match note {
        PageNote::Shows { title, description, site } => Some(Preview { url: url.to_owned(), title, description, site }),
        PageNote::Failed(_) => None,
    }
}
