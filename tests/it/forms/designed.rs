//! Whoever reads pages is answered with one, whatever goes wrong.

use crate::app::TestApp;
use crate::visitor::{PASSWORD, Visitor, get_with_cookie};
use reqwest::StatusCode;

#[tokio::test]
async fn a_method_that_a_page_has_not_is_answered_with_a_page() {
    let app = TestApp::spawn().await;
    let visitor = Visitor::new(&app);
    visitor.set_up(&app).await;
    for path in ["/sign-out", "/locale"] {
        let answer = visitor.get(path).await;
        assert!(answer.is_page(StatusCode::METHOD_NOT_ALLOWED), "{path}: {} {}", answer.status, answer.text);
        assert_eq!(answer.headers["allow"], "POST", "{path}");
    }
    for path in ["/settings", "/people", "/"] {
        let answer = visitor.post(path, &[]).await;
        assert!(answer.is_page(StatusCode::METHOD_NOT_ALLOWED), "{path}: {}", answer.status);
    }
}

#[tokio::test]
async fn a_path_that_is_no_text_is_answered_with_a_page() {
    let app = TestApp::spawn().await;
    let visitor = Visitor::new(&app);
    visitor.set_up(&app).await;
    for path in ["/rooms/%ff", "/join/%ff", "/nothing/%ff"] {
        let answer = visitor.get(path).await;
        assert!(answer.is_page(answer.status) && answer.status.is_client_error(), "{path}: {}", answer.text);
    }
    assert!(visitor.post("/rooms/%ff", &[("key", "k"), ("body", "a")]).await.is_page(StatusCode::BAD_REQUEST));
}

#[tokio::test]
async fn without_its_store_a_node_still_answers_with_pages() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    app.store().close().await;
    for path in ["/", "/rooms/general", "/sign-in", "/join/secret", "/nothing"] {
        let answer = get_with_cookie(&app, path, &mina.cookie).await;
        assert!(answer.is_page(answer.status), "{path}: {} {}", answer.status, answer.text);
        assert!(!answer.status.is_success(), "{path}: {}", answer.status);
    }
}

#[tokio::test]
async fn programs_get_json_for_the_same() {
    let app = TestApp::spawn().await;
    app.store().close().await;
    let answer = app.browser().get(app.url("/")).header("cookie", "pickmate_session=a").send().await.unwrap();
    assert!(answer.status().is_server_error());
    assert_eq!(answer.headers()["content-type"], "application/json");
}

#[tokio::test]
async fn the_password_is_changed_by_plain_form() {
    let app = TestApp::spawn().await;
    let visitor = Visitor::new(&app);
    visitor.set_up(&app).await;
    let change = async |current: &str, new: &str| {
        visitor.post("/settings/password", &[("current", current), ("new", new)]).await
    };
    let wrong = change("wrong password", "a new password").await;
    assert!(wrong.is_page(StatusCode::UNAUTHORIZED), "{}", wrong.status);
    assert!(!wrong.text.contains("a new password"));
    assert!(change(PASSWORD, "short").await.is_page(StatusCode::UNPROCESSABLE_ENTITY));
    let changed = change(PASSWORD, "a new password").await;
    assert!(changed.is_page(StatusCode::OK), "{}", changed.status);
    assert!(visitor.is_signed_in().await, "this session stays");
    assert!(visitor.get("/settings/password").await.leads_to("/settings"));
    assert!(Visitor::new(&app).sign_in("mina", "a new password").await.leads_to("/"));
    let stranger = Visitor::new(&app).post("/settings/password", &[("current", "a"), ("new", "b")]).await;
    assert!(stranger.leads_to("/sign-in?next=/settings"));
}
