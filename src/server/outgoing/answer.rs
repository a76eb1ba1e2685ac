use axum::http::{HeaderMap, HeaderName, StatusCode};
use url::Url;

/// What a host answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Where it came from, after all redirects.
    pub url: Url,
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Decompressed. Of a webhook's receiver nothing is read.
    pub body: Vec<u8>,
    /// There was more of the body than is read.
    pub cut: bool,
}

impl Answer {
    /// A header's value, if it is text.
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
