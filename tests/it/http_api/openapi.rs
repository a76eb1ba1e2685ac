use super::{Api, answer};
use crate::app::TestApp;
use pickmate::protocol::ErrorCode;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

async fn description(api: &Api) -> Value {
    let (status, description) = answer(Client::new().get(api.app.url("/api/v1/openapi.json"))).await;
    assert_eq!(status, StatusCode::OK);
    description
}

/// A task that can be asked about.
async fn started(api: &Api) -> String {
    let start = api.request(Method::POST, "/api/v1/tasks").json(&json!({"task": "demo", "args": {"seconds": 0}}));
    answer(start).await.1["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_described_call_answers_as_described() {
    let api = Api::on(TestApp::spawn_with(|config| config.limits.webhooks_per_room = 100).await).await;
    let description = description(&api).await;
    let mut calls = 0;
    for (path, item) in description["paths"].as_object().unwrap() {
        let operations = item.as_object().unwrap().iter().filter(|(method, _)| *method != "parameters");
        for (method, operation) in operations {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let posted = api.app.post(&api.room, &api.mina, &format!("own{calls}"), "안녕").await;
            if operation["responses"]["200"]["content"]["text/event-stream"].is_object() {
                continue;
            }
            let id = match path {
                path if path.contains("/tasks/") => started(&api).await,
                path if path.contains("/webhooks/") => hooked(&api).await,
                _ => upload(&api, &format!("own{calls}")).await,
            };
            let address = path.replace("{slug}", "general").replace("{seq}", &posted.to_string()).replace("{id}", &id);
            let request = api.request(method.clone(), &address);
            let request = match method {
                Method::POST if path.ends_with("/files") => request.query(&[("key", "k4")]).body("안녕"),
                Method::POST if path.ends_with("/webhooks") => request.json(&json!({"url": "https://a.example"})),
                Method::POST => request.json(&json!({"key": "k1", "body": "안녕", "task": "demo"})),
                Method::PATCH => request.json(&json!({"key": "k2", "body": "또"})),
                Method::DELETE => request.query(&[("key", "k3")]),
                _ => request,
            };
            let (status, body) = answer(request).await;
            let response = &operation["responses"][status.as_str()];
            assert!(status.is_success() && response.is_object(), "{method} {path}: {status}");
            let schema = resolve(&description, &response["content"]["application/json"]["schema"]);
            for field in schema["required"].as_array().into_iter().flatten() {
                assert!(body.get(field.as_str().unwrap()).is_some(), "{method} {path}: no {field}");
            }
            calls += 1;
        }
    }
    assert_eq!(calls, 17);
}

/// The id of a webhook.
async fn hooked(api: &Api) -> String {
    let hook = json!({"url": "https://receiver.example"});
    let (_, hook) = answer(api.request(Method::POST, "/api/v1/rooms/general/webhooks").json(&hook)).await;
    hook["id"].to_string()
}

/// The id of a file.
async fn upload(api: &Api, key: &str) -> String {
    let request = api.request(Method::POST, "/api/v1/rooms/general/files");
    let (_, file) = answer(request.query(&[("key", key)]).body("안녕")).await;
    file["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let api = Api::spawn().await;
    let description = description(&api).await;
    let mut open = vec![&description];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) => {
                assert!(!is_dangling(&description, fields), "{fields:?}");
                open.extend(fields.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
}

#[tokio::test]
async fn exactly_the_error_codes_are_described() {
    let api = Api::spawn().await;
    let description = description(&api).await;
    let described = description["components"]["schemas"]["ErrorCode"]["enum"].as_array().unwrap();
    let described: BTreeSet<&str> = described.iter().filter_map(Value::as_str).collect();
    // `as_str` is one exhaustive match, so its arms name every code there is.
    let source = include_str!("../../../src/protocol/error.rs");
    let arms = source.lines().filter_map(|line| line.trim().split_once(" => \"")?.1.strip_suffix("\","));
    assert_eq!(described, arms.collect());
    assert!(described.contains(ErrorCode::Gap.as_str()));
}

fn is_dangling(description: &Value, fields: &Map<String, Value>) -> bool {
    fields.get("$ref").is_some_and(|reference| resolve(description, &json!({ "$ref": reference })).is_null())
}

fn resolve<'a>(description: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => description.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null),
        None => schema,
    }
}
