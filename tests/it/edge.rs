//! What every request passes before its handler, and what every answer carries.

use crate::app::{PATIENCE, Person, TestApp};
use leptos::server_fn::axum::server_fn_paths;
use leptos_axum::generate_route_list_with_exclusions_and_ssg_and_context;
use pickmate::api::{FirstPage, Place};
use pickmate::domain::Access;
use pickmate::server::clock::now_ms;
use pickmate::server::store::NewTask;
use pickmate::server::{auth, first_page, queue};
use pickmate::ui::{App, SentPage};
use reqwest::header::{COOKIE, HeaderMap, HeaderValue};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

const EVIL: &str = "http://evil.example";

fn value<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map(HeaderValue::to_str).unwrap_or_else(|| panic!("no {name}")).unwrap()
}

async fn code(response: Response) -> String {
    let body: Value = response.json().await.unwrap();
    body["code"].as_str().unwrap().to_owned()
}

/// A room with one member, and the member's post over HTTP to be sent.
async fn room(app: &TestApp) -> (Person, String) {
    let mina = app.owner("mina").await;
    let room = app.room("general", Access::Open, &mina).await;
    (mina, app.url(&format!("/api/v1/rooms/{room}/messages")))
}

fn post(app: &TestApp, url: &str) -> RequestBuilder {
    app.browser().post(url).json(&json!({"key": "k1", "body": "lunch at noon"}))
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let app = TestApp::spawn().await;
    let mut policies = Vec::new();
    for path in ["/healthz", "/rooms", "/api/v1/nothing", "/pkg/nothing.js", "/async"] {
        let response = app.browser().get(app.url(path)).send().await.unwrap();
        let headers = response.headers();
        assert_eq!(value(headers, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(value(headers, "referrer-policy"), "same-origin", "{path}");
        assert_eq!(value(headers, "cross-origin-opener-policy"), "same-origin", "{path}");
        assert!(headers.contains_key("permissions-policy"), "{path}");
        let policy = value(headers, "content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-inline"), "{path}");
        policies.push(policy.to_owned());
    }
    policies.sort();
    policies.dedup();
    assert_eq!(policies.len(), 5, "a nonce was used twice");
}

#[tokio::test]
async fn a_page_of_another_site_can_change_nothing() {
    let app = TestApp::spawn().await;
    let (mina, url) = room(&app).await;
    let refused = post(&app, &url).header("cookie", &mina.cookie).header("origin", EVIL).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert_eq!(code(refused).await, "wrong_origin");
    let silent = post(&app, &url).header("cookie", &mina.cookie).send().await.unwrap();
    assert_eq!(silent.status(), StatusCode::FORBIDDEN);
    let form = app.browser().post(app.url("/sign-in")).header("origin", EVIL).header("accept", "text/html");
    let page = form.form(&[("name", "mina")]).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::FORBIDDEN);
    assert!(value(page.headers(), "content-type").starts_with("text/html"));
    assert!(app.knock(&[("cookie", &mina.cookie), ("origin", EVIL)]).await.is_err());
}

#[tokio::test]
async fn this_site_and_programs_with_a_token_are_let_in() {
    let app = TestApp::spawn().await;
    let (mina, url) = room(&app).await;
    let own = post(&app, &url).header("cookie", &mina.cookie).header("origin", app.url("")).send().await.unwrap();
    assert_eq!(own.status(), StatusCode::CREATED);
    let program = post(&app, &url).bearer_auth(&mina.token).header("origin", EVIL).send().await.unwrap();
    assert_eq!(program.status(), StatusCode::OK, "the same key again");
    assert!(app.socket("/ws/chat/", &[("origin", EVIL)]).await.is_ok());
}

#[tokio::test]
async fn behind_a_public_address_only_that_is_this_site() {
    let app = TestApp::spawn_with(|config| config.public_url = Some("https://chat.example.org".into())).await;
    let (mina, url) = room(&app).await;
    let cookie = format!("__Host-{}", mina.cookie);
    let from = |origin: &str| post(&app, &url).header("cookie", &cookie).header("origin", origin).send();
    assert_eq!(from("https://chat.example.org").await.unwrap().status(), StatusCode::CREATED);
    assert_eq!(from(&app.url("")).await.unwrap().status(), StatusCode::FORBIDDEN);
}

/// Sends the beginning of a request as it is; the whole answer.
async fn answer_to(app: &TestApp, request: &str) -> String {
    let mut connection = TcpStream::connect(app.addr()).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(PATIENCE, connection.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn a_body_over_the_limit_is_too_large_announced_or_not() {
    let app = TestApp::spawn_with(|config| config.limits.request_bytes = 40_000).await;
    let (_, url) = room(&app).await;
    let path = url.strip_prefix(&app.url("")).unwrap();
    let announced = "content-length: 40001\r\n\r\n".to_owned();
    let chunked = format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n{}", 40_001, "a".repeat(40_001));
    for rest in [announced, chunked] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n");
        let answer = answer_to(&app, &format!("{head}{rest}")).await;
        assert!(answer.starts_with("HTTP/1.1 413") && answer.contains(r#""code":"too_large""#), "{answer}");
    }
}

#[tokio::test]
async fn a_body_with_a_broken_chunk_is_a_bad_request() {
    let app = TestApp::spawn().await;
    let head = "POST /api/v1/rooms/general/messages HTTP/1.1\r\nhost: a\r\nconnection: close\r\n";
    let answer = answer_to(&app, &format!("{head}transfer-encoding: chunked\r\n\r\nZZ\r\n{{}}")).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains(r#""code":"bad_request""#), "{answer}");
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    let app = TestApp::spawn_with(|config| config.limits.request_timeout_ms = 100).await;
    let head = "POST /sign-in HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 9\r\n\r\n";
    let answer = answer_to(&app, &format!("{head}name=")).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    let head = head.replace("host: a\r\n", "host: a\r\naccept: text/html\r\n");
    let answer = answer_to(&app, &format!("{head}name=")).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("<!DOCTYPE html>"), "{answer}");
}

#[tokio::test]
async fn a_node_tells_which_of_its_parts_are_sound() {
    let app = TestApp::spawn().await;
    let get = |path| app.browser().get(app.url(path)).send();
    assert_eq!(get("/healthz").await.unwrap().text().await.unwrap(), "ok");
    let ready = get("/readyz").await.unwrap();
    assert_eq!(ready.status(), StatusCode::OK);
    assert_eq!(ready.json::<Value>().await.unwrap(), json!({"store": "ok", "channel_layer": "ok", "queue": "ok"}));

    let (hub, ended) = (app.state().hub.clone(), CancellationToken::new());
    ended.cancel();
    hub.run(Arc::clone(app.store()), now_ms, ended).await;
    let deaf = get("/readyz").await.unwrap();
    assert_eq!(deaf.status(), StatusCode::OK, "posts are taken");
    assert_eq!(deaf.json::<Value>().await.unwrap(), json!({"store": "ok", "channel_layer": "failed", "queue": "ok"}));
}

#[tokio::test]
async fn work_that_nobody_does_makes_the_queue_behind_and_the_node_no_less_ready() {
    let app = TestApp::spawn_with(|config| {
        config.lanes = Vec::new();
        config.limits.task_lease_ms = 1_000;
        config.limits.ready_ms = 1;
    })
    .await;
    let parts = async || {
        let answer = app.browser().get(app.url("/readyz")).send().await.unwrap();
        (answer.status(), answer.json::<Value>().await.unwrap()["queue"].take())
    };
    assert_eq!(parts().await, (StatusCode::OK, json!("ok")));
    let due = NewTask { run_at: Some(now_ms() - 2_000), ..queue::task(&queue::Demo { seconds: Some(0) }) };
    app.store().enqueue(vec![due]).await.unwrap();
    sleep(Duration::from_millis(5)).await;
    assert_eq!(parts().await, (StatusCode::OK, json!("behind")));
}

#[tokio::test]
async fn metrics_tell_of_tasks() {
    let app = TestApp::spawn().await;
    app.store().enqueue(vec![queue::task(&queue::Demo { seconds: Some(0) })]).await.unwrap();
    let ended = "pickmate_task_runs_total{end=\"Succeeded\"} 1";
    let told = async {
        while !app.browser().get(app.url("/metrics")).send().await.unwrap().text().await.unwrap().contains(ended) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, told).await.expect("a run is counted");
    let text = app.browser().get(app.url("/metrics")).send().await.unwrap().text().await.unwrap();
    for line in ["pickmate_tasks_running{lane=\"io\"} 0", "pickmate_task_wait_seconds_count 1"] {
        assert!(text.contains(line), "{line} of {text}");
    }
}

#[tokio::test]
async fn a_node_without_its_store_is_alive_but_not_ready() {
    let app = TestApp::spawn().await;
    app.store().close().await;
    let get = |path| app.browser().get(app.url(path)).send();
    assert_eq!(get("/healthz").await.unwrap().status(), StatusCode::OK);
    let ready = get("/readyz").await.unwrap();
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.json::<Value>().await.unwrap()["store"], "unavailable");
}

#[tokio::test]
async fn metrics_count_sockets_and_posts() {
    let app = TestApp::spawn().await;
    let (mina, _) = room(&app).await;
    let _live = app.live(&mina).await;
    app.post(&pickmate::domain::Slug::parse("general").unwrap(), &mina, "k1", "text").await;
    let text = app.browser().get(app.url("/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(text.contains("\npickmate_live_connections 1\n"), "{text}");
    assert!(text.contains("\npickmate_posts_total 1\n"), "{text}");
}

#[tokio::test]
async fn a_page_sends_strangers_to_sign_in_and_back() {
    let app = TestApp::spawn().await;
    app.owner("mina").await;
    let response = app.browser().get(app.url("/rooms/general?at=5&x")).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(value(response.headers(), "cache-control"), "no-store");
    assert_eq!(value(response.headers(), "location"), "/sign-in?next=/rooms/general?at=5%26x");
}

#[tokio::test]
async fn a_server_function_fails_with_the_status_of_its_code() {
    let app = TestApp::spawn().await;
    let (people, _) = server_fn_paths().find(|(path, _)| path.starts_with("/api/people")).expect("a function `people`");
    let call = |path: &str| app.browser().post(app.url(path)).json(&json!({})).send();
    let stranger = call(people).await.unwrap();
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(value(stranger.headers(), "content-type"), "application/json");
    assert_eq!(code(stranger).await, "unauthenticated");
    let unknown = call("/api/nothing").await.unwrap();
    assert_eq!((unknown.status(), code(unknown).await.as_str()), (StatusCode::NOT_FOUND, "not_found"));
}

#[tokio::test]
async fn a_server_function_answers_its_own_page() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    let (people, _) = server_fn_paths().find(|(path, _)| path.starts_with("/api/people")).expect("a function `people`");
    let request = app.browser().post(app.url(people)).header("cookie", &mina.cookie).header("origin", app.url(""));
    let list: Value = request.json(&json!({})).send().await.unwrap().json().await.unwrap();
    assert_eq!(list[0]["id"], mina.id.0);
}

#[tokio::test]
async fn every_page_of_the_app_is_served() {
    let app = TestApp::spawn().await;
    let (mina, _) = room(&app).await;
    // The routes stand inside the app's frame, which is shown to accounts only.
    let headers = HeaderMap::from_iter([(COOKIE, mina.cookie.parse().unwrap())]);
    let actor = auth::identify(app.state(), &headers).await.unwrap().expect("a session");
    let start = first_page::app(app.state(), &actor, auth::Reader::of(None, &headers)).await.unwrap();
    let first = SentPage::new(FirstPage { app: Ok(start), place: Place::Plain }, "/rooms").unwrap();
    let context = move || leptos::prelude::provide_context(first.clone());
    let (pages, _) = generate_route_list_with_exclusions_and_ssg_and_context(App, None, context);
    assert!(pages.len() >= 4, "{pages:?}");
    for page in pages {
        let path = page.path().replace("{slug}", "general");
        let response = app.browser().get(app.url(&path)).header("cookie", &mina.cookie).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(value(response.headers(), "cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn a_room_reads_without_scripts_and_its_scripts_have_the_nonce() {
    let app = TestApp::spawn().await;
    let (mina, url) = room(&app).await;
    assert_eq!(post(&app, &url).bearer_auth(&mina.token).send().await.unwrap().status(), StatusCode::CREATED);
    let get = |path| app.browser().get(app.url(path)).header("cookie", &mina.cookie).send();
    let response = get("/rooms/general").await.unwrap();
    let policy = value(response.headers(), "content-security-policy").to_owned();
    let page = response.text().await.unwrap();
    let without_scripts: String = page.split("</script>").map(|part| part.split("<script").next().unwrap()).collect();
    assert!(without_scripts.contains("lunch at noon"), "the message is not in the page");
    let (_, nonce) = policy.split_once("'nonce-").unwrap();
    let (nonce, _) = nonce.split_once('\'').unwrap();
    let scripts: Vec<_> = page.split("<script").skip(1).map(|script| script.split_once('>').unwrap().0).collect();
    assert!(!scripts.is_empty());
    assert!(scripts.iter().all(|script| script.contains(nonce)), "{scripts:?}");
}

#[tokio::test]
async fn the_front_door_leads_to_the_first_room() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    let door = async || {
        let response = app.browser().get(app.url("/")).header("cookie", &mina.cookie).send().await.unwrap();
        value(response.headers(), "location").to_owned()
    };
    assert_eq!(door().await, "/rooms");
    app.room("점심", Access::Open, &mina).await;
    assert_eq!(door().await, "/rooms/%EC%A0%90%EC%8B%AC");
}

#[tokio::test]
async fn what_is_not_there_says_so_in_its_status_and_on_its_page() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    for path in ["/rooms/nothing", "/nothing", "/rooms/general/deeper"] {
        let response = app.browser().get(app.url(path)).header("cookie", &mina.cookie).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(value(response.headers(), "content-type").starts_with("text/html"), "{path}");
        assert!(response.text().await.unwrap().contains("<h1"), "{path}");
    }
}

#[tokio::test]
async fn a_connection_may_idle_between_requests_but_not_dribble_the_next_one() {
    let app = TestApp::spawn_with(|config| config.limits.header_timeout_ms = 100).await;
    let mut kept = TcpStream::connect(app.addr()).await.unwrap();
    let request = "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";
    for _ in 0..2 {
        kept.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\nok") {
            assert_ne!(kept.read_buf(&mut answer).await.unwrap(), 0, "closed after {answer:?}");
        }
        answer_to(&app, "GET /async/?ms=300 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    }
    kept.write_all(&request.as_bytes()[..request.len() - 2]).await.unwrap();
    let mut rest = String::new();
    tokio::time::timeout(PATIENCE, kept.read_to_string(&mut rest)).await.unwrap().unwrap();
    assert!(!rest.contains("HTTP/1.1"), "{rest}");
}

#[tokio::test]
async fn a_connection_that_idles_for_too_long_is_closed() {
    let app = TestApp::spawn_with(|config| config.limits.idle_timeout_ms = 100).await;
    let answer = answer_to(&app, "GET /async/?ms=300 HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_first_request_that_never_comes_is_not_waited_for() {
    let app = TestApp::spawn_with(|config| config.limits.first_request_ms = 100).await;
    for beginning in ["", "GET /live HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\n"] {
        assert_eq!(answer_to(&app, beginning).await, "");
    }
    let kept = answer_to(
        &app,
        "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\nGET /async/?ms=300 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    );
    assert_eq!(kept.await.matches("HTTP/1.1 200").count(), 2, "a connection that has asked is kept");
}

#[tokio::test]
async fn a_connection_over_the_cap_waits_until_a_socket_ends() {
    let app = TestApp::spawn_with(|config| config.limits.open_connections = 1).await;
    let mina = app.owner("mina").await;
    let mut live = app.live(&mina).await;
    let mut waiting = TcpStream::connect(app.addr()).await.unwrap();
    waiting.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    for _ in 0..10 {
        live.send(r#"{"type":"ping"}"#).await;
        live.frame().await;
        assert!(waiting.try_read(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
    }
    drop(live);
    let mut answer = String::new();
    tokio::time::timeout(PATIENCE, waiting.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
