use super::{Api, answer};
use crate::app::TestApp;
use pickmate::domain::Access;
use reqwest::{Method, StatusCode, header};
use serde_json::json;

#[tokio::test]
async fn a_repeated_key_gets_the_first_answer() {
    let api = Api::spawn().await;
    assert_eq!(api.post("general", "k1", "안녕").await, (StatusCode::CREATED, json!({"key": "k1", "seq": 2})));
    assert_eq!(api.post("general", "k2", "또").await, (StatusCode::CREATED, json!({"key": "k2", "seq": 3})));
    assert_eq!(api.post("general", "k1", "안녕").await, (StatusCode::OK, json!({"key": "k1", "seq": 2})));
}

#[tokio::test]
async fn a_key_used_for_something_else_is_a_conflict() {
    let api = Api::spawn().await;
    api.post("general", "k1", "안녕").await;
    let (status, body) = api.post("general", "k1", "다른 말").await;
    assert_eq!((status, &body["code"]), (StatusCode::CONFLICT, &json!("key_reused")));
}

#[tokio::test]
async fn a_known_key_comes_before_every_check_of_the_text() {
    let app = TestApp::spawn_with(|config| {
        config.limits.posts_burst = 1;
        config.limits.posts_per_minute = 1;
    })
    .await;
    let api = Api::on(app).await;
    assert_eq!(api.post("general", "k1", "안녕\n").await.0, StatusCode::CREATED);
    let too_fast = api.post("general", "k1", "안녕\r\n").await;
    assert_eq!(too_fast, (StatusCode::OK, json!({"key": "k1", "seq": 2})));
    for other in ["다른 말", " ", "\0"] {
        let (status, body) = api.post("general", "k1", other).await;
        assert_eq!((status, &body["code"]), (StatusCode::CONFLICT, &json!("key_reused")), "{other:?}");
    }
    assert_eq!(api.post("general", "k2", "안녕").await.0, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_refused_message_stores_nothing() {
    let api = Api::spawn().await;
    let long = "긴".repeat(16 * 1024);
    for (key, body, code) in [
        ("k 1", "안녕", "bad_key"),
        ("", "안녕", "bad_key"),
        ("k1", "\n ", "body_empty"),
        ("k1", &long, "body_too_long"),
        ("k1", "a\u{0}b", "control_character"),
    ] {
        let (status, answer) = api.post("general", key, body).await;
        assert_eq!((status, &answer["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(code)));
        assert!(!answer["message"].as_str().unwrap().is_empty());
    }
    assert_eq!(api.get("/api/v1/rooms/general/events").await.1["head"], 1);
}

#[tokio::test]
async fn rooms_out_of_sight_do_not_exist() {
    let api = Api::spawn().await;
    let other = api.app.member("other").await;
    api.app.room("closed", Access::Closed, &other).await;
    let absent = api.post("absent", "k1", "안녕").await;
    assert_eq!((absent.0, &absent.1["code"]), (StatusCode::NOT_FOUND, &json!("not_found")));
    assert_eq!(api.post("closed", "k1", "안녕").await, absent);
    assert_eq!(api.post("NOT%20a%20slug", "k1", "안녕").await, absent);
}

#[tokio::test]
async fn posting_too_fast_says_how_long_to_wait() {
    let app = TestApp::spawn_with(|config| {
        config.limits.posts_burst = 1;
        config.limits.posts_per_minute = 60;
    })
    .await;
    let api = Api::on(app).await;
    api.post("general", "k1", "안녕").await;
    let (status, body) = api.post("general", "k2", "또").await;
    assert_eq!((status, &body["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("rate_limited")));
    assert!((1..=1_000).contains(&body["retry_after_ms"].as_u64().unwrap()));
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_told_apart() {
    let api = Api::spawn().await;
    let path = "/api/v1/rooms/general/messages";
    let json_type = (header::CONTENT_TYPE, "application/json");
    let huge = format!(r#"{{"key":"k1","body":"{}"}}"#, "x".repeat(1024 * 1024));
    for (content_type, body, status, code) in [
        (json_type.1, "{", StatusCode::BAD_REQUEST, "bad_request"),
        (json_type.1, "", StatusCode::BAD_REQUEST, "bad_request"),
        (json_type.1, r#"{"key":"k1"}"#, StatusCode::BAD_REQUEST, "bad_request"),
        (json_type.1, r#"{"key":1,"body":"x"}"#, StatusCode::BAD_REQUEST, "bad_request"),
        ("text/plain", r#"{"key":"k1","body":"x"}"#, StatusCode::UNSUPPORTED_MEDIA_TYPE, "bad_request"),
        (json_type.1, &huge, StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
    ] {
        let request = api.request(Method::POST, path).header(header::CONTENT_TYPE, content_type);
        let (got, answer) = answer(request.body(body.to_owned())).await;
        assert_eq!((got, &answer["code"]), (status, &json!(code)), "{}", &body[..body.len().min(40)]);
    }
}

#[tokio::test]
async fn a_session_may_post_from_its_own_site_only() {
    let api = Api::spawn().await;
    let post = async |origin: Option<String>| {
        let request = reqwest::Client::new().post(api.app.url("/api/v1/rooms/general/messages"));
        let request = request.header(header::COOKIE, &api.mina.cookie).json(&json!({"key": "k1", "body": "안녕"}));
        let request = origin.into_iter().fold(request, |request, origin| request.header(header::ORIGIN, origin));
        answer(request).await
    };
    assert_eq!(post(None).await.1["code"], "wrong_origin");
    assert_eq!(post(Some("https://evil.example".into())).await.0, StatusCode::FORBIDDEN);
    assert_eq!(post(Some(api.app.url(""))).await.0, StatusCode::CREATED);
}

#[tokio::test]
async fn a_message_is_edited_and_deleted_by_its_author() {
    let api = Api::spawn().await;
    api.post("general", "k1", "one").await;
    let path = "/api/v1/rooms/general/messages/2";
    let edit = async |key: &str, body: &str| {
        answer(api.request(Method::PATCH, path).json(&json!({"key": key, "body": body}))).await
    };
    let delete = async |key: &str| answer(api.request(Method::DELETE, path).query(&[("key", key)])).await;
    for _ in 0..2 {
        assert_eq!(edit("k2", "two").await, (StatusCode::OK, json!({"key": "k2", "seq": 3})));
    }
    assert_eq!(edit("k3", "two").await.1["seq"], 3, "nothing to change");
    let (status, body) = edit("k2", "three").await;
    assert_eq!((status, &body["code"]), (StatusCode::CONFLICT, &json!("key_reused")));
    assert_eq!(api.get("/api/v1/rooms/general/messages").await.1["messages"][0]["body"], "two");
    for _ in 0..2 {
        assert_eq!(delete("k4").await, (StatusCode::OK, json!({"key": "k4", "seq": 4})));
    }
    assert_eq!(edit("k2", "two").await, (StatusCode::OK, json!({"key": "k2", "seq": 3})), "also after it was deleted");
    let (status, body) = edit("k5", "three").await;
    assert_eq!((status, &body["code"]), (StatusCode::GONE, &json!("erased")));
    let (_, page) = api.get("/api/v1/rooms/general/messages").await;
    assert_eq!((&page["messages"][0]["deleted"], page["messages"][0].get("body")), (&json!(true), None));
}

#[tokio::test]
async fn a_change_of_a_message_of_another_epoch_is_gone() {
    let api = Api::spawn().await;
    api.post("general", "k1", "one").await;
    let path = "/api/v1/rooms/general/messages/2";
    let edit = json!({"key": "k2", "body": "two", "epoch": "former"});
    let edited = answer(api.request(Method::PATCH, path).json(&edit)).await;
    let deleted = answer(api.request(Method::DELETE, path).query(&[("key", "k3"), ("epoch", "former")])).await;
    for (status, body) in [edited, deleted] {
        assert_eq!((status, &body["code"]), (StatusCode::GONE, &json!("gap")));
    }
    let (_, page) = api.get("/api/v1/rooms/general/messages").await;
    assert_eq!(page["messages"][0]["body"], "one");
    let edit = json!({"key": "k2", "body": "two", "epoch": page["epoch"]});
    assert_eq!(answer(api.request(Method::PATCH, path).json(&edit)).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_change_that_cannot_be_is_refused_by_code() {
    let api = Api::spawn().await;
    let joon = api.app.member("joon").await;
    let theirs = api.app.post(&api.room, &joon, "k", "theirs").await;
    let edit = json!({"key": "k1", "body": "new"});
    for (path, status, code) in [
        (format!("general/messages/{theirs}"), StatusCode::FORBIDDEN, "forbidden"),
        ("general/messages/1".to_owned(), StatusCode::NOT_FOUND, "not_found"),
        ("general/messages/999".to_owned(), StatusCode::NOT_FOUND, "not_found"),
        ("nowhere/messages/1".to_owned(), StatusCode::NOT_FOUND, "not_found"),
        ("general/messages/one".to_owned(), StatusCode::BAD_REQUEST, "bad_request"),
        ("general/messages/-1".to_owned(), StatusCode::BAD_REQUEST, "bad_request"),
    ] {
        let path = format!("/api/v1/rooms/{path}");
        for request in
            [api.request(Method::PATCH, &path).json(&edit), api.request(Method::DELETE, &path).query(&[("key", "k1")])]
        {
            let (told, body) = answer(request).await;
            assert_eq!((told, &body["code"]), (status, &json!(code)), "{path}");
        }
    }
    let (status, body) = answer(api.request(Method::DELETE, "/api/v1/rooms/general/messages/2")).await;
    assert_eq!((status, &body["code"]), (StatusCode::BAD_REQUEST, &json!("bad_request")), "a key is needed");
}
