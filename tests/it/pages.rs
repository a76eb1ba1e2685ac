//! The app's pages as the server renders them.

use crate::app::TestApp;
use futures_util::stream::{self, StreamExt};
use pickmate::domain::{Access, Seq};
use pickmate::protocol::Preview;
use pickmate::server::store::{Action, Command};
use reqwest::header::COOKIE;

/// Pages at once, and in all: enough that renderings change threads in between.
const AT_ONCE: usize = 64;
const IN_ALL: usize = 600;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_rendered_at_once_do_not_touch_each_other() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    app.room("plans", Access::Open, &mina).await;
    let browser = app.browser();
    let titles = stream::iter(0..IN_ALL).map(|_| async {
        let page = browser.get(app.url("/rooms/plans")).header(COOKIE, &mina.cookie).send().await?.text().await?;
        Ok::<bool, reqwest::Error>(page.contains("<title>plans"))
    });
    let titles: Vec<_> = titles.buffer_unordered(AT_ONCE).collect().await;
    let whole = titles.iter().filter(|title| matches!(title, Ok(true))).count();
    assert_eq!(whole, IN_ALL);
}

#[tokio::test]
async fn what_a_link_leads_to_is_text_below_its_message_and_loads_nothing() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    let room = app.room("plans", Access::Open, &mina).await;
    let target = Seq(app.post(&room, &mina, "k", "https://a.example/b").await);
    let preview = Preview {
        url: "https://a.example/b".into(),
        title: "<img src=https://b.example/spy>".into(),
        description: "Where we go".into(),
        site: "Guide".into(),
    };
    app.command(Command::by_operator(room, Action::Preview { target, rev: target, list: vec![preview] })).await;
    let page = app.browser().get(app.url("/rooms/plans")).header(COOKIE, &mina.cookie).send().await.unwrap();
    let page = page.text().await.unwrap();
    let (_, card) = page.split_once("class=\"previews\"").expect("cards");
    let (card, _) = card.split_once("</a>").unwrap();
    for part in ["href=\"https://a.example/b\"", "noopener noreferrer", "a.example · Guide", "Where we go", "&lt;img"]
    {
        assert!(card.contains(part), "{part}: {card}");
    }
    assert!(!page.contains("<img"), "a picture");
}
