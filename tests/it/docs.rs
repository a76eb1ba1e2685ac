//! The pages that other programs and people rely on say what the code does.

use pickmate::protocol::{ClientFrame, CloseCode, ErrorCode, ServerFrame};
use pickmate::server::config::Limits;
use std::collections::{BTreeMap, BTreeSet};

const PROTOCOL: &str = include_str!("../../docs/protocol.md");
const ARCHITECTURE: &str = include_str!("../../docs/architecture.md");

const TASKS: &str = include_str!("../../docs/tasks.md");

fn section(title: &str) -> &'static str {
    let (_, rest) = PROTOCOL.split_once(&format!("\n## {title}\n")).unwrap_or_else(|| panic!("no section {title}"));
    rest.split("\n## ").next().unwrap()
}

/// The cells of each row of the section's table.
fn rows(title: &str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = section(title).lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix('|'));
    lines.skip(2).map(|line| line.split(" | ").map(str::trim).collect())
}

fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The examples of frames in a section's table.
fn frames(title: &str) -> Vec<String> {
    rows(title).map(|cells| quoted(cells[0]).next().unwrap().replace("EVENT…", "")).collect()
}

fn type_of(json: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    value["type"].as_str().unwrap().to_owned()
}

#[test]
fn every_client_frame_of_the_page_is_understood() {
    let types: BTreeSet<_> = frames("Client frames").iter().map(|json| type_of(json)).collect();
    assert_eq!(types, ["delete", "edit", "join", "leave", "ping", "post", "read", "typing"].map(str::to_owned).into());
    for json in frames("Client frames") {
        assert_ne!(serde_json::from_str::<ClientFrame>(&json).unwrap(), ClientFrame::Unknown, "{json}");
    }
}

#[test]
fn every_server_frame_of_the_page_is_one_that_is_sent() {
    let expected = [
        "ack",
        "draining",
        "events",
        "gap",
        "joined",
        "pong",
        "presence",
        "progress",
        "read",
        "refused",
        "revoked",
        "rooms_changed",
        "typing",
    ];
    let types: BTreeSet<_> = frames("Server frames").iter().map(|json| type_of(json)).collect();
    assert_eq!(types, expected.map(str::to_owned).into());
    for json in frames("Server frames") {
        let frame: ServerFrame = serde_json::from_str(&json).unwrap();
        assert_ne!(frame, ServerFrame::Unknown, "{json}");
        let said: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_value(&frame).unwrap(), said);
    }
}

#[test]
fn the_hello_of_the_page_has_the_default_limits() {
    let (_, rest) = section("Opening").split_once("```json\n").unwrap();
    let (json, _) = rest.split_once("```").unwrap();
    let hello = serde_json::from_str(json).unwrap();
    let ServerFrame::Hello { limits, ping_every_ms, dead_after_ms, typing_every_ms, typing_shown_ms, .. } = hello
    else {
        panic!("no hello: {json}")
    };
    let default = Limits::default();
    assert_eq!((limits.body_bytes as usize, limits.frame_bytes as usize), (default.body_bytes, default.frame_bytes));
    assert_eq!(limits.rooms_per_connection as usize, default.rooms_per_connection);
    assert_eq!(u64::from(limits.catch_up_events), default.catch_up_events);
    assert_eq!((ping_every_ms, dead_after_ms), (default.ping_every_ms, default.ping_every_ms * 2 + 2_000));
    assert_eq!((typing_every_ms, typing_shown_ms), (default.typing_every_ms, default.typing_shown_ms));
}

#[test]
fn the_page_has_every_refusal_and_says_which_to_retry() {
    let mut told = BTreeMap::new();
    for cells in rows("Refusals") {
        told.extend(quoted(cells[0]).map(|code| (code, cells[1].starts_with("yes"))));
    }
    let codes: BTreeMap<_, _> = ErrorCode::ALL.into_iter().map(|code| (code.as_str(), code.retryable())).collect();
    assert_eq!(told, codes);
}

#[test]
fn the_page_has_every_close_code_and_says_when_to_come_back() {
    let rows = rows("Closing").filter_map(|cells| Some((cells[0].parse::<u16>().ok()?, cells[1] == "yes")));
    let codes = CloseCode::ALL.into_iter().map(|code| (code.code(), CloseCode::reconnect(code.code())));
    assert_eq!(rows.collect::<BTreeMap<_, _>>(), codes.collect());
}

#[test]
fn what_the_page_shows_of_adding_a_task_stands_in_the_sources() {
    let (_, adding) = TASKS.split_once("\n## Adding one\n").unwrap();
    let parts: Vec<_> = adding.split("```").collect();
    let mut files = BTreeSet::new();
    let mut needed = 0;
    for block in parts.chunks_exact(2) {
        let [told, shown] = block else { unreachable!() };
        let file = quoted(told).find(|word| word.ends_with(".rs")).unwrap_or_else(|| panic!("of which file? {told}"));
        let source = std::fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let mut stands = source.lines();
        for line in shown.strip_prefix("rust\n").unwrap().lines() {
            assert!(stands.any(|other| other == line), "not in {file}, or not there: {line}");
        }
        files.insert(file);
        if !told.contains("may start it") {
            needed += shown.lines().skip(1).filter(|line| !line.is_empty()).count();
        }
    }
    assert_eq!(files.len(), 4, "{files:?}");
    assert_eq!(needed, 19, "as the page says");
}

#[test]
fn every_dependency_is_explained() {
    let manifest: toml::Table = include_str!("../../Cargo.toml").parse().unwrap();
    let tables = ["dependencies", "dev-dependencies"].map(|table| manifest[table].as_table().unwrap());
    let used: BTreeSet<_> = tables.iter().flat_map(|table| table.keys().map(String::as_str)).collect();
    let (_, table) = ARCHITECTURE.split_once("| crate | why |").unwrap();
    let cells = table.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let explained: BTreeSet<_> =
        cells.filter(|cell| !cell.starts_with("---")).flat_map(|cell| cell.split(", ")).collect();
    assert_eq!(explained, used);
}
