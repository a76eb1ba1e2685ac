//! Posting and choosing a language without scripts.

use crate::app::TestApp;
use crate::visitor::{PASSWORD, Visitor};
use pickmate::domain::Access;
use pickmate::i18n::Locale;
use pickmate::protocol::EventKind;
use reqwest::StatusCode;

async fn bodies(app: &TestApp, room: &str) -> Vec<String> {
    let slug = pickmate::domain::Slug::parse(room).unwrap();
    let owner = app.store().user_by_name("mina").await.unwrap().unwrap();
    let room = app.store().room(&slug, owner.id).await.unwrap().unwrap();
    let page = app.store().messages(room.id, None, 50).await.unwrap();
    page.rows
        .into_iter()
        .filter_map(|event| match event.kind {
            EventKind::Posted { body, .. } => body,
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_plain_form_posts_once_per_key() {
    let app = TestApp::spawn().await;
    let visitor = Visitor::new(&app);
    visitor.set_up(&app).await;
    for _ in 0..2 {
        let answer = visitor.post("/rooms/general", &[("key", "k1"), ("body", "안녕\r\n하세요")]).await;
        assert!(answer.leads_to("/rooms/general"), "{}", answer.text);
    }
    assert_eq!(bodies(&app, "general").await, ["안녕\n하세요"]);
}

#[tokio::test]
async fn a_refused_post_comes_back_with_its_text() {
    let app = TestApp::spawn().await;
    let visitor = Visitor::new(&app);
    visitor.set_up(&app).await;
    let long = "긴".repeat(16 * 1024 / 3 + 1);
    for (path, key, body, status) in [
        ("/rooms/general", "k 1", "typed text", StatusCode::UNPROCESSABLE_ENTITY),
        ("/rooms/general", "k1", " ", StatusCode::UNPROCESSABLE_ENTITY),
        ("/rooms/general", "k1", &long, StatusCode::UNPROCESSABLE_ENTITY),
        ("/rooms/general", "k1", "typed text \u{1b}", StatusCode::UNPROCESSABLE_ENTITY),
        ("/rooms/nowhere", "k1", "typed text", StatusCode::NOT_FOUND),
    ] {
        let answer = visitor.post(path, &[("key", key), ("body", body)]).await;
        assert!(answer.is_page(status), "{path} {key}: {}", answer.status);
        assert!(answer.text.contains(body.trim_end_matches('\u{1b}')), "{path} {key}");
    }
    assert!(bodies(&app, "general").await.is_empty());
}

#[tokio::test]
async fn a_post_whose_key_was_used_comes_back_with_a_fresh_one() {
    let app = TestApp::spawn().await;
    let visitor = Visitor::new(&app);
    visitor.set_up(&app).await;
    visitor.post("/rooms/general", &[("key", "k1"), ("body", "one")]).await;
    let refused = visitor.post("/rooms/general", &[("key", "k1"), ("body", "two")]).await;
    assert!(refused.is_page(StatusCode::CONFLICT), "{}", refused.status);
    let (_, from_key) = refused.text.split_once(r#"name="key" value=""#).unwrap();
    let (key, _) = from_key.split_once('"').unwrap();
    let again = visitor.post("/rooms/general", &[("key", key), ("body", "two")]).await;
    assert!(again.leads_to("/rooms/general"), "{key}: {}", again.text);
    assert_eq!(bodies(&app, "general").await, ["one", "two"]);
}

#[tokio::test]
async fn a_password_is_changed_without_scripts() {
    const NEW: &str = "a better password";
    let app = TestApp::spawn().await;
    let visitor = Visitor::new(&app);
    visitor.set_up(&app).await;
    assert!(visitor.get("/settings").await.text.contains(r#"action="/settings/password""#));
    let change = async |current, new| visitor.post("/settings/password", &[("current", current), ("new", new)]).await;

    let wrong = change("not the password", NEW).await;
    assert!(wrong.is_page(StatusCode::UNAUTHORIZED), "{}", wrong.status);
    assert!(wrong.text.contains("The current password is not right.") && wrong.text.contains(r#"href="/settings""#));
    assert!(change(PASSWORD, "short").await.is_page(StatusCode::UNPROCESSABLE_ENTITY));
    let changed = change(PASSWORD, NEW).await;
    assert!(changed.is_page(StatusCode::OK) && changed.text.contains("Your password was changed."));
    assert!(visitor.is_signed_in().await);
    assert!(Visitor::new(&app).sign_in("mina", NEW).await.leads_to("/"));

    let stranger = Visitor::new(&app).post("/settings/password", &[("current", NEW), ("new", PASSWORD)]).await;
    assert!(stranger.leads_to("/sign-in?next=/settings"), "{}", stranger.status);
}

#[tokio::test]
async fn a_closed_room_is_absent_to_others() {
    let app = TestApp::spawn().await;
    let visitor = Visitor::new(&app);
    visitor.set_up(&app).await;
    let host = app.member("host").await;
    app.room("closed", Access::Closed, &host).await;
    let answer = visitor.post("/rooms/closed", &[("key", "k1"), ("body", "typed text")]).await;
    assert!(answer.is_page(StatusCode::NOT_FOUND) && answer.text.contains("typed text"));
}

#[tokio::test]
async fn whoever_was_signed_out_keeps_the_text() {
    let app = TestApp::spawn().await;
    Visitor::new(&app).set_up(&app).await;
    let answer = Visitor::new(&app).post("/rooms/general", &[("key", "k1"), ("body", "typed text")]).await;
    assert!(answer.is_page(StatusCode::UNAUTHORIZED) && answer.text.contains("typed text"));
}

#[tokio::test]
async fn posting_too_fast_is_told_when_to_come_back() {
    let app = TestApp::spawn_with(|config| {
        config.limits.posts_burst = 1;
        config.limits.posts_per_minute = 1;
    })
    .await;
    let visitor = Visitor::new(&app);
    visitor.set_up(&app).await;
    assert!(visitor.post("/rooms/general", &[("key", "k1"), ("body", "one")]).await.leads_to("/rooms/general"));
    let limited = visitor.post("/rooms/general", &[("key", "k2"), ("body", "two words")]).await;
    assert!(limited.is_page(StatusCode::TOO_MANY_REQUESTS) && limited.text.contains("two words"));
    assert!(limited.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_form_that_is_none_gets_a_page() {
    let app = TestApp::spawn().await;
    let visitor = Visitor::new(&app);
    visitor.set_up(&app).await;
    let huge = "x".repeat(1024 * 1024);
    let answer = visitor.post("/rooms/general", &[("key", "k1"), ("body", &huge)]).await;
    assert!(answer.is_page(StatusCode::PAYLOAD_TOO_LARGE));
}

#[tokio::test]
async fn the_language_is_kept_by_browser_and_account() {
    let app = TestApp::spawn().await;
    let visitor = Visitor::new(&app);
    visitor.set_up(&app).await;
    let locale = async || app.store().user_by_name("mina").await.unwrap().unwrap().locale;

    let answer = visitor.post("/locale", &[("locale", "ko"), ("next", "/rooms/general")]).await;
    assert!(answer.leads_to("/rooms/general"));
    assert!(answer.cookie("locale").unwrap().starts_with("locale=ko; Path=/; Max-Age=31536000"));
    assert_eq!(locale().await, Some(Locale::Ko));

    let answer = visitor.post("/locale", &[("locale", "auto"), ("next", "//evil.example")]).await;
    assert!(answer.leads_to("/"));
    assert!(answer.cookie("locale").unwrap().contains("Max-Age=0"));
    assert_eq!(locale().await, None);

    assert!(visitor.post("/locale", &[("locale", "xx")]).await.is_page(StatusCode::BAD_REQUEST));
}

#[tokio::test]
async fn pages_speak_the_language_that_was_chosen() {
    let app = TestApp::spawn().await;
    Visitor::new(&app).set_up(&app).await;
    let visitor = Visitor::new(&app);
    assert!(visitor.get("/sign-in").await.text.contains(r#"lang="en""#));
    visitor.post("/locale", &[("locale", "ko")]).await;
    assert!(visitor.get("/sign-in").await.text.contains(r#"lang="ko""#));
    assert!(visitor.sign_in("mina", PASSWORD).await.leads_to("/"));
}
