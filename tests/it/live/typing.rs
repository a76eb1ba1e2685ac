use crate::app::{Live, Person, TestApp};
use pickmate::domain::{Access, Slug};
use pickmate::protocol::{Author, ServerFrame};
use serde_json::json;

async fn types(live: &mut Live, room: &Slug) {
    live.send_json(json!({"type": "typing", "room": room})).await;
}

/// The next frame that is not about the list of rooms.
async fn frame(live: &mut Live) -> ServerFrame {
    loop {
        match live.frame().await {
            ServerFrame::RoomsChanged => {}
            frame => return frame,
        }
    }
}

/// What was sent before has been obeyed, and nothing was told but this answer.
async fn settled(live: &mut Live) {
    live.send_json(json!({"type": "ping"})).await;
    assert_eq!(frame(live).await, ServerFrame::Pong);
}

fn typing(room: &Slug, person: &Person, name: &str) -> ServerFrame {
    ServerFrame::Typing { room: room.to_string(), user: Author { id: person.id.0, name: name.into() } }
}

async fn joined(app: &TestApp, person: &Person, room: &Slug) -> Live {
    let head = app.post(room, person, &format!("by{}", person.id.0), "text").await;
    let mut live = app.live(person).await;
    live.join(room, head).await;
    live
}

#[tokio::test]
async fn the_others_are_told_who_is_typing_and_nobody_else() {
    let app = TestApp::spawn().await;
    let (mina, joon) = (app.owner("mina").await, app.member("joon").await);
    let (room, other) = (app.room("general", Access::Open, &mina).await, app.room("other", Access::Open, &mina).await);
    let mut there = joined(&app, &joon, &room).await;
    let mut here = joined(&app, &mina, &room).await;
    let mut elsewhere = joined(&app, &joon, &other).await;
    assert_eq!(there.seqs_until(4).await, [4]);
    let mut of_hers = app.live(&mina).await;
    of_hers.join(&room, 4).await;
    types(&mut here, &room).await;
    assert_eq!(frame(&mut there).await, typing(&room, &mina, "mina"));
    for live in [&mut here, &mut of_hers, &mut elsewhere] {
        settled(live).await;
    }
}

#[tokio::test]
async fn who_has_not_joined_the_room_or_says_it_too_often_is_not_heard() {
    let app = TestApp::spawn().await;
    let (mina, joon) = (app.owner("mina").await, app.member("joon").await);
    let room = app.room("general", Access::Open, &mina).await;
    let mut there = joined(&app, &mina, &room).await;
    let mut here = app.live(&joon).await;
    for slug in [room.clone(), Slug::parse("nowhere").unwrap()] {
        types(&mut here, &slug).await;
    }
    settled(&mut here).await;
    settled(&mut there).await;
    here.join(&room, 2).await;
    for _ in 0..3 {
        types(&mut here, &room).await;
    }
    settled(&mut here).await;
    assert_eq!(frame(&mut there).await, typing(&room, &joon, "joon"));
    settled(&mut there).await;
    here.send_json(json!({"type": "leave", "room": room})).await;
    here.join(&room, 2).await;
    here.send_json(json!({"type": "leave", "room": room})).await;
    types(&mut here, &room).await;
    settled(&mut here).await;
    settled(&mut there).await;
}

#[tokio::test]
async fn who_goes_on_typing_is_told_again() {
    let app = TestApp::spawn_with(|config| config.limits.typing_every_ms = 100).await;
    let (mina, joon) = (app.owner("mina").await, app.member("joon").await);
    let room = app.room("general", Access::Open, &mina).await;
    let (mut there, mut here) = (joined(&app, &mina, &room).await, app.live(&joon).await);
    here.join(&room, 2).await;
    let mut told = 0;
    while told < 3 {
        types(&mut here, &room).await;
        settled(&mut here).await;
        there.send_json(json!({"type": "ping"})).await;
        while frame(&mut there).await != ServerFrame::Pong {
            told += 1;
        }
    }
}

#[tokio::test]
async fn in_a_large_room_nobody_is_told() {
    let app = TestApp::spawn_with(|config| config.limits.people_named = 2).await;
    let (mina, joon, seo) = (app.owner("mina").await, app.member("joon").await, app.member("seo").await);
    let room = app.room("general", Access::Open, &mina).await;
    let (mut one, mut two) = (app.live(&mina).await, app.live(&joon).await);
    one.join(&room, 1).await;
    two.join(&room, 1).await;
    let mut three = app.live(&seo).await;
    three.join(&room, 1).await;
    types(&mut three, &room).await;
    for live in [&mut three, &mut one, &mut two] {
        settled(live).await;
    }
    drop(three);
    // The server notices in its own time.
    let told = async {
        loop {
            types(&mut two, &room).await;
            settled(&mut two).await;
            one.send_json(json!({"type": "ping"})).await;
            if frame(&mut one).await == typing(&room, &joon, "joon") {
                return;
            }
        }
    };
    tokio::time::timeout(crate::app::PATIENCE, told).await.expect("two are few enough");
}
