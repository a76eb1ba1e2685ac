//! What a page says of itself: title, description, the site's name. Pages are other people's: whatever is in
//! them, reading one ends soon and gives short plain text. Images are left out, since whoever shows one tells the
//! site who reads the room.

mod charset;
mod head;

use super::outgoing::{Answer, Client, OutgoingError};
use crate::protocol::Preview;
use axum::http::header;

const ACCEPT: &str = "text/html,application/xhtml+xml;q=0.9";

/// Why a page has no preview.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PreviewError {
    #[error(transparent)]
    Outgoing(#[from] OutgoingError),
    #[error("the page answers with status {0}")]
    Status(u16),
    #[error("it is no web page")]
    NotHtml,
    #[error("the page does not say what it is")]
    NothingToShow,
    /// As far as it is read.
    #[error("the page is too large to find out what it is")]
    TooLarge,
}

impl PreviewError {
    /// Stable: it is stored.
    pub fn code(self) -> &'static str {
        match self {
            PreviewError::Outgoing(error) => error.code(),
            PreviewError::Status(_) => "status",
            PreviewError::NotHtml => "not_html",
            PreviewError::NothingToShow => "nothing_to_show",
            PreviewError::TooLarge => "too_large",
        }
    }

    /// Whether the page may answer another time.
    pub fn passes(self) -> bool {
        match self {
            PreviewError::Outgoing(error) => error.passes(),
            PreviewError::Status(status) => matches!(status, 408 | 425 | 429 | 500..=599),
            PreviewError::NotHtml | PreviewError::NothingToShow | PreviewError::TooLarge => false,
        }
    }
}

/// Reads the page at `url` and says what it is.
pub async fn preview(client: &Client, url: &str) -> Result<Preview, PreviewError> {
    let answer = client.get(url, ACCEPT).await?;
    if !answer.status.is_success() {
        return Err(PreviewError::Status(answer.status.as_u16()));
    }
    let content_type = answer.header(header::CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
    if !is_html(&content_type) {
        return Err(PreviewError::NotHtml);
    }
    // A tokenizer takes a while for a large page: not where sockets wait.
    let cut = answer.cut;
    let reading = tokio::task::spawn_blocking(move || read(&answer, &content_type));
    let preview = reading.await.map_err(|_| PreviewError::NothingToShow)?;
    match preview.title.is_empty() {
        false => Ok(Preview { url: url.to_owned(), ..preview }),
        true if cut => Err(PreviewError::TooLarge),
        true => Err(PreviewError::NothingToShow),
    }
}

fn is_html(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    matches!(essence, "text/html" | "application/xhtml+xml")
}

fn read(answer: &Answer, content_type: &str) -> Preview {
    head::read(&charset::decode(&answer.body, content_type))
}
