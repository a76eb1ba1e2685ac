use super::answer::Answer;
use super::body::{Coding, read};
use super::connect::{self, Stream};
use super::resolve::{Resolve, System};
use super::target::{Rules, Target};
use super::{OutgoingError, Ports};
use crate::server::config::{Config, Limits};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use rustls::RootCertStore;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

/// Who asks, for the logs of those who are asked.
const USER_AGENT: &str = concat!("Mozilla/5.0 (compatible; PickMate/", env!("CARGO_PKG_VERSION"), ")");

/// Bytes of an answer's headers.
const MAX_HEAD_BYTES: usize = 64 * 1_024;

/// Headers of an answer.
const MAX_HEADERS: usize = 100;

/// How long a request may take and how much of its answer is read.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// From the look-up of the name to the last byte, redirects included.
    pub timeout: Duration,
    pub body_bytes: usize,
    pub redirects: u32,
}

impl Bounds {
    pub fn of(limits: &Limits) -> Bounds {
        Bounds {
            timeout: Duration::from_millis(limits.outgoing_timeout_ms),
            body_bytes: limits.outgoing_body_bytes,
            redirects: limits.outgoing_redirects,
        }
    }
}

/// Asks other people's servers within rules and bounds. Each request has a connection of its own, without cookies.
/// Cheap to clone.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    rules: Rules,
    bounds: Bounds,
    resolver: Arc<dyn Resolve>,
    tls: OnceCell<TlsConnector>,
}

/// The clients of a node.
#[derive(Clone)]
pub struct Outgoing {
    /// For links that anybody posts: the public internet at the ports of the web, and the networks of the setting
    /// `preview-allow`, but for those of `outgoing-refuse`.
    pub previews: Client,
    /// For what owners set up: any port, and the networks of the setting `outgoing-allow`, but for those of
    /// `outgoing-refuse`.
    pub webhooks: Client,
}

impl Outgoing {
    pub fn of(config: &Config) -> Outgoing {
        let bounds = Bounds::of(&config.limits);
        let client = |allow: &[IpNet], ports| {
            let (allow, refuse) = (allow.to_vec(), config.outgoing_refuse.clone());
            Client::new(Rules { allow, refuse, ports }, bounds)
        };
        Outgoing {
            previews: client(&config.preview_allow, Ports::Web),
            webhooks: client(&config.outgoing_allow, Ports::Any),
        }
    }
}

impl Client {
    /// Looks names up as the system does, and trusts the machine's root certificates.
    pub fn new(rules: Rules, bounds: Bounds) -> Client {
        Client::resolving(rules, bounds, Arc::new(System::new()))
    }

    pub fn resolving(rules: Rules, bounds: Bounds, resolver: Arc<dyn Resolve>) -> Client {
        Client(Arc::new(Inner { rules, bounds, resolver, tls: OnceCell::new() }))
    }

    /// Trusts these root certificates, before the first request.
    pub fn trusting(self, roots: RootCertStore) -> Result<Client, OutgoingError> {
        let connector = connect::connector(roots)?;
        self.0.tls.set(connector).map_err(|_| OutgoingError::Tls)?;
        Ok(self)
    }

    /// Whether the address may be asked at all, as far as its text tells: a name may still lead where it must not.
    pub fn check(&self, url: &str) -> Result<(), OutgoingError> {
        let target = Target::parse(url, self.0.rules.ports_before_lookup())?;
        match target.literal() {
            Some(address) if !self.0.rules.allows(address, target.port()) => Err(OutgoingError::AddressRefused),
            _ => Ok(()),
        }
    }

    /// Reads a page, following redirects. `accept` are the types that are wanted.
    pub async fn get(&self, url: &str, accept: &'static str) -> Result<Answer, OutgoingError> {
        let deadline = Instant::now() + self.0.bounds.timeout;
        within(deadline, self.follow(url, accept, deadline)).await
    }

    /// Sends JSON, and hears how that was taken: of the answer its head is read only, and no redirect is followed.
    pub async fn post(&self, url: &str, headers: HeaderMap, json: String) -> Result<Answer, OutgoingError> {
        let deadline = Instant::now() + self.0.bounds.timeout;
        within(deadline, async {
            let target = Target::parse(url, self.0.rules.ports_before_lookup())?;
            let mut request = Request::new(Body::from(json));
            *request.method_mut() = Method::POST;
            *request.headers_mut() = headers;
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            let exchange = self.exchange(&target, request, deadline).await?;
            Ok(exchange.answer(target, Vec::new(), false))
        })
        .await
    }

    async fn follow(&self, url: &str, accept: &'static str, deadline: Instant) -> Result<Answer, OutgoingError> {
        let Inner { rules, bounds, .. } = &*self.0;
        let ports = rules.ports_before_lookup();
        let mut target = Target::parse(url, ports)?;
        for _ in 0..=bounds.redirects {
            let mut request = Request::new(Body::empty());
            request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static(accept));
            request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
            let mut exchange = self.exchange(&target, request, deadline).await?;
            if !is_redirect(&exchange.response) {
                let (body, cut) = exchange.read(bounds.body_bytes).await?;
                return Ok(exchange.answer(target, body, cut));
            }
            let location = exchange.header(header::LOCATION).ok_or(OutgoingError::BadRedirect)?;
            target = target.redirected(location, ports)?;
        }
        Err(OutgoingError::TooManyRedirects)
    }

    /// One request on a connection to an address that was checked.
    async fn exchange(
        &self,
        target: &Target,
        mut request: Request<Body>,
        deadline: Instant,
    ) -> Result<Exchange, OutgoingError> {
        let path = target.path_and_query();
        *request.uri_mut() = path.parse().map_err(|_| OutgoingError::BadUrl)?;
        let host = HeaderValue::try_from(target.authority()).map_err(|_| OutgoingError::BadUrl)?;
        request.headers_mut().insert(header::HOST, host);
        request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        let stream = self.connect(target, deadline).await?;
        let mut http = http1::Builder::new();
        http.max_buf_size(MAX_HEAD_BYTES).max_headers(MAX_HEADERS);
        let (mut sender, connection) =
            http.handshake(TokioIo::new(stream)).await.map_err(|_| OutgoingError::BadAnswer)?;
        let connection = AbortOnDropHandle::new(tokio::spawn(async move {
            // How it ended is told to whoever waits for the answer.
            let _ended = connection.await;
        }));
        let response = sender.send_request(request).await.map_err(|_| OutgoingError::BadAnswer)?;
        Ok(Exchange { response: response.map(Body::new), _connection: connection })
    }

    async fn connect(&self, target: &Target, deadline: Instant) -> Result<Box<dyn Stream>, OutgoingError> {
        let addresses = connect::addresses(target, &self.0.rules, &*self.0.resolver).await?;
        let stream = connect::open(&addresses, target.port(), deadline).await?;
        match target.is_encrypted() {
            true => connect::encrypt(self.tls().await?, target, stream).await,
            false => Ok(Box::new(stream)),
        }
    }

    async fn tls(&self) -> Result<&TlsConnector, OutgoingError> {
        let load = || async {
            let roots = tokio::task::spawn_blocking(connect::native_roots).await.map_err(|_| OutgoingError::Tls)?;
            connect::connector(roots)
        };
        self.0.tls.get_or_try_init(load).await
    }
}

async fn within<T>(
    deadline: Instant,
    work: impl Future<Output = Result<T, OutgoingError>>,
) -> Result<T, OutgoingError> {
    timeout_at(deadline, work).await.unwrap_or(Err(OutgoingError::Timeout))
}

fn is_redirect(response: &Response<Body>) -> bool {
    matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// An answer under way. The connection ends with it.
struct Exchange {
    response: Response<Body>,
    _connection: AbortOnDropHandle<()>,
}

impl Exchange {
    fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    async fn read(&mut self, max_bytes: usize) -> Result<(Vec<u8>, bool), OutgoingError> {
        let coding = Coding::parse(self.header(header::CONTENT_ENCODING))?;
        read(std::mem::take(self.response.body_mut()), coding, max_bytes).await
    }

    fn answer(self, target: Target, body: Vec<u8>, cut: bool) -> Answer {
        let (head, _) = self.response.into_parts();
        Answer { url: target.url, status: head.status, headers: head.headers, body, cut }
    }
}
