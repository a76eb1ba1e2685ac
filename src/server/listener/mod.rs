//! Accepts connections and serves HTTP on them. At most so many are open at once, each is held to a
//! pace, and a peer that went without a word is found by the system.

mod pace;

use super::config::Config;
use axum::Router;
use axum::extract::ConnectInfo;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use pace::{Answer, Pace, Patience};
use socket2::{SockRef, TcpKeepalive};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Between two probes of a silent peer. After as many unanswered ones as the system allows (nine on
/// Linux) the connection ends.
const PROBE_EVERY: Duration = Duration::from_secs(10);

/// Those who may wait to be accepted; the system may allow fewer.
const BACKLOG: u32 = 1_024;

/// Listens at the configured address. What is set on the socket, before anybody can come, those have who are
/// accepted: four calls less for each.
pub fn listen(config: &Config) -> io::Result<TcpListener> {
    let socket = if config.listen.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    // A frame should leave when it is written, not when the kernel has gathered more.
    socket.set_nodelay(true)?;
    let silence = Duration::from_millis(config.limits.keepalive_ms);
    let keepalive = TcpKeepalive::new().with_time(silence).with_interval(PROBE_EVERY);
    SockRef::from(&socket).set_tcp_keepalive(&keepalive)?;
    socket.bind(config.listen)?;
    socket.listen(BACKLOG)
}

/// Serves until `stop`, then lets the requests under way finish. Connections that became sockets are
/// not waited for.
pub async fn serve(mut listener: TcpListener, router: Router, config: &Config, stop: CancellationToken) {
    let door = Door::new(config);
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = door.accept(&mut listener) => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = accepted;
        let service = TowerToHyperService::new(router.clone());
        let (pace, patience) = (stream.pace.clone(), door.patience);
        let asked = pace.clone();
        let service = service_fn(move |mut request: hyper::Request<_>| {
            let _answering = asked.answering();
            request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer));
            let answer = service.call(request.map(axum::body::Body::new));
            async move { Ok::<_, Infallible>(answer.await?.map(|body| Answer { body, _answering })) }
        });
        let connection = door.http.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let stop = stop.clone();
        connections.spawn(async move {
            let mut connection = pin!(connection);
            let mut too_slow = pin!(pace.is_too_slow(patience));
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = too_slow.as_mut() => return,
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    tokio::select! {
                        ended = connection => ended,
                        () = too_slow => return,
                    }
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke");
            }
        });
    }
    // Those who come now are refused by the system, not left waiting.
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Who may come in, and how they are treated.
struct Door {
    places: Arc<Semaphore>,
    patience: Patience,
    http: http1::Builder,
}

impl Door {
    fn new(config: &Config) -> Door {
        let limits = &config.limits;
        let places = if config.no_rate_limit { Semaphore::MAX_PERMITS } else { limits.open_connections };
        let mut http = http1::Builder::new();
        // `pace` has its own deadlines for them.
        http.header_read_timeout(None);
        Door {
            places: Arc::new(Semaphore::new(places)),
            patience: Patience {
                first_request: Duration::from_millis(limits.first_request_ms),
                headers: Duration::from_millis(limits.header_timeout_ms),
                idle: Duration::from_millis(limits.idle_timeout_ms),
                taking: limits.write_timeout(),
            },
            http,
        }
    }

    /// The next connection, once there is a place for it.
    async fn accept(&self, listener: &mut TcpListener) -> (Placed, SocketAddr) {
        let place = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => Some(place),
            Err(_) => {
                tracing::warn!("as many connections are open as `open_connections` allows; others wait");
                // Nobody closes the semaphore.
                Arc::clone(&self.places).acquire_owned().await.ok()
            }
        };
        let (stream, peer) = Listener::accept(listener).await;
        (Placed { stream, pace: Pace::new(), place: Place(place) }, peer)
    }
}

/// One of the `open_connections`, given back when it is dropped.
pub struct Place(#[expect(dead_code, reason = "held, never looked at")] Option<OwnedSemaphorePermit>);

/// A connection that holds its place until it is closed, also as a socket.
pub struct Placed {
    stream: TcpStream,
    pace: Pace,
    place: Place,
}

impl Placed {
    pub fn into_parts(self) -> (TcpStream, Place) {
        (self.stream, self.place)
    }

    fn noting(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(_) => self.pace.bytes_left(),
            Poll::Pending => self.pace.bytes_wait(),
        }
        written
    }
}

impl AsyncRead for Placed {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.pace.bytes_arrived();
        }
        read
    }
}

impl AsyncWrite for Placed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.noting(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.noting(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::config::Limits;
    use axum::body::{Body, Bytes};
    use futures_util::stream;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::timeout;

    #[tokio::test]
    async fn an_accepted_connection_is_probed_and_holds_its_place_until_it_is_dropped() {
        let config = Config {
            limits: Limits { open_connections: 1, ..Limits::default() },
            listen: ([127, 0, 0, 1], 0).into(),
            ..Config::default()
        };
        let door = Door::new(&config);
        let mut listener = listen(&config).unwrap();
        let _peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (accepted, _) = door.accept(&mut listener).await;
        assert!(accepted.stream.nodelay().unwrap());
        assert!(SockRef::from(&accepted.stream).keepalive().unwrap());
        assert_eq!(door.places.available_permits(), 0);
        drop(accepted);
        assert_eq!(door.places.available_permits(), 1);
    }

    #[tokio::test]
    async fn a_stop_does_not_wait_for_who_takes_nothing_of_an_answer() {
        let limits = Limits { write_timeout_ms: 500, ..Limits::default() };
        let config = Config { limits, ..Config::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let endless = || Body::from_stream(stream::repeat(Ok::<_, Infallible>(Bytes::from_static(&[0; 8_192]))));
        let router = Router::new().fallback(async move || endless());
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let serving = tokio::spawn(async move { serve(listener, router, &config, stopped).await });
        peer.write_all(
            b"GET / HTTP/1.1
host: a

",
        )
        .await
        .unwrap();
        peer.read_u8().await.unwrap();
        stop.cancel();
        timeout(Duration::from_secs(20), serving).await.expect("it ends").unwrap();
    }
}
