//! The network between everybody and the server: a TCP proxy that can cut, stall, slow, half-open,
//! truncate and corrupt.

use crate::schedule::Share;
use anyhow::Result;
use futures_util::future::try_join;
use socket2::SockRef;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, watch};

/// What happens to the bytes of the connections that it hits, as long as it lasts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weather {
    pub stalled: Share,
    pub slow: Share,
    /// New connections end at once.
    pub refused: bool,
}

/// What happens once, to connections that are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jolt {
    Cut,
    HalfOpen,
    Truncate,
    Corrupt,
}

#[derive(Clone)]
pub struct Proxy {
    addr: SocketAddr,
    weather: Arc<watch::Sender<Weather>>,
    jolts: broadcast::Sender<(Jolt, Share)>,
}

impl Proxy {
    pub async fn start(server: SocketAddr) -> Result<Proxy> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let proxy = Proxy {
            addr: listener.local_addr()?,
            weather: Arc::new(watch::Sender::new(Weather::default())),
            jolts: broadcast::channel(64).0,
        };
        tokio::spawn(proxy.clone().accept(listener, server));
        Ok(proxy)
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn jolt(&self, jolt: Jolt, share: Share) {
        // Without a connection nobody listens.
        let _ = self.jolts.send((jolt, share));
    }

    /// Changes the weather; whoever makes it worse mends it.
    pub fn change(&self, change: impl FnOnce(&mut Weather)) {
        self.weather.send_modify(change);
    }

    async fn accept(self, listener: TcpListener, server: SocketAddr) {
        for number in 0.. {
            let Ok((client, _)) = listener.accept().await else { return };
            if self.weather.borrow().refused {
                continue;
            }
            let jolts = self.jolts.subscribe();
            let air = Air { fortune: number * 37 % 100, weather: self.weather.subscribe() };
            tokio::spawn(async move {
                // A server that is down: the client's connection ends at once.
                if let Ok(server) = TcpStream::connect(server).await {
                    link(client, server, air, jolts).await;
                }
            });
        }
    }
}

/// What one connection passes through.
#[derive(Clone)]
struct Air {
    /// 0 to 99; a fault hits the connections below its share.
    fortune: u64,
    weather: watch::Receiver<Weather>,
}

impl Air {
    async fn until_it_moves(&mut self) {
        let fortune = self.fortune;
        // The sender lives as long as the program.
        let _ = self.weather.wait_for(|weather| fortune >= weather.stalled).await;
    }

    fn is_slow(&self) -> bool {
        self.fortune < self.weather.borrow().slow
    }
}

/// What the next bytes of a connection meet.
mod fate {
    pub const NONE: u8 = 0;
    pub const TRUNCATED: u8 = 1;
    pub const CORRUPTED: u8 = 2;
    /// And all that come later.
    pub const SWALLOWED: u8 = 3;
}

async fn link(mut client: TcpStream, mut server: TcpStream, air: Air, mut jolts: broadcast::Receiver<(Jolt, Share)>) {
    let fate = AtomicU8::new(fate::NONE);
    let reset = {
        let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
        let up = pump(from_client, to_server, air.clone(), &fate);
        let down = pump(from_server, to_client, air.clone(), &fate);
        let both = try_join(up, down);
        tokio::pin!(both);
        loop {
            tokio::select! {
                _ = &mut both => break false,
                jolt = jolts.recv() => match jolt {
                    Ok((jolt, share)) if air.fortune < share => match jolt {
                        Jolt::Cut => break true,
                        Jolt::HalfOpen => fate.store(fate::SWALLOWED, Ordering::Relaxed),
                        Jolt::Truncate => fate.store(fate::TRUNCATED, Ordering::Relaxed),
                        Jolt::Corrupt => fate.store(fate::CORRUPTED, Ordering::Relaxed),
                    },
                    _ => {}
                },
            }
        }
    };
    if reset {
        for stream in [&client, &server] {
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }
}

struct Broken;

/// One direction, until its end; an error ends the other one too.
async fn pump(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, mut air: Air, fate: &AtomicU8) -> Result<(), Broken> {
    let mut buffer = vec![0; 32 << 10];
    loop {
        air.until_it_moves().await;
        let count = from.read(&mut buffer).await.map_err(|_| Broken)?;
        air.until_it_moves().await;
        let bytes = &mut buffer[..count];
        match fate.load(Ordering::Relaxed) {
            // A half-open connection does not tell of its end either.
            fate::SWALLOWED if count == 0 => return Ok(()),
            fate::SWALLOWED => continue,
            _ if count == 0 => return to.shutdown().await.map_err(|_| Broken),
            fate::TRUNCATED => {
                let _ = to.write_all(&bytes[..count / 2]).await;
                return Err(Broken);
            }
            fate::CORRUPTED => {
                // No WebSocket frame, no HTTP and no UTF-8: a change that nothing could notice is
                // what TLS is for, and no fault of the server.
                bytes.fill(0xFF);
                let _ = to.write_all(bytes).await;
                fate.store(fate::TRUNCATED, Ordering::Relaxed);
            }
            _ if air.is_slow() => {
                for piece in bytes.chunks(512) {
                    to.write_all(piece).await.map_err(|_| Broken)?;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            _ => to.write_all(bytes).await.map_err(|_| Broken)?,
        }
    }
}
