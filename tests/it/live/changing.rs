use super::refused;
use crate::app::{Live, TestApp};
use pickmate::domain::{Access, Seq};
use pickmate::protocol::{ErrorCode, EventKind, ServerFrame};
use serde_json::json;

async fn ack(live: &mut Live) -> (String, u64) {
    match live.frame().await {
        ServerFrame::Ack { key, seq } => (key, seq.0),
        other => panic!("no ack: {other:?}"),
    }
}

#[tokio::test]
async fn an_edit_and_a_deletion_reach_everybody_and_are_acked() {
    let app = TestApp::spawn().await;
    let (mina, joon) = (app.owner("민아").await, app.member("Joon").await);
    let room = app.room("general", Access::Open, &mina).await;
    app.post(&room, &mina, "k1", "one").await;
    let (mut author, mut reader) = (app.live(&mina).await, app.live(&joon).await);
    reader.join(&room, 2).await;
    author.send_json(json!({"type": "edit", "room": room, "key": "k2", "target": 2, "body": "two"})).await;
    assert_eq!(ack(&mut author).await, ("k2".into(), 3));
    author.send_json(json!({"type": "delete", "room": room, "key": "k", "target": 2, "epoch": "former"})).await;
    let ServerFrame::Refused(refused) = author.frame().await else { panic!("not refused") };
    assert_eq!((refused.key.as_deref(), refused.code), (Some("k"), ErrorCode::Gap));
    author.send_json(json!({"type": "delete", "room": room, "key": "k3", "target": 2})).await;
    assert_eq!(ack(&mut author).await, ("k3".into(), 4));
    let mut kinds = Vec::new();
    while kinds.len() < 2 {
        let ServerFrame::Events { list, .. } = reader.frame().await else { panic!("no events") };
        kinds.extend(list.into_iter().map(|event| event.kind));
    }
    let edited = EventKind::Edited { target: Seq(2), rev: Seq(3), body: Some("two".into()) };
    assert_eq!(kinds, [edited, EventKind::Deleted { target: Seq(2) }]);

    let mut late = app.live(&joon).await;
    late.join(&room, 1).await;
    let ServerFrame::Events { list, .. } = late.frame().await else { panic!("no events") };
    assert!(matches!(&list[0].kind, EventKind::Posted { body: None, rev: None, deleted: true, .. }));
    assert!(matches!(&list[1].kind, EventKind::Edited { body: None, .. }));
}

#[tokio::test]
async fn posts_edits_and_deletions_of_one_connection_keep_their_order() {
    let app = TestApp::spawn_with(|config| config.limits.posts_burst = 100).await;
    let mina = app.owner("mina").await;
    let room = app.room("general", Access::Open, &mina).await;
    let mut live = app.live(&mina).await;
    for number in 0..30_u64 {
        let target = 2 + 3 * number;
        live.send_json(json!({"type": "post", "room": room, "key": format!("p{number}"), "body": "one"})).await;
        let (edit, delete) = (format!("e{number}"), format!("d{number}"));
        live.send_json(json!({"type": "edit", "room": room, "key": edit, "target": target, "body": "two"})).await;
        live.send_json(json!({"type": "delete", "room": room, "key": delete, "target": target})).await;
    }
    let mut acked = std::collections::BTreeMap::new();
    for _ in 0..90 {
        let (key, seq) = ack(&mut live).await;
        acked.insert(seq, key);
    }
    let expected = (0..30_u64).flat_map(|n| ["p", "e", "d"].map(|kind| format!("{kind}{n}")));
    assert_eq!(acked, (2..92).zip(expected).collect());
}

#[tokio::test]
async fn changes_of_what_is_not_there_or_not_ones_own_are_refused() {
    let app = TestApp::spawn().await;
    let (mina, joon) = (app.owner("mina").await, app.member("joon").await);
    let room = app.room("general", Access::Open, &mina).await;
    let closed = app.room("closed", Access::Closed, &mina).await;
    let theirs = app.post(&room, &mina, "k", "theirs").await;
    let own = app.post(&room, &joon, "k", "own").await;
    let hidden = app.post(&closed, &mina, "k", "hidden").await;
    let mut live = app.live(&joon).await;
    live.send_json(json!({"type": "delete", "room": room, "key": "gone", "target": own})).await;
    let (_, gone) = ack(&mut live).await;
    let cases = [
        (&room, theirs, ErrorCode::Forbidden),
        (&room, 1, ErrorCode::NotFound),
        (&room, 99, ErrorCode::NotFound),
        (&room, u64::MAX, ErrorCode::NotFound),
        (&closed, hidden, ErrorCode::NotFound),
    ];
    for (room, target, code) in cases {
        let edit = json!({"type": "edit", "room": room, "key": "e", "target": target, "body": "new"});
        let delete = json!({"type": "delete", "room": room, "key": "d", "target": target});
        for frame in [edit, delete] {
            live.send_json(frame.clone()).await;
            let told = refused(&mut live).await;
            assert_eq!((told.code, told.key.as_deref()), (code, frame["key"].as_str()), "{frame}");
        }
    }
    live.send_json(json!({"type": "edit", "room": room, "key": "e", "target": own, "body": "new"})).await;
    assert_eq!(refused(&mut live).await.code, ErrorCode::Erased);
    live.send_json(json!({"type": "delete", "room": room, "key": "again", "target": own})).await;
    assert_eq!(ack(&mut live).await, ("again".into(), gone), "the first deletion is the answer");
}
