//! Input that nobody should send, kind by kind: each gets its stable code, nothing is stored, and what
//! was not at fault goes on. Run with `--nocapture` for a table of kinds, counts and answers.

mod frames;
mod requests;

use crate::app::{Person, TestApp};
use pickmate::domain::{Access, Key, RoomId, Seq};
use pickmate::server::store::{Action, Command, Intent};
use std::collections::BTreeMap;

/// Two people in the open room `general`. Its log: `joined` of mina (1), `joined` and a post of joon
/// (2, 3), a post of mina (4), a post of mina (5) that is erased (6).
struct World {
    app: TestApp,
    mina: Person,
    room_id: RoomId,
}

const HEAD: Seq = Seq(6);

impl World {
    async fn new() -> World {
        let app = TestApp::spawn_with(|config| config.no_rate_limit = true).await;
        let (mina, joon) = (app.owner("mina").await, app.member("joon").await);
        let room = app.room("general", Access::Open, &mina).await;
        app.post(&room, &joon, "k1", "of joon").await;
        app.post(&room, &mina, "k1", "of mina").await;
        app.post(&room, &mina, "k2", "of mina, erased").await;
        let intent = Intent { actor: mina.id, key: Key::parse("k3").unwrap() };
        app.command(Command::new(intent, room.clone(), Action::Delete { target: Seq(5) })).await;
        let room_id = app.store().room_head(&room, mina.id).await.unwrap().unwrap().id;
        World { app, mina, room_id }
    }

    /// Nothing that was refused has left a trace in the log.
    async fn is_untouched(&self) {
        assert_eq!(self.app.store().heads(&[self.room_id]).await.unwrap(), [(self.room_id, HEAD)]);
    }
}

/// How many inputs of each kind got which answer.
#[derive(Default)]
struct Tally(BTreeMap<(&'static str, String), usize>);

impl Tally {
    fn count(&mut self, kind: &'static str, answer: impl Into<String>) {
        *self.0.entry((kind, answer.into())).or_default() += 1;
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        for ((kind, answer), count) in &self.0 {
            println!("| {kind} | {count} | {answer} |");
        }
    }
}
