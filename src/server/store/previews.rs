use super::StoreError;
use super::columns::{damaged, seq_from};
use crate::domain::{RoomId, Seq, Slug};
use async_trait::async_trait;

/// A message whose links may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linking {
    pub room: Slug,
    pub body: String,
    /// Since when the body stands so.
    pub rev: Seq,
    /// It has its previews already.
    pub previewed: bool,
}

/// The room's address, the body, its rev and the seq of the previews.
pub(super) type LinkingRow = (String, String, i64, Option<i64>);

impl Linking {
    pub(super) fn from_row((room, body, rev, previews_rev): LinkingRow) -> Result<Linking, StoreError> {
        let room = Slug::parse(&room).map_err(|_| damaged("room's address", room))?;
        Ok(Linking { room, body, rev: seq_from(rev)?, previewed: previews_rev.is_some() })
    }
}

/// What is remembered of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageNote {
    Shows {
        title: String,
        description: String,
        site: String,
    },
    /// Why there is nothing to show: a code.
    Failed(String),
}

/// Title, description, site and failure.
pub(super) type PageNoteRow = (String, String, String, Option<String>);

impl From<PageNoteRow> for PageNote {
    fn from((title, description, site, failure): PageNoteRow) -> PageNote {
        match failure {
            Some(code) => PageNote::Failed(code),
            None => PageNote::Shows { title, description, site },
        }
    }
}

impl PageNote {
    pub(super) fn columns(&self) -> (&str, &str, &str, Option<&str>) {
        match self {
            PageNote::Shows { title, description, site } => (title, description, site, None),
            PageNote::Failed(code) => ("", "", "", Some(code)),
        }
    }
}

/// For how long a page is not asked again, in Unix milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct NotedFor {
    pub fetched_at: i64,
    pub expires_at: i64,
}

/// Links of messages, and the pages that they lead to. Pages are known by the SHA-256 of their addresses.
#[async_trait]
pub trait Previews {
    /// `None`: no such message, or an erased one.
    async fn linking(&self, room: RoomId, seq: Seq) -> Result<Option<Linking>, StoreError>;

    /// What is remembered of a page at `now`.
    async fn page_note(&self, hash: &[u8; 32], now: i64) -> Result<Option<PageNote>, StoreError>;

    /// Remembers it in the place of what was known before.
    async fn put_page_note(&self, hash: &[u8; 32], note: &PageNote, noted: NotedFor) -> Result<(), StoreError>;
}
