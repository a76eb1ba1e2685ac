use crate::command::{Machine, Said};
use pickmate::domain::{Access, Role, Slug, UserId};
use pickmate::server::clock::now_ms;
use pickmate::server::secret::hash_secret;
use pickmate::server::store::sqlite::SqliteStore;
use pickmate::server::store::{Accounts, Log, Rooms, StoreOptions};
use std::sync::Arc;
use std::time::Duration;

const PASSWORD: &str = "correct horse\n";

/// The store that the commands work on, open beside them as a server's would be.
async fn store(machine: &Machine) -> Arc<SqliteStore> {
    SqliteStore::open(&machine.path("data"), StoreOptions::default()).await.unwrap()
}

/// What a command that must succeed printed.
fn printed(machine: &Machine, arguments: &str) -> String {
    let said = machine.run(arguments, PASSWORD);
    assert_eq!((said.status, said.err.as_str()), (Some(0), ""), "{arguments}");
    said.out
}

fn one_line(text: &str) -> &str {
    let line = text.strip_suffix('\n').unwrap();
    assert!(!line.contains('\n') && !line.is_empty(), "{text:?}");
    line
}

#[tokio::test]
async fn an_account_and_its_token_work_in_a_running_server() {
    let machine = Machine::new();
    let store = store(&machine).await;
    let id = printed(&machine, "admin user create mina --password-stdin");
    let token = printed(&machine, "admin token create mina");
    let user = store.token_user(&hash_secret(one_line(&token))).await.unwrap().unwrap();
    assert_eq!((user.id.0.to_string(), user.role), (one_line(&id).to_owned(), Role::Member));
    assert!(!store.has_owner().await.unwrap());
}

#[tokio::test]
async fn an_owner_made_by_the_operator_ends_the_set_up() {
    let machine = Machine::new();
    let store = store(&machine).await;
    let offered = hash_secret("offered");
    store.put_set_up_link(&offered).await.unwrap();
    assert!(store.set_up_link_is_valid(&offered).await.unwrap());
    printed(&machine, "admin user create mina --password-stdin --owner");
    assert!(store.has_owner().await.unwrap());
    assert!(!store.set_up_link_is_valid(&offered).await.unwrap());
}

#[tokio::test]
async fn a_reset_link_starts_with_the_public_address() {
    let mut machine = Machine::new();
    printed(&machine, "admin user create mina --password-stdin");
    let local = printed(&machine, "admin user reset mina");
    assert!(local.starts_with("http://127.0.0.1:3000/reset/"), "{local}");
    machine.set("PICKMATE_PUBLIC_URL", "https://chat.example.org");
    let link = printed(&machine, "admin user reset mina");
    let secret = one_line(&link).strip_prefix("https://chat.example.org/reset/").unwrap();
    let user = store(&machine).await.reset(&hash_secret(secret), now_ms()).await.unwrap().unwrap();
    assert_eq!(user.name, "mina");
}

#[tokio::test]
async fn rooms_appear_in_a_running_server() {
    let machine = Machine::new();
    let store = store(&machine).await;
    let mut foreign_writes = store.foreign_writes();
    for account in ["mina", "jun --owner", "hana --owner"] {
        printed(&machine, &format!("admin user create --password-stdin {account}"));
    }
    foreign_writes.take();
    assert_eq!(printed(&machine, "admin room create plans --name Plans --closed"), "");
    tokio::time::timeout(Duration::from_secs(10), foreign_writes.next()).await.unwrap().unwrap();

    let plans = Slug::parse("plans").unwrap();
    let (mina, jun, hana) = (UserId(1), UserId(2), UserId(3));
    let room = store.room(&plans, jun).await.unwrap().unwrap();
    assert_eq!((room.summary.name.as_str(), room.summary.access), ("Plans", Access::Closed));
    assert!(store.room(&plans, hana).await.unwrap().is_none(), "only the oldest owner is a member");

    assert!(store.room(&plans, mina).await.unwrap().is_none());
    assert_eq!(printed(&machine, "admin room add plans mina"), "");
    assert_eq!(printed(&machine, "admin room add plans mina"), "");
    assert!(store.room(&plans, mina).await.unwrap().is_some());
    assert_eq!(store.events_after(room.id, pickmate::domain::Seq::ZERO, 10).await.unwrap().head.0, 2);
}

#[tokio::test]
async fn a_room_made_before_any_account_is_open_and_empty() {
    let machine = Machine::new();
    printed(&machine, "admin room create general");
    printed(&machine, "admin user create mina --password-stdin");
    let store = store(&machine).await;
    let room = store.room(&Slug::parse("general").unwrap(), UserId(1)).await.unwrap().unwrap();
    assert_eq!((room.summary.name.as_str(), room.summary.access), ("general", Access::Open));
    assert!(store.members(room.id, 10).await.unwrap().first.is_empty());
}

#[tokio::test]
async fn a_reset_link_starts_where_the_server_is_reached() {
    let machine = Machine::new();
    printed(&machine, "admin user create mina --password-stdin");
    let link = |arguments| printed(&machine, arguments);
    assert!(link("admin user reset mina").starts_with("http://127.0.0.1:3000/reset/"));
    let store = store(&machine).await;
    store.put_base_address("https://chat.example.org").await.unwrap();
    assert!(link("admin user reset mina").starts_with("https://chat.example.org/reset/"));
}

#[test]
fn what_cannot_be_done_is_said_in_one_sentence() {
    let machine = Machine::new();
    printed(&machine, "admin user create mina --password-stdin");
    printed(&machine, "admin room create general");
    let refused = [
        ("admin user create MINA --password-stdin", PASSWORD, "the name `MINA` is taken"),
        ("admin user create jun --password-stdin", "short\n", "the password is shorter than 8 characters"),
        ("admin user create jun --password-stdin", "", "the password is shorter than 8 characters"),
        ("admin user create \u{200b} --password-stdin", PASSWORD, "the name has a character that cannot be seen"),
        ("admin user reset jun", "", "there is no account `jun`"),
        ("admin token create jun", "", "there is no account `jun`"),
        ("admin room create general", "", "there already is a room `general`"),
        ("admin room add plans mina", "", "there is no room `plans`"),
        ("admin room add general jun", "", "there is no account `jun`"),
    ];
    for (arguments, input, sentence) in refused {
        let expected = Said { status: Some(1), out: String::new(), err: format!("pickmate: {sentence}\n") };
        assert_eq!(machine.run(arguments, input), expected, "{arguments}");
    }
}

#[test]
fn a_data_directory_that_cannot_be_used_is_named() {
    let machine = Machine::new();
    std::fs::write(machine.path("taken"), "").unwrap();
    let said = machine.run("admin room create general --data taken", "");
    assert_eq!((said.status, said.out.as_str()), (Some(1), ""));
    assert!(said.err.contains("taken") && said.err.lines().count() == 1, "{}", said.err);
}
