//! Over TLS, with a root that is the tests' own.

use super::peer::{Peer, page, read_request, redirect};
use super::{Lookups, bounds, failure, get, rules};
use pickmate::server::outgoing::{Client, OutgoingError};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{RootCertStore, ServerConfig};
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const ROOT: &[u8] = include_bytes!("tls/root.der");
const HOST: &[u8] = include_bytes!("tls/host.der");
const HOST_KEY: &[u8] = include_bytes!("tls/host.key.der");

/// Answers every request at `peer.example` alike; its port.
async fn host(answer: Vec<u8>) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivatePkcs8KeyDer::from(HOST_KEY).into();
    let config = config.with_no_client_auth().with_single_cert(vec![CertificateDer::from(HOST)], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _request = read_request(&mut stream).await;
            let _gone = stream.write_all(&answer).await;
            let _gone = stream.shutdown().await;
        }
    });
    port
}

fn strangers_client() -> Client {
    Client::resolving(rules(), bounds(), Lookups::of([&[[127, 0, 0, 1]]]))
}

fn client() -> Client {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(ROOT)).unwrap();
    strangers_client().trusting(roots).unwrap()
}

#[tokio::test]
async fn a_host_with_the_right_certificate_is_read() {
    let port = host(page("encrypted")).await;
    let answer = get(&client(), &format!("https://peer.example:{port}/")).await.unwrap();
    assert_eq!(answer.body, b"encrypted");
}

#[tokio::test]
async fn a_certificate_of_another_name_or_of_a_stranger_is_refused() {
    let port = host(page("encrypted")).await;
    let other_name = format!("https://other.example:{port}/");
    assert_eq!(failure(&client(), &other_name).await, OutgoingError::Tls);
    assert_eq!(failure(&client(), &format!("https://127.0.0.1:{port}/")).await, OutgoingError::Tls);
    let right_name = format!("https://peer.example:{port}/");
    assert_eq!(failure(&strangers_client(), &right_name).await, OutgoingError::Tls);
}

#[tokio::test]
async fn a_host_that_does_not_encrypt_is_refused() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _gone = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        // Open until the other side is done, so that the answer is read.
        read_request(&mut stream).await;
    });
    assert_eq!(failure(&client(), &format!("https://peer.example:{port}/")).await, OutgoingError::Tls);
}

#[tokio::test]
async fn a_redirect_gives_encryption_up_for_nobody() {
    let plain = Peer::saying(|_| page("plain")).await;
    let port = host(redirect(&plain.url("/"))).await;
    assert_eq!(failure(&client(), &format!("https://peer.example:{port}/")).await, OutgoingError::Downgrade);
    assert_eq!(plain.accepted(), 0);
}
