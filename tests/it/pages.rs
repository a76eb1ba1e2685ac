//! The app's pages as the server renders them.

use crate::app::TestApp;
use futures_util::stream::{self, StreamExt};
use pickmate::domain::Access;
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
