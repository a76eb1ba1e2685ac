use super::{Api, answer};
use reqwest::{Client, Method, StatusCode, header};
use serde_json::json;

#[tokio::test]
async fn every_call_needs_a_token() {
    let api = Api::spawn().await;
    for (method, path) in [
        (Method::GET, "/api/v1/rooms/general/events"),
        (Method::GET, "/api/v1/rooms/general/messages"),
        (Method::POST, "/api/v1/rooms/general/messages"),
    ] {
        for authorization in ["Bearer wrong", "Basic bWluYTpw", "Bearer", ""] {
            let request = Client::new().request(method.clone(), api.app.url(path));
            // A cookie does not make up for a token that does not hold.
            let request = request.header(header::AUTHORIZATION, authorization).header(header::COOKIE, &api.mina.cookie);
            let (status, body) = answer(request).await;
            assert_eq!((status, &body["code"]), (StatusCode::UNAUTHORIZED, &json!("unauthenticated")));
        }
    }
    let without = answer(Client::new().get(api.app.url("/api/v1/rooms/general/events"))).await;
    assert_eq!(without.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_in_json() {
    let api = Api::spawn().await;
    for path in ["/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v1/rooms", "/api/v1/rooms/general", "/api/v1/picks"] {
        let (status, body) = api.get(path).await;
        assert_eq!((status, &body["code"]), (StatusCode::NOT_FOUND, &json!("not_found")), "{path}");
    }
    for (method, path) in [
        (Method::DELETE, "/api/v1/rooms/general/messages"),
        (Method::POST, "/api/v1/rooms/general/events"),
        (Method::PUT, "/api/v1/openapi.json"),
    ] {
        let (status, body) = answer(api.request(method, path)).await;
        assert_eq!((status, &body["code"]), (StatusCode::METHOD_NOT_ALLOWED, &json!("bad_request")), "{path}");
    }
}
