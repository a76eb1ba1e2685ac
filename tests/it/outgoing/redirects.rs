use super::peer::{Peer, page, path, redirect};
use super::{bounds, client, failure, get, rules};
use pickmate::server::outgoing::{Client, OutgoingError, Ports, Rules};
use std::net::Ipv4Addr;

#[tokio::test]
async fn redirects_are_followed_to_the_page() {
    let peer = Peer::saying(|request| match path(request) {
        "/start" => redirect("/next?a=b"),
        "/next?a=b" => redirect("end"),
        _ => page("arrived"),
    })
    .await;
    let answer = get(&client(), &peer.url("/start")).await.unwrap();
    assert_eq!((answer.url.path(), answer.body.as_slice()), ("/end", &b"arrived"[..]));
}

#[tokio::test]
async fn endless_redirects_end() {
    let peer = Peer::saying(|request| redirect(&format!("{}a", path(request)))).await;
    assert_eq!(failure(&client(), &peer.url("/")).await, OutgoingError::TooManyRedirects);
    assert_eq!(peer.accepted(), 1 + bounds().redirects as usize);
}

#[tokio::test]
async fn a_redirect_to_itself_ends_too() {
    let peer = Peer::saying(|request| redirect(path(request))).await;
    assert_eq!(failure(&client(), &peer.url("/round")).await, OutgoingError::TooManyRedirects);
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_refused() {
    let private = Peer::behaving(Ipv4Addr::new(127, 0, 0, 2).into(), |_, _| async {}).await;
    let port = private.address.port();
    for (host, expected) in [
        ("127.0.0.2", OutgoingError::AddressRefused),
        ("10.0.0.1", OutgoingError::AddressRefused),
        ("169.254.169.254", OutgoingError::AddressRefused),
        ("[::1]", OutgoingError::AddressRefused),
        ("[::ffff:127.0.0.2]", OutgoingError::AddressRefused),
        ("0x7f.0.0.2", OutgoingError::OddAddress),
        ("a:b@127.0.0.2", OutgoingError::UserInfo),
    ] {
        let peer = Peer::saying(move |_| redirect(&format!("http://{host}:{port}/"))).await;
        assert_eq!(failure(&client(), &peer.url("/")).await, expected, "{host}");
    }
    assert_eq!(private.accepted(), 0);
}

#[tokio::test]
async fn a_redirect_that_leads_nowhere_is_refused() {
    for (location, expected) in [
        ("http://", OutgoingError::BadRedirect),
        ("http://exa mple/", OutgoingError::BadRedirect),
        ("/a\\b", OutgoingError::BadRedirect),
        ("file:///etc/passwd", OutgoingError::BadScheme),
    ] {
        let peer = Peer::saying(move |_| redirect(location)).await;
        assert_eq!(failure(&client(), &peer.url("/")).await, expected, "{location}");
    }
    let peer = Peer::saying(|_| b"HTTP/1.1 301 Moved\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
    assert_eq!(failure(&client(), &peer.url("/")).await, OutgoingError::BadRedirect);
}

#[tokio::test]
async fn a_redirect_to_another_port_is_refused_where_that_is_the_rule() {
    let peer = Peer::saying(|_| redirect("http://93.184.216.34:22/")).await;
    let client = Client::new(Rules { ports: Ports::Web, ..rules() }, bounds());
    assert_eq!(failure(&client, &peer.url("/")).await, OutgoingError::AddressRefused);
}

#[tokio::test]
async fn what_is_posted_follows_no_redirect() {
    let elsewhere = Peer::saying(|_| page("")).await;
    let target = elsewhere.url("/");
    let peer = Peer::saying(move |_| redirect(&target)).await;
    let answer = client().post(&peer.url("/"), Default::default(), "{}".to_owned()).await.unwrap();
    assert_eq!((answer.status.as_u16(), elsewhere.accepted()), (302, 0));
}
