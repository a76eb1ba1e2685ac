use super::{Api, answer};
use reqwest::{Method, StatusCode, header::AUTHORIZATION};
use serde_json::{Value, json};

const HOOKS: &str = "/api/v1/rooms/general/webhooks";

impl Api {
    async fn hook(&self, body: Value) -> (StatusCode, Value) {
        answer(self.request(Method::POST, HOOKS).json(&body)).await
    }
}

#[tokio::test]
async fn a_secret_is_shown_once() {
    let api = Api::spawn().await;
    let url = "https://receiver.example/hook";
    let (status, made) = api.hook(json!({"url": url, "kinds": ["posted", "posted", "edited"]})).await;
    assert_eq!(status, StatusCode::CREATED);
    assert!(made["secret"].as_str().unwrap().starts_with("pmwh_"), "{made}");
    assert_eq!((&made["url"], &made["kinds"]), (&json!(url), &json!(["posted", "edited"])));
    let (_, listed) = api.get(HOOKS).await;
    assert_eq!(
        (listed["webhooks"][0]["id"].clone(), listed.to_string().contains("pmwh_")),
        (made["id"].clone(), false)
    );
    let one = format!("{HOOKS}/{}", made["id"]);
    assert_eq!(answer(api.request(Method::DELETE, &one)).await, (StatusCode::OK, json!({"id": made["id"]})));
    assert_eq!(answer(api.request(Method::DELETE, &one)).await.0, StatusCode::NOT_FOUND);
    assert_eq!(api.get(&format!("{one}/deliveries")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(api.get(HOOKS).await.1["webhooks"], json!([]));
}

#[tokio::test]
async fn events_and_tests_are_listed_as_deliveries() {
    let api = Api::spawn().await;
    let (_, made) = api.hook(json!({"url": "https://receiver.example"})).await;
    api.post("general", "k1", "안녕").await;
    let one = format!("{HOOKS}/{}", made["id"]);
    let (status, queued) = answer(api.request(Method::POST, &format!("{one}/test"))).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let (_, listed) = api.get(&format!("{one}/deliveries")).await;
    let [test, event] = &listed["deliveries"].as_array().unwrap()[..] else { panic!("{listed}") };
    assert_eq!((&test["id"], &test["seq"], &event["seq"]), (&queued["delivery"], &json!(0), &json!(2)));
    assert_eq!((&event["state"], &event["attempts"]), (&json!("queued"), &json!(0)));
}

#[tokio::test]
async fn where_nothing_may_be_sent_no_webhook_is_made() {
    let api = Api::spawn().await;
    for url in [
        "ftp://a.example",
        "http://a:b@a.example",
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://[::1]:8080/",
        "no",
    ] {
        let (status, refused) = api.hook(json!({"url": url})).await;
        assert_eq!((status, &refused["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("bad_url")), "{url}");
    }
    for kinds in [json!(["Posted"]), json!([""]), json!(["a,b"]), json!(vec!["posted"; 21])] {
        let (status, refused) = api.hook(json!({"url": "https://a.example", "kinds": kinds})).await;
        assert_eq!((status, &refused["code"]), (StatusCode::BAD_REQUEST, &json!("bad_request")), "{kinds}");
    }
    for _ in 0..10 {
        assert_eq!(api.hook(json!({"url": "https://a.example:8443/"})).await.0, StatusCode::CREATED);
    }
    let (status, refused) = api.hook(json!({"url": "https://a.example"})).await;
    assert_eq!((status, &refused["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("too_many_webhooks")));
}

#[tokio::test]
async fn only_owners_have_webhooks() {
    let api = Api::spawn().await;
    let (_, made) = api.hook(json!({"url": "https://a.example"})).await;
    let member = api.app.member("member").await;
    api.app.post(&api.room, &member, "k", "hello").await;
    let one = format!("{HOOKS}/{}", made["id"]);
    for (method, path) in [
        (Method::GET, HOOKS.to_owned()),
        (Method::POST, HOOKS.to_owned()),
        (Method::DELETE, one.clone()),
        (Method::GET, format!("{one}/deliveries")),
        (Method::POST, format!("{one}/test")),
    ] {
        let request = reqwest::Client::new().request(method.clone(), api.app.url(&path));
        let request = request.header(AUTHORIZATION, format!("Bearer {}", member.token));
        let (status, refused) = answer(request.json(&json!({"url": "https://a.example"}))).await;
        assert_eq!((status, &refused["code"]), (StatusCode::FORBIDDEN, &json!("forbidden")), "{method} {path}");
    }
    assert_eq!(api.get("/api/v1/rooms/absent/webhooks").await.0, StatusCode::NOT_FOUND);
}
