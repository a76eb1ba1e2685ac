//! Over HTTP.

use super::{Tally, World};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

const MESSAGES: &str = "/api/v1/rooms/general/messages";

/// Every request of `kind` is answered with the status and the code.
async fn refused(
    world: &World,
    tally: &mut Tally,
    kind: &'static str,
    expected: (u16, &str),
    requests: Vec<RequestBuilder>,
) {
    for request in requests {
        let said = format!("{kind}: {request:?}");
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let body: Value = response.json().await.unwrap_or_else(|error| panic!("{said}: {error}"));
        assert_eq!((status, body["code"].as_str().unwrap()), expected, "{said}");
        tally.count(kind, format!("{} {}", expected.0, expected.1));
    }
    let healthy = Client::new().get(world.app.url("/readyz")).send().await.unwrap();
    assert!(healthy.status().is_success());
    world.is_untouched().await;
}

impl World {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        Client::new().request(method, self.app.url(path)).bearer_auth(&self.mina.token)
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    fn post(&self, key: &str, body: &str) -> RequestBuilder {
        self.request(Method::POST, MESSAGES).json(&json!({"key": key, "body": body}))
    }

    fn raw(&self, content_type: &str, body: &[u8]) -> RequestBuilder {
        self.request(Method::POST, MESSAGES).header(CONTENT_TYPE, content_type).body(body.to_vec())
    }
}

#[tokio::test]
async fn bodies_that_are_not_the_right_json_are_refused() {
    let (world, mut tally) = (World::new().await, Tally::default());
    let whole = br#"{"key":"k9","body":"a"}"#;
    let cut = (0..whole.len()).map(|end| world.raw("application/json", &whole[..end]));
    refused(&world, &mut tally, "a body cut at each byte", (400, "bad_request"), cut.collect()).await;
    let shapes: [&[u8]; 8] = [
        b"[]",
        b"1",
        b"null",
        b"{}",
        br#"{"key":1,"body":"a"}"#,
        br#"{"key":"k9"}"#,
        b"\xff\xfe",
        b"{\"key\":\"\xff\"}",
    ];
    let shapes = shapes.iter().map(|body| world.raw("application/json", body));
    refused(&world, &mut tally, "a body of another shape", (400, "bad_request"), shapes.collect()).await;
    let types = ["text/plain", "application/x-www-form-urlencoded", "image/png", ""];
    let types = types.iter().map(|content_type| world.raw(content_type, whole));
    refused(&world, &mut tally, "another content type", (415, "bad_request"), types.collect()).await;
    let large = vec![world.raw("application/json", &vec![b' '; 256 * 1024 + 1])];
    refused(&world, &mut tally, "a body over the limit", (413, "too_large"), large).await;
}

#[tokio::test]
async fn bad_keys_texts_and_rooms_are_refused() {
    let (world, mut tally) = (World::new().await, Tally::default());
    let keys = ["", "a b", "키", "a/b", &"k".repeat(65)].map(|key| world.post(key, "a"));
    refused(&world, &mut tally, "a bad key", (422, "bad_key"), keys.into()).await;
    let empty = ["", " \n", "\u{200b}"].map(|body| world.post("k9", body));
    refused(&world, &mut tally, "an empty body", (422, "body_empty"), empty.into()).await;
    let control = ["a\0", "\u{1b}[2J"].map(|body| world.post("k9", body));
    refused(&world, &mut tally, "a control character", (422, "control_character"), control.into()).await;
    let reused = vec![world.post("k1", "another")];
    refused(&world, &mut tally, "a key used for something else", (409, "key_reused"), reused).await;
    let rooms = ["nowhere", "General", "..%2Fetc", "general%00", "%F0%9F%A6%8A", "%252e"];
    let rooms = rooms.map(|room| world.get(&format!("/api/v1/rooms/{room}/events")));
    refused(&world, &mut tally, "a room that is not there", (404, "not_found"), rooms.into()).await;
    let not_utf8 = ["%FF", "%C3%28"].map(|room| world.get(&format!("/api/v1/rooms/{room}/events")));
    refused(&world, &mut tally, "a path that is not UTF-8", (400, "bad_request"), not_utf8.into()).await;
}

#[tokio::test]
async fn bad_numbers_and_positions_are_refused() {
    let (world, mut tally) = (World::new().await, Tally::default());
    let queries =
        ["after=-1", "after=a", "after=", "after=1.5", "after=18446744073709551616", "limit=0", "limit=-1", "limit=x"];
    let queries = queries.map(|query| world.get(&format!("/api/v1/rooms/general/events?{query}")));
    refused(&world, &mut tally, "a bad number in the query", (400, "bad_request"), queries.into()).await;
    let gaps = ["after=7", "after=18446744073709551615", "after=1&epoch=another", "after=1&epoch="];
    let gaps = gaps.map(|query| world.get(&format!("/api/v1/rooms/general/events?{query}")));
    refused(&world, &mut tally, "a position of another history", (410, "gap"), gaps.into()).await;
    let edit =
        |seq: &str| world.request(Method::PATCH, &format!("{MESSAGES}/{seq}")).json(&json!({"key": "k9", "body": "a"}));
    let delete = |seq: &str| world.request(Method::DELETE, &format!("{MESSAGES}/{seq}?key=k9"));
    let nowhere = ["0", "1", "6", "7", "18446744073709551615"].map(|seq| [edit(seq), delete(seq)]);
    refused(&world, &mut tally, "no message there", (404, "not_found"), nowhere.into_iter().flatten().collect()).await;
    let not_a_seq = ["-1", "a", "1.5", "%20", "18446744073709551616"].map(|seq| [edit(seq), delete(seq)]);
    refused(&world, &mut tally, "a seq that is none", (400, "bad_request"), not_a_seq.into_iter().flatten().collect())
        .await;
    refused(&world, &mut tally, "another's message", (403, "forbidden"), vec![edit("3"), delete("3")]).await;
    refused(&world, &mut tally, "an edit of what is erased", (410, "erased"), vec![edit("5")]).await;
}
