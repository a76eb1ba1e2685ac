//! Accounts through the service: passwords, roles, who may invite, and where links lead.

use crate::app::{Person, TestApp};
use crate::visitor::{PASSWORD, Visitor};
use pickmate::domain::{Role, UserId};
use pickmate::protocol::ErrorCode;
use pickmate::server::auth::identify;
use pickmate::server::error::AppError;
use pickmate::server::service::{Actor, accounts, invites, resets};
use reqwest::header::{COOKIE, HOST, HeaderMap, ORIGIN};

/// As the node knows somebody by these headers.
async fn known_by(app: &TestApp, headers: HeaderMap) -> Option<Actor> {
    identify(app.state(), &headers).await.unwrap()
}

async fn actor(app: &TestApp, person: &Person) -> Actor {
    let headers = HeaderMap::from_iter([(COOKIE, person.cookie.parse().unwrap())]);
    known_by(app, headers).await.expect("a session")
}

fn code<T>(outcome: Result<T, AppError>) -> ErrorCode {
    outcome.err().expect("a refusal").code()
}

#[tokio::test]
async fn a_new_password_needs_the_old_one_and_ends_other_sessions() {
    let app = TestApp::spawn().await;
    let (here, there) = (Visitor::new(&app), Visitor::new(&app));
    let cookie = here.set_up(&app).await.cookie("pickmate_session").unwrap().split(';').next().unwrap().to_owned();
    there.sign_in("mina", PASSWORD).await;
    let actor = known_by(&app, HeaderMap::from_iter([(COOKIE, cookie.parse().unwrap())])).await.unwrap();
    let change = async |current: &str, new: &str| accounts::change_password(app.state(), &actor, current, new).await;

    assert_eq!(code(change("wrong password", "a new password").await), ErrorCode::WrongCredentials);
    assert_eq!(code(change(PASSWORD, "short").await), ErrorCode::PasswordTooShort);
    assert!(there.is_signed_in().await);

    change(PASSWORD, "a new password").await.unwrap();
    assert!(here.is_signed_in().await);
    assert!(!there.is_signed_in().await);
    assert!(there.sign_in("mina", "a new password").await.leads_to("/"));
}

#[tokio::test]
async fn guessing_the_own_password_is_slowed_down() {
    let app = TestApp::spawn_with(|config| config.limits.sign_in_burst = 1).await;
    let mina = app.owner("mina").await;
    let mina = actor(&app, &mina).await;
    // The account of the test has no password that could be verified.
    assert!(accounts::change_password(app.state(), &mina, "guess one", "a new password").await.is_err());
    let second = accounts::change_password(app.state(), &mina, "guess two", "a new password").await;
    assert_eq!(code(second), ErrorCode::RateLimited);
}

#[tokio::test]
async fn only_owners_invite_reset_and_give_roles() {
    let app = TestApp::spawn().await;
    let (owner, member) = (app.owner("mina").await, app.member("junho").await);
    let (state, member) = (app.state(), actor(&app, &member).await);
    assert_eq!(code(invites::create(state, &member, 7, 1).await), ErrorCode::Forbidden);
    assert_eq!(code(invites::list(state, &member).await), ErrorCode::Forbidden);
    assert_eq!(code(invites::revoke(state, &member, 1).await), ErrorCode::Forbidden);
    assert_eq!(code(resets::create(state, &member, owner.id).await), ErrorCode::Forbidden);
    assert_eq!(code(accounts::set_role(state, &member, member.id, Role::Owner).await), ErrorCode::Forbidden);
    assert_eq!(accounts::people(state, &member).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_last_owner_stays_one() {
    let app = TestApp::spawn().await;
    let (mina, junho) = (app.owner("mina").await, app.member("junho").await);
    let (state, mina) = (app.state(), actor(&app, &mina).await);
    assert_eq!(code(accounts::set_role(state, &mina, mina.id, Role::Member).await), ErrorCode::LastOwner);
    assert_eq!(code(accounts::set_role(state, &mina, UserId(4_000), Role::Owner).await), ErrorCode::NotFound);
    assert_eq!(code(resets::create(state, &mina, UserId(4_000)).await), ErrorCode::NotFound);
    accounts::set_role(state, &mina, junho.id, Role::Owner).await.unwrap();
    accounts::set_role(state, &mina, mina.id, Role::Member).await.unwrap();
    assert!(actor(&app, &junho).await.is_owner());
}

#[tokio::test]
async fn an_invite_has_bounds() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    let (state, mina) = (app.state(), actor(&app, &mina).await);
    for (days, max_uses) in [(0, 1), (91, 1), (1, 0), (1, 1_001)] {
        assert_eq!(code(invites::create(state, &mina, days, max_uses).await), ErrorCode::BadRequest);
    }
    invites::create(state, &mina, 90, 1_000).await.unwrap();
    let listed = invites::list(state, &mina).await.unwrap();
    assert_eq!((listed.len(), listed[0].max_uses, listed[0].uses), (1, 1_000, 0));
    assert_eq!(listed[0].expires_at - listed[0].created_at, 90 * 24 * 60 * 60 * 1_000);
}

/// The invite link of somebody who came by `host`, from a page of `origin`.
async fn link(app: &TestApp, person: &Person, host: &str, origin: &str) -> String {
    let headers = [(COOKIE, &*person.cookie), (HOST, host), (ORIGIN, origin)];
    let headers = headers.into_iter().map(|(name, value)| (name, value.parse().unwrap())).collect();
    invites::create(app.state(), &known_by(app, headers).await.unwrap(), 1, 1).await.unwrap()
}

#[tokio::test]
async fn links_lead_to_where_their_maker_is() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    let link = async |host, origin| link(&app, &mina, host, origin).await;
    assert!(link("192.0.2.7:3000", "http://192.0.2.7:3000").await.starts_with("http://192.0.2.7:3000/join/"));
    assert!(link("chat.lan", "https://chat.lan").await.starts_with("https://chat.lan/join/"));
    assert!(app.set_up_link().unwrap().starts_with(&app.url("/set-up/")));
}

#[tokio::test]
async fn a_public_address_goes_before_all_others() {
    let app = TestApp::spawn_with(|config| config.public_url = Some("http://chat.example".into())).await;
    let mina = app.owner("mina").await;
    let link = link(&app, &mina, "192.0.2.7:3000", "http://192.0.2.7:3000").await;
    assert!(link.starts_with("http://chat.example/join/"), "{link}");
}

#[tokio::test]
async fn signing_out_ends_the_live_socket_and_a_token_stays() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    let (mut browser, mut bot) = (app.live_by_cookie(&mina).await, app.live(&mina).await);
    accounts::sign_out(app.state(), &actor(&app, &mina).await).await.unwrap();
    assert_eq!(browser.close_code().await, 4401);
    bot.send(r#"{"type":"ping"}"#).await;
    assert_eq!(bot.text().await, r#"{"type":"pong"}"#);
}
