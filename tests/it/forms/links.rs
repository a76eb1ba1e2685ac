//! Joining by invite and resetting a password.

use crate::app::TestApp;
use crate::visitor::{PASSWORD, Visitor, path_of};
use pickmate::domain::UserId;
use pickmate::server::clock::now_ms;
use pickmate::server::secret::hash_secret;
use pickmate::server::service::{Actor, invites, resets};
use pickmate::server::store::NewInvite;
use reqwest::StatusCode;

/// The owner that set-up makes.
async fn owner(app: &TestApp) -> Actor {
    Visitor::new(app).set_up(app).await;
    let user = app.store().user_by_name("mina").await.unwrap().unwrap();
    let session =
        pickmate::server::store::SessionUser { id: user.id, name: user.name, role: user.role, locale: user.locale };
    Actor::new(session, None)
}

async fn invite(app: &TestApp, max_uses: u32) -> String {
    let owner = owner(app).await;
    path_of(&invites::create(app.state(), &owner, 7, max_uses).await.unwrap()).to_owned()
}

async fn join(app: &TestApp, path: &str, name: &str) -> (Visitor, crate::visitor::Answer) {
    let visitor = Visitor::new(app);
    let answer = visitor.post(path, &[("name", name), ("password", PASSWORD)]).await;
    (visitor, answer)
}

#[tokio::test]
async fn an_invite_makes_an_account_and_signs_it_in() {
    let app = TestApp::spawn().await;
    let path = invite(&app, 5).await;
    let page = Visitor::new(&app).get(&path).await;
    assert!(page.is_page(StatusCode::OK) && page.text.contains("mina"));

    let (visitor, answer) = join(&app, &path, "준호").await;
    assert!(answer.leads_to("/"), "{}", answer.text);
    assert!(visitor.is_signed_in().await);
    assert!(Visitor::new(&app).sign_in("준호", PASSWORD).await.leads_to("/"));
}

#[tokio::test]
async fn an_invite_ends_with_its_last_use() {
    let app = TestApp::spawn().await;
    let path = invite(&app, 1).await;
    let (_, taken) = join(&app, &path, "MINA").await;
    assert!(taken.is_page(StatusCode::CONFLICT) && taken.text.contains("MINA"));
    assert!(!taken.text.contains(PASSWORD));

    assert!(join(&app, &path, "준호").await.1.leads_to("/"));
    assert!(join(&app, &path, "서연").await.1.is_page(StatusCode::GONE));
    assert!(Visitor::new(&app).get(&path).await.is_page(StatusCode::GONE));
}

#[tokio::test]
async fn a_revoked_invite_is_a_dead_link() {
    let app = TestApp::spawn().await;
    let owner = owner(&app).await;
    let link = invites::create(app.state(), &owner, 7, 5).await.unwrap();
    let id = invites::list(app.state(), &owner).await.unwrap()[0].id;
    invites::revoke(app.state(), &owner, id).await.unwrap();
    assert!(Visitor::new(&app).get(path_of(&link)).await.is_page(StatusCode::GONE));
    assert!(join(&app, path_of(&link), "준호").await.1.is_page(StatusCode::GONE));
}

#[tokio::test]
async fn an_expired_invite_is_a_dead_link() {
    let app = TestApp::spawn().await;
    let created_by = owner(&app).await.id;
    let now = now_ms();
    for (secret, expires_at) in [("past", now - 1), ("future", now + 60_000)] {
        let new = NewInvite { secret_hash: hash_secret(secret), created_by, expires_at, max_uses: 5 };
        app.store().create_invite(new, now - 60_000).await.unwrap();
    }
    assert!(Visitor::new(&app).get("/join/past").await.is_page(StatusCode::GONE));
    assert!(Visitor::new(&app).get("/join/future").await.is_page(StatusCode::OK));
}

#[tokio::test]
async fn a_name_or_password_that_will_not_do_leaves_the_invite_as_it_was() {
    let app = TestApp::spawn().await;
    let path = invite(&app, 1).await;
    for (name, password) in [(" ", PASSWORD), ("a\u{202e}b", PASSWORD), ("준호", "1234567"), ("준호", &"x".repeat(257))]
    {
        let answer = Visitor::new(&app).post(&path, &[("name", name), ("password", password)]).await;
        assert!(answer.is_page(StatusCode::UNPROCESSABLE_ENTITY), "{name:?} {password:?}");
    }
    assert!(join(&app, &path, "준호").await.1.leads_to("/"));
}

#[tokio::test]
async fn looking_for_links_is_slowed_down() {
    let app = TestApp::spawn_with(|config| {
        config.limits.link_burst = 2;
        config.limits.link_per_minute = 1;
    })
    .await;
    let visitor = Visitor::new(&app);
    assert!(visitor.get("/join/a").await.is_page(StatusCode::GONE));
    assert!(visitor.get("/reset/b").await.is_page(StatusCode::GONE));
    assert!(visitor.get("/set-up/c").await.is_page(StatusCode::TOO_MANY_REQUESTS));
}

async fn reset_of(app: &TestApp, owner: &Actor, user: UserId) -> String {
    path_of(&resets::create(app.state(), owner, user).await.unwrap()).to_owned()
}

#[tokio::test]
async fn a_reset_link_sets_a_new_password_once_and_ends_other_sessions() {
    let app = TestApp::spawn().await;
    let owner = owner(&app).await;
    let before = Visitor::new(&app);
    before.sign_in("mina", PASSWORD).await;
    let path = reset_of(&app, &owner, owner.id).await;
    let visitor = Visitor::new(&app);
    let page = visitor.get(&path).await;
    assert!(page.is_page(StatusCode::OK) && page.text.contains("mina"));
    assert!(visitor.post(&path, &[("password", "short")]).await.is_page(StatusCode::UNPROCESSABLE_ENTITY));

    assert!(visitor.post(&path, &[("password", "a new password")]).await.leads_to("/"));
    assert!(visitor.is_signed_in().await);
    assert!(!before.is_signed_in().await);
    assert!(before.sign_in("mina", PASSWORD).await.is_page(StatusCode::UNAUTHORIZED));
    assert!(before.sign_in("mina", "a new password").await.leads_to("/"));
    assert!(visitor.post(&path, &[("password", "another password")]).await.is_page(StatusCode::GONE));
}

#[tokio::test]
async fn only_the_last_reset_link_of_an_account_works() {
    let app = TestApp::spawn().await;
    let owner = owner(&app).await;
    let (first, last) = (reset_of(&app, &owner, owner.id).await, reset_of(&app, &owner, owner.id).await);
    assert!(Visitor::new(&app).get(&first).await.is_page(StatusCode::GONE));
    assert!(Visitor::new(&app).get(&last).await.is_page(StatusCode::OK));
}
