//! Who does too much at once is slowed down, by account.

use crate::app::{Person, TestApp};
use pickmate::domain::Access;
use pickmate::i18n::Locale;
use pickmate::protocol::{ErrorCode, ServerFrame};
use pickmate::server::clock::now_ms;
use pickmate::server::error::AppError;
use pickmate::server::secret::hash_secret;
use pickmate::server::service::Actor;
use pickmate::server::service::accounts;
use pickmate::server::service::rooms::{self, At, NewRoom};
use reqwest::StatusCode;
use serde_json::json;
use std::time::{Duration, Instant};

async fn actor(app: &TestApp, person: &Person) -> Actor {
    let session = hash_secret(person.session());
    let user = app.store().session(&session, now_ms(), now_ms()).await.unwrap().unwrap();
    Actor::new(user, Some(session))
}

fn is_slowed_down<T>(outcome: Result<T, AppError>) -> bool {
    outcome.is_err_and(|error| error.code() == ErrorCode::RateLimited && error.retry_after_ms().is_some())
}

#[tokio::test]
async fn changes_of_rooms_are_limited_by_account() {
    let app = TestApp::spawn_with(|config| {
        config.limits.commands_burst = 5;
        config.limits.commands_per_minute = 1;
    })
    .await;
    let (mina, joon) = (app.owner("mina").await, app.member("joon").await);
    let (mina, joon) = (actor(&app, &mina).await, actor(&app, &joon).await);
    let state = app.state();
    let new = |key, name| NewRoom { key, name, access: Access::Open };
    let room = rooms::create(state, &mina, new("k1", "general")).await.unwrap();
    let at = |key| At { room: &room, key };
    rooms::rename(state, &mina, at("k2"), "lunch").await.unwrap();
    rooms::set_access(state, &mina, at("k3"), Access::Closed).await.unwrap();
    rooms::add_member(state, &mina, at("k4"), joon.id).await.unwrap();
    rooms::leave(state, &mina, at("k5")).await.unwrap();
    assert!(is_slowed_down(rooms::rename(state, &mina, at("k6"), "dinner").await));
    assert!(is_slowed_down(rooms::create(state, &mina, new("k7", "another")).await));
    assert!(is_slowed_down(rooms::join(state, &mina, at("k8")).await));
    rooms::rename(state, &mina, at("k2"), "lunch").await.expect("a repeat is known");
    assert_eq!(rooms::create(state, &mina, new("k1", "general")).await.unwrap(), room);
    rooms::set_access(state, &joon, at("k1"), Access::Open).await.unwrap_err();
    rooms::create(state, &joon, new("k1", "another")).await.unwrap();
}

#[tokio::test]
async fn the_own_language_is_changed_no_faster_than_rooms_are() {
    let app = TestApp::spawn_with(|config| {
        config.limits.commands_burst = 2;
        config.limits.commands_per_minute = 1;
    })
    .await;
    let mina = actor(&app, &app.owner("mina").await).await;
    for locale in [Some(Locale::Ko), None] {
        accounts::set_locale(app.state(), &mina, locale).await.unwrap();
    }
    assert!(is_slowed_down(accounts::set_locale(app.state(), &mina, Some(Locale::Ko)).await));
    let joon = actor(&app, &app.member("joon").await).await;
    accounts::set_locale(app.state(), &joon, Some(Locale::Ko)).await.unwrap();
}

#[tokio::test]
async fn who_sends_too_many_frames_is_read_from_slowly_and_loses_none() {
    let app = TestApp::spawn_with(|config| {
        config.limits.frames_burst = 5;
        config.limits.frames_per_minute = 600;
    })
    .await;
    let mina = app.owner("mina").await;
    let mut live = app.live(&mina).await;
    let begun = Instant::now();
    for _ in 0..14 {
        live.send_json(json!({"type": "ping"})).await;
    }
    for _ in 0..14 {
        assert_eq!(live.frame().await, ServerFrame::Pong);
    }
    // Five at once, the others a tenth of a second apart.
    assert!(begun.elapsed() >= Duration::from_millis(800), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn reading_is_limited_by_account() {
    let app = TestApp::spawn_with(|config| {
        config.limits.reads_burst = 2;
        config.limits.reads_per_minute = 1;
    })
    .await;
    let (mina, joon) = (app.owner("mina").await, app.member("joon").await);
    app.room("general", Access::Open, &mina).await;
    let read = async |what: &str, reader: &Person| {
        let request = app.browser().get(app.url(&format!("/api/v1/rooms/general/{what}")));
        request.bearer_auth(&reader.token).send().await.unwrap()
    };
    assert_eq!(read("events", &mina).await.status(), StatusCode::OK);
    assert_eq!(read("messages", &mina).await.status(), StatusCode::OK);
    let refused = read("events", &mina).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(read("events", &joon).await.status(), StatusCode::OK);
}
