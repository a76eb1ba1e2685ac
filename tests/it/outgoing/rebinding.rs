//! Names whose addresses change, or are not what they seem.

use super::peer::{Peer, page, path, redirect};
use super::{Lookups, bounds, failure, get, rules};
use pickmate::server::outgoing::{Client, OutgoingError};
use std::sync::Arc;

const ALLOWED: [u8; 4] = [127, 0, 0, 1];
const PRIVATE: [u8; 4] = [127, 0, 0, 2];

fn client(lookups: &Arc<Lookups>) -> Client {
    Client::resolving(rules(), bounds(), Arc::clone(lookups) as _)
}

fn url(peer: &Peer, path: &str) -> String {
    format!("http://rebinding.example:{}{path}", peer.address.port())
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_the_connection_goes_there() {
    let peer = Peer::saying(|_| page("the one that was checked")).await;
    let lookups = Lookups::of([&[ALLOWED], &[PRIVATE]]);
    let answer = get(&client(&lookups), &url(&peer, "/")).await.unwrap();
    assert_eq!((answer.body.as_slice(), lookups.asked()), (&b"the one that was checked"[..], 1));
}

#[tokio::test]
async fn a_name_that_turns_private_before_a_redirect_is_refused() {
    let peer = Peer::saying(|request| if path(request) == "/" { redirect("/next") } else { page("reached") }).await;
    let lookups = Lookups::of([&[ALLOWED], &[PRIVATE]]);
    assert_eq!(failure(&client(&lookups), &url(&peer, "/")).await, OutgoingError::AddressRefused);
    assert_eq!((peer.accepted(), lookups.asked()), (1, 2));
}

#[tokio::test]
async fn of_mixed_addresses_only_the_allowed_are_tried() {
    let peer = Peer::saying(|_| page("reached")).await;
    let private = Peer::behaving(PRIVATE.into(), |_, _| async {}).await;
    let lookups = Lookups::of([&[PRIVATE, [10, 0, 0, 1], ALLOWED]]);
    assert_eq!(get(&client(&lookups), &url(&peer, "/")).await.unwrap().body, b"reached");
    let only_private = Lookups::of([&[PRIVATE, [10, 0, 0, 1]]]);
    assert_eq!(failure(&client(&only_private), &url(&private, "/")).await, OutgoingError::AddressRefused);
    assert_eq!(private.accepted(), 0);
}

#[tokio::test]
async fn a_name_without_addresses_is_not_found() {
    let peer = Peer::saying(|_| page("")).await;
    assert_eq!(failure(&client(&Lookups::of([&[]])), &url(&peer, "/")).await, OutgoingError::Unresolved);
}

#[tokio::test]
async fn when_an_address_does_not_answer_the_next_one_is_tried() {
    let peer = Peer::saying(|_| page("reached")).await;
    let mut wide = rules();
    wide.allow.push("127.0.0.0/8".parse().unwrap());
    let lookups = Lookups::of([&[[127, 0, 0, 3], ALLOWED]]);
    let client = Client::resolving(wide, bounds(), lookups);
    assert_eq!(get(&client, &url(&peer, "/")).await.unwrap().body, b"reached");
}
