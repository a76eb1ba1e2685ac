//! What the links of messages lead to.

use crate::domain::{RoomId, Seq};
use crate::markdown;
use crate::protocol::Preview;
use crate::server::clock::now_ms;
use crate::server::config::{Config, Limits};
use crate::server::outgoing::Client;
use crate::server::previews::{PreviewError, preview};
use crate::server::queue;
use crate::server::secret::hash_secret;
use crate::server::store::{Action, Command, Linking, NewTask, NotedFor, PageNote, Refusal, Store, StoreError};
use futures_util::future::join_all;

const MINUTE_MS: i64 = 60_000;

/// The task that follows from a body with links, where the settings want it: of the message at `target`, or of the one
/// that is posted with it.
pub fn follow_up(config: &Config, body: &str, target: Option<Seq>) -> Vec<NewTask> {
    match config.previews && !markdown::web_links(body).is_empty() {
        true => vec![queue::task(&queue::Preview { target })],
        false => Vec::new(),
    }
}

/// What to do about pages that do not answer now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Nothing is shown yet.
    AsksAgain,
    /// The others are shown; those are not asked again for a while.
    TakesWhatThereIs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfurled {
    /// The seq of the event that this call made, if it made one.
    Shown(Option<Seq>),
    /// A page did not answer for a reason that may pass: its code.
    Later(&'static str),
}

/// What a page came to.
enum Found {
    Shows(Preview),
    Nothing,
    Later(&'static str),
}

/// Asks what links lead to.
#[derive(Clone, Copy)]
pub struct Unfurler<'a> {
    pub store: &'a dyn Store,
    pub client: &'a Client,
    pub limits: &'a Limits,
    pub patience: Patience,
}

impl Unfurler<'_> {
    /// Asks the first links of the message at `target` what they are and shows it to the room: at most one event for
    /// each body that the message has, however often and by however many this is called.
    pub async fn unfurl(self, (room, target): (RoomId, Seq)) -> Result<Unfurled, StoreError> {
        let Some(Linking { room, body, rev, previewed: false }) = self.store.linking(room, target).await? else {
            return Ok(Unfurled::Shown(None));
        };
        let links = markdown::web_links(&body).into_iter().take(self.limits.preview_links);
        let mut list = Vec::new();
        for page in join_all(links.map(|url| self.page(url))).await {
            match page? {
                Found::Shows(preview) => list.push(preview),
                Found::Nothing => {}
                Found::Later(code) => return Ok(Unfurled::Later(code)),
            }
        }
        if list.is_empty() {
            return Ok(Unfurled::Shown(None));
        }
        let show = Command::by_operator(room, Action::Preview { target, rev, list });
        match self.store.submit(show).await?.outcome().await {
            Ok(committed) => Ok(Unfurled::Shown(committed.seq)),
            Err(Refusal::Store(error)) => Err(error),
            Err(refusal) => Err(StoreError::Internal(format!("previews of {target}: {refusal}"))),
        }
    }

    /// What is known of a page, else what it says now.
    async fn page(self, url: &str) -> Result<Found, StoreError> {
        let (hash, now) = (hash_secret(url), now_ms());
        if let Some(note) = self.store.page_note(&hash, now).await? {
            return Ok(shown(url, note));
        }
        let found = preview(self.client, url).await;
        let minutes = match found {
            Ok(_) => i64::from(self.limits.preview_minutes),
            Err(error) if error.passes() && self.patience == Patience::AsksAgain => {
                return Ok(Found::Later(error.code()));
            }
            Err(_) => i64::from(self.limits.preview_failure_minutes),
        };
        let note = note(found);
        let noted = NotedFor { fetched_at: now, expires_at: now + minutes * MINUTE_MS };
        self.store.put_page_note(&hash, &note, noted).await?;
        Ok(shown(url, note))
    }
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

fn shown(url: &str, note: PageNote) -> Found {
    match note {
        PageNote::Shows { title, description, site } => {
            Found::Shows(Preview { url: url.to_owned(), title, description, site })
        }
        PageNote::Failed(_) => Found::Nothing,
    }
}
