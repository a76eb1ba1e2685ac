//! A real node on a free port with a data directory of its own, and the people who use it.

use futures_util::{SinkExt, StreamExt};
use pickmate::domain::{Access, Key, MessageBody, Role, RoomName, Slug, UserId, UserName};
use pickmate::protocol::{CloseCode, ServerFrame};
use pickmate::server::clock::now_ms;
use pickmate::server::config::{Config, leptos_options_without_site};
use pickmate::server::node::{Duty, Node};
use pickmate::server::secret::hash_secret;
use pickmate::server::state::AppState;
use pickmate::server::store::sqlite::SqliteStore;
use pickmate::server::store::{Action, Command, Committed, Intent, Log, NewUser, Store, StoreOptions};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Longest wait for something that should come at once; only a failing test waits so long.
pub const PATIENCE: Duration = Duration::from_secs(10);

pub struct TestApp {
    node: Option<Node>,
    config: Config,
    /// Held: the directory goes with it.
    data: Arc<TempDir>,
}

/// An account with a session and a token.
pub struct Person {
    pub id: UserId,
    pub token: String,
    /// Value of the `Cookie` header.
    pub cookie: String,
}

impl TestApp {
    pub async fn spawn() -> TestApp {
        TestApp::spawn_with(|_| {}).await
    }

    /// With settings of its own.
    pub async fn spawn_with(settle: impl FnOnce(&mut Config)) -> TestApp {
        let data = Arc::new(TempDir::new().unwrap());
        let mut config = Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data: data.path().join("data"),
            program: Some(env!("CARGO_BIN_EXE_pickmate").into()),
            ..Config::default()
        };
        settle(&mut config);
        let node = Some(start(config.clone()).await);
        TestApp { node, config, data }
    }

    /// Another node on the same data and with the same settings.
    pub async fn another_node(&self) -> TestApp {
        TestApp { node: Some(start(self.config.clone()).await), config: self.config.clone(), data: self.data.clone() }
    }

    fn node(&self) -> &Node {
        self.node.as_ref().expect("the node runs")
    }

    pub fn addr(&self) -> SocketAddr {
        self.node().addr()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr())
    }

    pub fn set_up_link(&self) -> Option<String> {
        self.node().set_up_link().map(str::to_owned)
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        &self.node().state().store
    }

    /// What the handlers of this node are given.
    pub fn state(&self) -> &AppState {
        self.node().state()
    }

    /// Stops gracefully and starts again on the same data (and another port).
    pub async fn restart(&mut self) {
        self.stop().await;
        self.node = Some(start(self.config.clone()).await);
    }

    pub async fn stop(&mut self) {
        if let Some(node) = self.node.take() {
            node.shutdown().await;
        }
    }

    pub async fn owner(&self, name: &str) -> Person {
        self.account(name, Role::Owner).await
    }

    pub async fn member(&self, name: &str) -> Person {
        self.account(name, Role::Member).await
    }

    async fn account(&self, name: &str, role: Role) -> Person {
        // Secrets travel in headers, names may not.
        let ascii: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
        let (session, token) = (format!("session-{ascii}"), format!("token-{ascii}"));
        let new = NewUser {
            name: UserName::parse(name).unwrap(),
            password_hash: "nobody signs in with this".into(),
            role,
            locale: None,
        };
        let now = now_ms();
        let id = self.store().create_user(new, now).await.unwrap().expect("the name is free");
        self.store().create_session(&hash_secret(&session), id, now, now + 3_600_000).await.unwrap();
        self.store().create_token(&hash_secret(&token), id, now).await.unwrap();
        Person { id, token, cookie: format!("pickmate_session={session}") }
    }

    pub async fn room(&self, slug: &str, access: Access, creator: &Person) -> Slug {
        let slug = Slug::parse(slug).unwrap();
        let name = RoomName::parse(slug.as_str()).unwrap();
        let action = Action::CreateRoom { name, access, creator: Some(creator.id) };
        self.command(Command::by_operator(slug.clone(), action)).await;
        slug
    }

    pub async fn add(&self, room: &Slug, person: &Person) {
        self.command(Command::by_operator(room.clone(), Action::AddMember { member: person.id })).await;
    }

    pub async fn leave(&self, room: &Slug, person: &Person) {
        let intent = Intent { actor: person.id, key: Key::parse("leave").unwrap() };
        self.command(Command::new(intent, room.clone(), Action::Leave)).await;
    }

    /// Posts through the store, without HTTP.
    pub async fn post(&self, room: &Slug, author: &Person, key: &str, body: &str) -> u64 {
        self.command(post(room, author, key, body)).await.seq.unwrap().0
    }

    /// As a command beside the server would.
    pub async fn post_from_another_process(&self, room: &Slug, author: &Person, key: &str, body: &str) {
        self.command_of_another_process(post(room, author, key, body)).await;
    }

    pub async fn add_from_another_process(&self, room: &Slug, person: &Person) {
        let add = Command::by_operator(room.clone(), Action::AddMember { member: person.id });
        self.command_of_another_process(add).await;
    }

    async fn command_of_another_process(&self, command: Command) {
        let store = SqliteStore::open(&self.config.data, StoreOptions::default()).await.unwrap();
        store.submit(command).await.unwrap().outcome().await.unwrap();
        store.close().await;
    }

    pub async fn set_access(&self, room: &Slug, actor: &Person, access: Access) {
        let intent = Intent { actor: actor.id, key: Key::parse("access").unwrap() };
        self.command(Command::new(intent, room.clone(), Action::SetAccess { access })).await;
    }

    pub async fn command(&self, command: Command) -> Committed {
        self.store().submit(command).await.unwrap().outcome().await.unwrap()
    }

    /// An HTTP client that keeps cookies and does not follow redirects.
    pub fn browser(&self) -> reqwest::Client {
        let none = reqwest::redirect::Policy::none();
        reqwest::Client::builder().cookie_store(true).redirect(none).build().unwrap()
    }

    /// The live socket of a program with a bearer token, after `hello`.
    pub async fn live(&self, person: &Person) -> Live {
        let mut live = self.knock(&[("authorization", &format!("Bearer {}", person.token))]).await.unwrap();
        assert!(matches!(live.frame().await, ServerFrame::Hello { .. }));
        live
    }

    /// The live socket of a browser: cookie and origin.
    pub async fn live_by_cookie(&self, person: &Person) -> Live {
        let origin = self.url("");
        let mut live = self.knock(&[("cookie", &person.cookie), ("origin", &origin)]).await.unwrap();
        assert!(matches!(live.frame().await, ServerFrame::Hello { .. }));
        live
    }

    /// An upgrade of `/live` with these headers.
    pub async fn knock(&self, headers: &[(&'static str, &str)]) -> Result<Live, Box<Error>> {
        self.socket("/live", headers).await
    }

    pub async fn socket(&self, path: &str, headers: &[(&'static str, &str)]) -> Result<Live, Box<Error>> {
        let mut request = format!("ws://{}{path}", self.addr()).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
        }
        let (socket, _) = tokio_tungstenite::connect_async(request).await.map_err(Box::new)?;
        Ok(Live { socket })
    }
}

fn post(room: &Slug, author: &Person, key: &str, body: &str) -> Command {
    let (key, body) = (Key::parse(key).unwrap(), MessageBody::parse(body, MessageBody::MAX_BYTES).unwrap());
    Command::new(Intent { actor: author.id, key }, room.clone(), Action::Post { body, files: vec![] })
}

async fn start(config: Config) -> Node {
    let options = leptos_options_without_site(None).unwrap();
    Node::start(config, options, Duty::Serve).await.unwrap()
}

impl Person {
    /// The secret of the session.
    pub fn session(&self) -> &str {
        self.cookie.split_once('=').unwrap().1
    }
}

/// A raw WebSocket client.
pub struct Live {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Live {
    pub async fn send(&mut self, json: &str) {
        self.socket.send(Message::text(json)).await.unwrap();
    }

    pub async fn send_json(&mut self, json: serde_json::Value) {
        self.send(&json.to_string()).await;
    }

    /// The next frame of the protocol but `presence`, which comes when it comes; transport pings are skipped.
    pub async fn frame(&mut self) -> ServerFrame {
        loop {
            match self.any_frame().await {
                ServerFrame::Presence { .. } => {}
                frame => return frame,
            }
        }
    }

    /// The next frame, whatever it is.
    pub async fn any_frame(&mut self) -> ServerFrame {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("not a frame ({error}): {text}"))
    }

    pub async fn text(&mut self) -> String {
        match self.message().await {
            Message::Text(text) => text.to_string(),
            other => panic!("not text: {other:?}"),
        }
    }

    pub async fn message(&mut self) -> Message {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("a message in time");
            match message.expect("an open socket").expect("a sound message") {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }

    /// The code that the server closes with, whatever comes before it.
    pub async fn close_code(&mut self) -> u16 {
        loop {
            match self.message().await {
                Message::Close(frame) => return frame.map_or(1005, |frame| frame.code.into()),
                _ => continue,
            }
        }
    }

    pub async fn is_closed_with(&mut self, code: CloseCode) {
        assert_eq!(self.close_code().await, code.code());
    }

    /// Joins and reads `joined`; returns the head.
    pub async fn join(&mut self, room: &Slug, after: u64) -> u64 {
        self.send_json(serde_json::json!({"type": "join", "room": room, "after": after})).await;
        loop {
            match self.frame().await {
                ServerFrame::Joined { head, .. } => return head.0,
                // Of something that happened before.
                ServerFrame::RoomsChanged => {}
                other => panic!("not joined: {other:?}"),
            }
        }
    }

    /// Seqs of `events` frames until `last` has come.
    pub async fn seqs_until(&mut self, last: u64) -> Vec<u64> {
        let mut seqs = Vec::new();
        while seqs.last() != Some(&last) {
            if let ServerFrame::Events { list, .. } = self.frame().await {
                seqs.extend(list.iter().map(|event| event.seq.0));
            }
        }
        seqs
    }
}
