use super::{Address, Content, FilesError, Name, failed};
use futures_util::TryStreamExt;
use reqwest::redirect::Policy;
use reqwest::{Body, Client, Response, StatusCode, Url, header};
use rusty_s3::S3Action;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::fs::File;

/// How long a signed request may be on its way, clocks that differ included.
const SIGNED_FOR: Duration = Duration::from_secs(5 * 60);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Between two bytes of an answer.
const SILENCE: Duration = Duration::from_secs(30);

/// Bytes a second that a store takes at the least.
const SLOWEST: u64 = 100_000;

/// Folders of one bucket begin with this.
const FOLDER: &str = "files";

/// A bucket of a store that speaks S3, such as MinIO, Garage or Amazon's, addressed by path.
#[derive(Clone)]
pub struct S3 {
    address: Arc<Address>,
    client: Client,
    /// For what goes up: the other one's patience counts from the first byte of a request.
    sender: Client,
}

impl S3 {
    pub(super) fn new(address: Address) -> Result<S3, FilesError> {
        // Whoever redirects would be sent what is signed for somebody else.
        let client = Client::builder().redirect(Policy::none()).connect_timeout(CONNECT_WITHIN).read_timeout(SILENCE);
        let client = client.build().map_err(|error| failed(&address, error))?;
        let sender = Client::builder().redirect(Policy::none()).connect_timeout(CONNECT_WITHIN);
        let sender = sender.build().map_err(|error| failed(&address, error))?;
        Ok(S3 { address: Arc::new(address), client, sender })
    }

    pub(super) async fn put(&self, name: &Name, from: &Path) -> Result<(), FilesError> {
        let file = File::open(from).await.map_err(|error| self.failed(error))?;
        let bytes = file.metadata().await.map_err(|error| self.failed(error))?.len();
        let address = &self.address;
        let url = address.bucket.put_object(Some(&address.credentials), &key(name)).sign(SIGNED_FOR);
        let patience = SILENCE + Duration::from_secs(bytes / SLOWEST);
        let request =
            self.sender.put(url).header(header::CONTENT_LENGTH, bytes).body(Body::from(file)).timeout(patience);
        self.answer(request).await.and_then(|answer| self.success(&answer))
    }

    pub(super) async fn get(&self, name: &Name) -> Result<Option<Content>, FilesError> {
        let address = &self.address;
        let url: Url = address.bucket.get_object(Some(&address.credentials), &key(name)).sign(SIGNED_FOR);
        let answer = self.answer(self.client.get(url)).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        self.success(&answer)?;
        let bytes = answer.content_length().ok_or_else(|| self.failed("an object without its length"))?;
        let stream = answer.bytes_stream().map_err(|error| io::Error::other(error.without_url()));
        Ok(Some(Content { bytes, stream: Box::pin(stream) }))
    }

    pub(super) async fn remove(&self, name: &Name) -> Result<(), FilesError> {
        let address = &self.address;
        let url = address.bucket.delete_object(Some(&address.credentials), &key(name)).sign(SIGNED_FOR);
        let answer = self.answer(self.client.delete(url)).await?;
        if answer.status() == StatusCode::NOT_FOUND { Ok(()) } else { self.success(&answer) }
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Response, FilesError> {
        // The URL has the signature in it.
        request.send().await.map_err(|error| self.failed(chain(&error.without_url())))
    }

    fn success(&self, answer: &Response) -> Result<(), FilesError> {
        let status = answer.status();
        if status.is_success() { Ok(()) } else { Err(self.failed(format!("the store answers {status}"))) }
    }

    fn failed(&self, problem: impl fmt::Display) -> FilesError {
        failed(&self.address, problem)
    }
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3({})", self.address)
    }
}

fn key(name: &Name) -> String {
    format!("{FOLDER}/{name}")
}

/// What lies behind "error sending request".
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |sentence, cause| format!("{sentence}: {cause}"))
}
