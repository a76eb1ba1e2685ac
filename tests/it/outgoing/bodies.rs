//! Pages that do not end, end early or are not what they seem.

use super::peer::{Peer, page};
use super::{PATIENCE, bounds, client, failure, get, rules};
use flate2::Compression;
use flate2::write::GzEncoder;
use pickmate::server::outgoing::{Bounds, Client, OutgoingError};
use std::io::Write;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n";

fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    let head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n";
    [&head[..], &encoder.finish().unwrap()].concat()
}

#[tokio::test]
async fn a_body_that_drips_is_given_up_in_time() {
    let peer = Peer::behaving(Ipv4Addr::LOCALHOST.into(), |mut stream: TcpStream, _| async move {
        let mut sent = stream.write_all(HEAD).await;
        while sent.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            sent = stream.write_all(b"a").await;
        }
    })
    .await;
    let client = Client::new(rules(), Bounds { timeout: Duration::from_millis(400), ..bounds() });
    let begun = Instant::now();
    assert_eq!(failure(&client, &peer.url("/")).await, OutgoingError::Timeout);
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn of_an_endless_page_so_much_is_read_and_no_more() {
    let (told, mut sent) = mpsc::unbounded_channel();
    let peer = Peer::behaving(Ipv4Addr::LOCALHOST.into(), move |mut stream: TcpStream, _| {
        let told = told.clone();
        async move {
            let mut written = HEAD.len();
            let _gone = stream.write_all(HEAD).await;
            while stream.write_all(&[b'a'; 16_384]).await.is_ok() {
                written += 16_384;
            }
            let _gone = told.send(written);
        }
    })
    .await;
    let answer = get(&client(), &peer.url("/")).await.unwrap();
    assert_eq!((answer.body.len(), answer.cut), (bounds().body_bytes, true));
    // The connection ends, so the sender stops; what it wrote beyond is in the buffers of both systems.
    let written = tokio::time::timeout(PATIENCE, sent.recv()).await.unwrap().unwrap();
    assert!(written < 32 * 1_024 * 1_024, "{written}");
}

#[tokio::test]
async fn a_page_that_claims_to_be_huge_is_read_as_far_as_any() {
    let peer = Peer::saying(|_| {
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n";
        [&head[..], &vec![b'a'; 200_000]].concat()
    })
    .await;
    assert!(get(&client(), &peer.url("/")).await.unwrap().cut);
}

#[tokio::test]
async fn a_compressed_page_is_read_and_a_bomb_is_cut() {
    let peer = Peer::saying(|_| gzipped("안녕하세요".as_bytes())).await;
    assert_eq!(get(&client(), &peer.url("/")).await.unwrap().body, "안녕하세요".as_bytes());
    let bomb = gzipped(&vec![0; 100_000_000]);
    let peer = Peer::saying(move |_| bomb.clone()).await;
    let answer = get(&client(), &peer.url("/")).await.unwrap();
    assert_eq!((answer.body.len(), answer.cut), (bounds().body_bytes, true));
}

#[tokio::test]
async fn a_page_without_a_length_ends_with_its_connection() {
    let peer = Peer::saying(|_| [HEAD, b"the whole"].concat()).await;
    assert_eq!(get(&client(), &peer.url("/")).await.unwrap().body, b"the whole");
}

#[tokio::test]
async fn a_page_in_chunks_is_put_together() {
    let peer = Peer::saying(|_| {
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n4\r\n two\r\n0\r\n\r\n".to_vec()
    })
    .await;
    assert_eq!(get(&client(), &peer.url("/")).await.unwrap().body, b"one two");
}

#[tokio::test]
async fn a_page_that_ends_early_is_broken() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n64\r\nhalf",
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\nnot gzip",
        "HTTP/1.1 200 OK\r\ncontent-encoding: br\r\n\r\nnot asked for",
    ] {
        let peer = Peer::saying(move |_| answer.as_bytes().to_vec()).await;
        assert_eq!(failure(&client(), &peer.url("/")).await, OutgoingError::BadAnswer, "{answer}");
    }
}

#[tokio::test]
async fn what_comes_after_the_length_is_not_part_of_the_page() {
    let peer = Peer::saying(|_| [&page("page")[..], b"and more"].concat()).await;
    assert_eq!(get(&client(), &peer.url("/")).await.unwrap().body, b"page");
}
