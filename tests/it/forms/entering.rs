//! Set-up, signing in and out.

use crate::app::TestApp;
use crate::visitor::{PASSWORD, SET_UP, Visitor, get_with_cookie, path_of};
use pickmate::domain::Role;
use reqwest::StatusCode;

#[tokio::test]
async fn before_set_up_the_sign_in_page_points_to_the_terminal() {
    let app = TestApp::spawn().await;
    assert!(Visitor::new(&app).get("/sign-in").await.is_page(StatusCode::OK));
    assert!(Visitor::new(&app).get(path_of(&app.set_up_link().unwrap())).await.is_page(StatusCode::OK));
}

#[tokio::test]
async fn set_up_makes_the_owner_and_leads_into_the_first_room() {
    let app = TestApp::spawn().await;
    let visitor = Visitor::new(&app);
    let answer = visitor.set_up(&app).await;
    assert!(answer.leads_to("/rooms/general"), "{}", answer.text);
    assert!(visitor.is_signed_in().await);
    assert_eq!(app.store().community().await.unwrap().as_deref(), Some("점심 모임"));
    assert_eq!(app.store().user_by_name("mina").await.unwrap().unwrap().role, Role::Owner);
}

#[tokio::test]
async fn a_set_up_link_works_once() {
    let app = TestApp::spawn().await;
    let link = app.set_up_link().unwrap();
    assert!(Visitor::new(&app).get("/set-up/guessed").await.is_page(StatusCode::GONE));
    Visitor::new(&app).set_up(&app).await;

    let late = Visitor::new(&app);
    assert!(late.get(path_of(&link)).await.is_page(StatusCode::GONE));
    assert!(late.post(path_of(&link), &SET_UP).await.is_page(StatusCode::GONE));
    assert!(!late.is_signed_in().await);
    assert_eq!(app.store().people().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_refused_set_up_keeps_what_was_typed_but_the_password() {
    let app = TestApp::spawn().await;
    let form = [("community", "점심 모임"), ("name", "민아"), ("password", "ab1234x"), ("room", "잡담방")];
    let answer = Visitor::new(&app).post(path_of(&app.set_up_link().unwrap()), &form).await;
    assert!(answer.is_page(StatusCode::UNPROCESSABLE_ENTITY));
    assert!(["점심 모임", "민아", "잡담방"].iter().all(|typed| answer.text.contains(typed)));
    assert!(!answer.text.contains("ab1234x"));
    assert!(!app.store().has_owner().await.unwrap());
}

#[tokio::test]
async fn signing_in_leads_to_where_one_wanted_to_go() {
    let app = TestApp::spawn().await;
    Visitor::new(&app).set_up(&app).await;
    for (next, leads_to) in [
        ("", "/"),
        ("/rooms/general", "/rooms/general"),
        ("/rooms/점심", "/rooms/%EC%A0%90%EC%8B%AC"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
    ] {
        let visitor = Visitor::new(&app);
        let answer = visitor.post("/sign-in", &[("name", "Ｍina"), ("password", PASSWORD), ("next", next)]).await;
        assert!(answer.leads_to(leads_to), "{next}: {:?}", answer.headers);
        assert!(visitor.is_signed_in().await);
    }
}

#[tokio::test]
async fn wrong_names_and_wrong_passwords_look_the_same() {
    let app = TestApp::spawn().await;
    Visitor::new(&app).set_up(&app).await;
    let visitor = Visitor::new(&app);
    let wrong = visitor.sign_in("mina", "wrong password").await;
    let unknown = visitor.sign_in("mira", "wrong password").await;
    assert!(wrong.is_page(StatusCode::UNAUTHORIZED));
    assert!(unknown.is_page(StatusCode::UNAUTHORIZED));
    assert_eq!(without_nonce(&wrong.text), without_nonce(&unknown.text).replace("mira", "mina"));
    assert!(wrong.text.contains("mina") && !wrong.text.contains("wrong password"));
    assert!(wrong.cookie("pickmate_session").is_none());
}

/// The nonce differs from answer to answer.
fn without_nonce(page: &str) -> String {
    let parts = page.split("nonce=\"").map(|part| part.split_once('"').map_or(part, |(_, rest)| rest));
    page.split("nonce=\"").take(1).chain(parts.skip(1)).collect()
}

#[tokio::test]
async fn guessing_is_slowed_down_also_for_the_right_password() {
    let app = TestApp::spawn_with(|config| {
        config.limits.sign_in_burst = 2;
        config.limits.sign_in_per_minute = 1;
    })
    .await;
    Visitor::new(&app).set_up(&app).await;
    let visitor = Visitor::new(&app);
    for _ in 0..2 {
        assert!(visitor.sign_in("mina", "wrong password").await.is_page(StatusCode::UNAUTHORIZED));
    }
    let limited = visitor.sign_in("mina", PASSWORD).await;
    assert!(limited.is_page(StatusCode::TOO_MANY_REQUESTS));
    let wait: u64 = limited.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert!(limited.text.contains("mina"));
}

#[tokio::test]
async fn without_rate_limits_nobody_is_slowed_down() {
    let app = TestApp::spawn_with(|config| {
        config.limits.sign_in_burst = 1;
        config.no_rate_limit = true;
    })
    .await;
    Visitor::new(&app).set_up(&app).await;
    for _ in 0..3 {
        let answer = Visitor::new(&app).sign_in("mina", "wrong password").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn the_session_cookie_is_for_the_server_only() {
    let app = TestApp::spawn().await;
    let answer = Visitor::new(&app).set_up(&app).await;
    let cookie = answer.cookie("pickmate_session").unwrap();
    assert!(cookie.ends_with("; Path=/; Max-Age=5184000; HttpOnly; SameSite=Lax"), "{cookie}");
}

#[tokio::test]
async fn behind_https_the_cookie_is_bound_to_the_host() {
    let app = TestApp::spawn_with(|config| config.public_url = Some("https://chat.example".into())).await;
    let link = app.set_up_link().unwrap();
    assert!(link.starts_with("https://chat.example/set-up/"), "{link}");
    let answer = Visitor::from_origin(&app, "https://chat.example").set_up(&app).await;
    let cookie = answer.cookie("__Host-pickmate_session").unwrap();
    assert!(cookie.ends_with("; Path=/; Max-Age=5184000; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
}

#[tokio::test]
async fn using_the_app_prolongs_the_cookie() {
    let app = TestApp::spawn().await;
    let visitor = Visitor::new(&app);
    let begun = visitor.set_up(&app).await;
    let page = visitor.get("/rooms/general").await;
    assert!(page.is_page(StatusCode::OK) && page.text.contains("점심 모임"));
    assert_eq!(page.cookie("pickmate_session").unwrap(), begun.cookie("pickmate_session").unwrap());
    assert!(Visitor::new(&app).get("/rooms/general").await.cookie("pickmate_session").is_none());
}

#[tokio::test]
async fn signing_out_ends_the_session_itself() {
    let app = TestApp::spawn().await;
    let visitor = Visitor::new(&app);
    let answer = visitor.set_up(&app).await;
    let cookie = answer.cookie("pickmate_session").unwrap().split(';').next().unwrap().to_owned();
    assert!(get_with_cookie(&app, "/sign-in", &cookie).await.leads_to("/"));

    let out = visitor.post("/sign-out", &[]).await;
    assert!(out.leads_to("/sign-in"));
    assert!(out.cookie("pickmate_session").unwrap().contains("Max-Age=0"));
    assert!(!visitor.is_signed_in().await);
    assert!(get_with_cookie(&app, "/sign-in", &cookie).await.is_page(StatusCode::OK));
}

#[tokio::test]
async fn a_form_from_another_site_is_refused() {
    let app = TestApp::spawn().await;
    Visitor::new(&app).set_up(&app).await;
    for origin in ["https://evil.example", "null"] {
        let answer = Visitor::from_origin(&app, origin).sign_in("mina", PASSWORD).await;
        assert!(answer.is_page(StatusCode::FORBIDDEN));
        assert!(answer.cookie("pickmate_session").is_none());
    }
}
