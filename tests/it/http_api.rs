//! The HTTP API as programs use it.

mod errors;
mod openapi;
mod reading;
mod webhooks;
mod writing;

use crate::app::{Person, TestApp};
use pickmate::domain::{Access, Slug};
use reqwest::header::AUTHORIZATION;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

/// A node with `mina` and her open room `general`, whose log is her `joined` at seq 1.
struct Api {
    app: TestApp,
    mina: Person,
    room: Slug,
}

impl Api {
    async fn spawn() -> Api {
        Api::on(TestApp::spawn().await).await
    }

    async fn on(app: TestApp) -> Api {
        let mina = app.owner("mina").await;
        let room = app.room("general", Access::Open, &mina).await;
        Api { app, mina, room }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        reqwest::Client::new().request(method, self.app.url(path)).header(AUTHORIZATION, self.bearer())
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.mina.token)
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request(Method::GET, path)).await
    }

    async fn post(&self, room: &str, key: &str, body: &str) -> (StatusCode, Value) {
        let path = format!("/api/v1/rooms/{room}/messages");
        answer(self.request(Method::POST, &path).json(&serde_json::json!({"key": key, "body": body}))).await
    }
}

/// Status and JSON; what is not JSON fails the test.
async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    (response.status(), response.json().await.unwrap())
}
