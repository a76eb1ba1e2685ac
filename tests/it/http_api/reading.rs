use super::Api;
use crate::app::TestApp;
use reqwest::StatusCode;
use serde_json::{Value, json};

const EVENTS: &str = "/api/v1/rooms/general/events";
const MESSAGES: &str = "/api/v1/rooms/general/messages";

/// `general` with the messages k2…k9 at seq 2…9.
async fn talked_in(app: TestApp) -> Api {
    let api = Api::on(app).await;
    for seq in 2..=9 {
        api.app.post(&api.room, &api.mina, &format!("k{seq}"), "안녕").await;
    }
    api
}

fn seqs(list: &Value) -> Vec<u64> {
    list.as_array().unwrap().iter().map(|event| event["seq"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn the_whole_log_can_be_paged_through() {
    let api = talked_in(TestApp::spawn().await).await;
    let (status, all) = api.get(EVENTS).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&all["head"], &all["first"]), (&json!(9), &json!(1)));
    assert_eq!(seqs(&all["events"]), (1..=9).collect::<Vec<_>>());
    assert_eq!(all["events"][0]["kind"], "joined");
    let posted = &all["events"][1];
    assert_eq!((&posted["kind"], &posted["key"], &posted["body"]), (&json!("posted"), &json!("k2"), &json!("안녕")));
    assert_eq!((&posted["rev"], &posted["author"]["name"]), (&json!(2), &json!("mina")));

    let mut after = 0;
    let mut paged = Vec::new();
    while after < 9 {
        let (_, page) = api.get(&format!("{EVENTS}?after={after}&limit=4")).await;
        paged.extend(seqs(&page["events"]));
        after = *paged.last().unwrap();
    }
    assert_eq!(paged, (1..=9).collect::<Vec<_>>());
    assert!(seqs(&api.get(&format!("{EVENTS}?after=9")).await.1["events"]).is_empty());
}

#[tokio::test]
async fn a_limit_above_the_nodes_own_is_cut() {
    let app = TestApp::spawn_with(|config| {
        config.limits.api_page_events = 3;
        config.limits.api_page_rows = 2;
    })
    .await;
    let api = talked_in(app).await;
    assert_eq!(seqs(&api.get(&format!("{EVENTS}?limit=4294967295")).await.1["events"]), [1, 2, 3]);
    assert_eq!(seqs(&api.get(EVENTS).await.1["events"]), [1, 2, 3]);
    assert_eq!(seqs(&api.get(&format!("{MESSAGES}?limit=1000")).await.1["messages"]), [8, 9]);
}

#[tokio::test]
async fn a_position_outside_the_log_is_a_gap() {
    let api = talked_in(TestApp::spawn().await).await;
    let epoch = api.get(EVENTS).await.1["epoch"].as_str().unwrap().to_owned();
    for query in ["after=10".into(), format!("after={}", u64::MAX), "after=0&epoch=another".into()] {
        let (status, body) = api.get(&format!("{EVENTS}?{query}")).await;
        assert_eq!((status, &body["code"]), (StatusCode::GONE, &json!("gap")), "{query}");
    }
    let (status, body) = api.get(&format!("{EVENTS}?after=5&epoch={epoch}")).await;
    assert_eq!((status, seqs(&body["events"])), (StatusCode::OK, vec![6, 7, 8, 9]));
}

#[tokio::test]
async fn messages_are_paged_backwards() {
    let api = talked_in(TestApp::spawn().await).await;
    let (status, newest) = api.get(&format!("{MESSAGES}?limit=3")).await;
    assert_eq!((status, seqs(&newest["messages"])), (StatusCode::OK, vec![7, 8, 9]));
    assert_eq!(newest["head"], 9);
    assert_eq!(newest["epoch"], api.get(EVENTS).await.1["epoch"]);
    assert_eq!(newest.as_object().unwrap().len(), 3);

    let (_, older) = api.get(&format!("{MESSAGES}?limit=3&before=4")).await;
    assert_eq!(seqs(&older["messages"]), [2, 3]);
    assert!(seqs(&api.get(&format!("{MESSAGES}?before=1")).await.1["messages"]).is_empty());
    assert_eq!(api.get(&format!("{MESSAGES}?before={}", u64::MAX)).await.0, StatusCode::OK);
}

#[tokio::test]
async fn queries_that_cannot_be_read_are_bad_requests() {
    let api = Api::spawn().await;
    for path in [
        format!("{EVENTS}?after=-1"),
        format!("{EVENTS}?after=x"),
        format!("{EVENTS}?after=1&after=2"),
        format!("{EVENTS}?limit=0"),
        format!("{EVENTS}?limit="),
        format!("{MESSAGES}?before=1.5"),
        format!("{MESSAGES}?limit=-3"),
    ] {
        let (status, body) = api.get(&path).await;
        assert_eq!((status, &body["code"]), (StatusCode::BAD_REQUEST, &json!("bad_request")), "{path}");
    }
    assert_eq!(api.get(&format!("{EVENTS}?future=1")).await.0, StatusCode::OK);
}
