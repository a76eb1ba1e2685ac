//! Pages and messages, from the link to what the room is shown.

use crate::outgoing::peer::{Peer, page, path};
use crate::outgoing::{bounds, client, rules};
use crate::store_contract::world::{Engine, Postgres, Sqlite, World};
use pickmate::domain::{Access, RoomId, Seq, UserId};
use pickmate::protocol::{EventKind, Preview};
use pickmate::server::config::{Config, Limits};
use pickmate::server::outgoing::{Client, OutgoingError, Rules};
use pickmate::server::previews::{PreviewError, preview};
use pickmate::server::service::previews::{Patience, Unfurled, Unfurler, follow_up};

fn answer(content_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn titled(title: &str) -> Vec<u8> {
    page(&format!("<title>{title}</title>"))
}

#[tokio::test]
async fn a_page_says_what_it_is() {
    let peer = Peer::saying(|_| {
        page("<meta property=og:title content='점심 &amp; 저녁'><meta name=description content=둘><meta property=og:site_name content=식당>")
    })
    .await;
    let url = peer.url("/a");
    let expected =
        Preview { url: url.clone(), title: "점심 & 저녁".into(), description: "둘".into(), site: "식당".into() };
    assert_eq!(preview(&client(), &url).await, Ok(expected));
}

#[tokio::test]
async fn a_page_in_an_encoding_of_before_is_read() {
    let peer = Peer::saying(|_| answer("text/html; charset=EUC-KR", b"<title>\xbe\xc8\xb3\xe7</title>")).await;
    assert_eq!(preview(&client(), &peer.url("/")).await.unwrap().title, "안녕");
}

#[tokio::test]
async fn what_is_no_page_has_a_code_of_its_own() {
    let huge = "a".repeat(2 * bounds().body_bytes);
    let cases: [(Vec<u8>, PreviewError, &str); 6] = [
        (answer("application/pdf", b"%PDF"), PreviewError::NotHtml, "not_html"),
        (answer("text/plain", b"<title>a</title>"), PreviewError::NotHtml, "not_html"),
        (b"HTTP/1.1 200 OK\r\n\r\n<title>a</title>".to_vec(), PreviewError::NotHtml, "not_html"),
        (b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec(), PreviewError::Status(404), "status"),
        (page("<p>hello"), PreviewError::NothingToShow, "nothing_to_show"),
        (page(&format!("<style>{huge}</style><title>late</title>")), PreviewError::TooLarge, "too_large"),
    ];
    for (sent, expected, code) in cases {
        let peer = Peer::saying(move |_| sent.clone()).await;
        assert_eq!(preview(&client(), &peer.url("/")).await, Err(expected));
        assert_eq!(expected.code(), code);
    }
    let refused = preview(&Client::new(Rules { allow: Vec::new(), ..rules() }, bounds()), "http://127.0.0.1/").await;
    assert_eq!(refused, Err(PreviewError::Outgoing(OutgoingError::AddressRefused)));
}

#[tokio::test]
async fn a_huge_page_that_says_what_it_is_at_its_beginning_is_shown() {
    let body = format!("<title>early</title>{}", "a".repeat(2 * bounds().body_bytes));
    let peer = Peer::saying(move |_| page(&body)).await;
    assert_eq!(preview(&client(), &peer.url("/")).await.unwrap().title, "early");
}

struct Room<E> {
    world: World<E>,
    room: RoomId,
    author: UserId,
}

impl<E: Engine> Room<E> {
    async fn new() -> Room<E> {
        let world = World::new().await;
        let author = world.user("author").await;
        let room = world.room("general", Access::Open, author).await;
        Room { world, room, author }
    }

    async fn post(&self, key: &str, body: &str) -> Seq {
        self.world.post("general", self.author, key, body).await.unwrap().seq.unwrap()
    }

    async fn unfurl(&self, target: Seq) -> Option<Seq> {
        match self.try_unfurl(target, Patience::TakesWhatThereIs).await {
            Unfurled::Shown(seq) => seq,
            Unfurled::Later(code) => panic!("{code}"),
        }
    }

    async fn try_unfurl(&self, target: Seq, patience: Patience) -> Unfurled {
        let (client, limits) = (client(), Limits::default());
        let unfurler = Unfurler { store: &*self.world.store, client: &client, limits: &limits, patience };
        unfurler.unfurl((self.room, target)).await.unwrap()
    }

    async fn titles(&self, target: Seq) -> Vec<String> {
        let log = self.world.log(self.room).await;
        let EventKind::Posted { previews, .. } = &log[target.0 as usize - 1].kind else { panic!("no message") };
        previews.iter().flat_map(|shown| &shown.list).map(|preview| preview.title.clone()).collect()
    }
}

async fn the_first_links_are_shown_once<E: Engine>() {
    let room = Room::<E>::new().await;
    let peer = Peer::saying(|request| match path(request) {
        "/gone" => b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec(),
        path => titled(path),
    })
    .await;
    let body = ["/a", "/a", "/gone", "/b", "/beyond"].map(|path| peer.url(path)).join(" 와 ");
    let target = room.post("k", &body).await;
    let seq = room.unfurl(target).await;
    assert_eq!(seq, Some(target.next()));
    assert_eq!(room.titles(target).await, ["/a", "/b"]);
    assert_eq!(peer.accepted(), 3, "the same link is asked once, the fourth not at all");
    // Again, and by somebody else at the same time.
    assert_eq!(room.unfurl(target).await, None);
    let again = room.post("l", &body).await;
    let (one, other) = tokio::join!(room.unfurl(again), room.unfurl(again));
    assert_eq!([one, other].into_iter().flatten().collect::<Vec<_>>(), [again.next()]);
    assert_eq!((room.titles(again).await, peer.accepted()), (vec!["/a".to_owned(), "/b".to_owned()], 3));
}

async fn an_edit_during_the_fetch_shows_nothing_of_before<E: Engine>() {
    let room = Room::<E>::new().await;
    let (asked, mut begun) = tokio::sync::mpsc::unbounded_channel();
    let (go, gone) = tokio::sync::watch::channel(());
    let peer = Peer::behaving([127, 0, 0, 1].into(), move |mut stream, request| {
        let (asked, mut gone) = (asked.clone(), gone.clone());
        async move {
            asked.send(()).unwrap();
            if path(&request) == "/before" {
                gone.changed().await.unwrap();
            }
            let _gone = tokio::io::AsyncWriteExt::write_all(&mut stream, &titled(path(&request))).await;
        }
    })
    .await;
    let target = room.post("k", &peer.url("/before")).await;
    let edit = async {
        begun.recv().await.unwrap();
        room.world.edit("general", room.author, target, &peer.url("/after")).await.unwrap();
        go.send(()).unwrap();
    };
    let (shown, ()) = tokio::join!(room.unfurl(target), edit);
    assert_eq!(shown, None);
    assert!(room.titles(target).await.is_empty());
    assert!(room.unfurl(target).await.is_some());
    assert_eq!(room.titles(target).await, ["/after"]);
}

async fn a_message_without_links_asks_nobody<E: Engine>() {
    let room = Room::<E>::new().await;
    for (key, body) in [("k", "no link"), ("l", "mailto:a@example.org"), ("m", "http://")] {
        let target = room.post(key, body).await;
        assert_eq!(room.unfurl(target).await, None, "{body}");
        assert!(follow_up(&Config::default(), body, None).is_empty(), "{body}");
    }
    assert_eq!(
        follow_up(&Config::default(), "see https://example.org", Some(Seq(7))).remove(0).args,
        r#"{"target":7}"#
    );
}

async fn a_page_in_trouble_is_asked_again_and_left_out_at_last<E: Engine>() {
    let room = Room::<E>::new().await;
    let peer = Peer::saying(|request| match path(request) {
        "/down" => b"HTTP/1.1 503 Down\r\ncontent-length: 0\r\n\r\n".to_vec(),
        path => titled(path),
    })
    .await;
    let target = room.post("k", &["/a", "/down"].map(|path| peer.url(path)).join(" ")).await;
    for asked in [2, 3] {
        assert_eq!(room.try_unfurl(target, Patience::AsksAgain).await, Unfurled::Later("status"));
        assert_eq!(peer.accepted(), asked, "what answered is known");
    }
    assert!(room.titles(target).await.is_empty());
    assert!(room.unfurl(target).await.is_some());
    assert_eq!(room.titles(target).await, ["/a"]);
    let other = room.post("l", &peer.url("/down")).await;
    assert_eq!(room.try_unfurl(other, Patience::AsksAgain).await, Unfurled::Shown(None));
    assert_eq!(peer.accepted(), 4, "not asked again for a while");
}

macro_rules! on_both {
    ($($test:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() { super::$test::<super::Sqlite>().await; })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() { super::$test::<super::Postgres>().await; })*
        }
    };
}

on_both! {
    the_first_links_are_shown_once
    an_edit_during_the_fetch_shows_nothing_of_before
    a_message_without_links_asks_nobody
    a_page_in_trouble_is_asked_again_and_left_out_at_last
}
