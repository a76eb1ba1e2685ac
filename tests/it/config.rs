use crate::command::Machine;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pickmate::server::config::{LIMIT, LIMITS, Limits, SETTINGS, variable};
use std::io::{BufRead, BufReader};

const PAGE: &str = include_str!("../../docs/configuration.md");
const LEPTOS_TOML: &str = include_str!("../../Leptos.toml");

#[test]
fn every_setting_is_documented() {
    for name in SETTINGS.into_iter().chain([LIMIT, "config"]) {
        let row = format!("| `--{name}` | `{}` |", variable(name));
        assert!(PAGE.contains(&row), "docs/configuration.md misses {row}");
    }
    for name in SETTINGS {
        assert!(LEPTOS_TOML.contains(&format!("\n# {name} = ")), "Leptos.toml misses {name}");
    }
}

#[test]
fn every_limit_is_documented_as_it_is() {
    let default = Limits::default();
    for limit in LIMITS {
        let (value, from, to) = (limit.of(&default), limit.range.start(), limit.range.end());
        let row = format!("| `{}` | {value} | {from} | {to} | {} |\n", limit.name, limit.doc);
        assert!(PAGE.contains(&row), "docs/configuration.md misses {row}");
        let line = format!("\n# {} = {value}\n", limit.name);
        assert!(LEPTOS_TOML.contains(&line), "Leptos.toml misses {line}");
    }
    assert_eq!(PAGE.matches("\n| `").count(), LIMITS.len() + SETTINGS.len() + 2, "rows that describe nothing");
}

#[test]
fn a_wrong_setting_ends_the_start_with_status_2_and_one_sentence() {
    let mut machine = Machine::new();
    machine.set("PICKMATE_LISTEN", "abc");
    let said = machine.run("serve", "");
    assert_eq!((said.status, said.out.as_str()), (Some(2), ""));
    assert_eq!(said.err, "pickmate: PICKMATE_LISTEN: `abc` is not an address like 127.0.0.1:3000\n");
    assert_eq!(machine.run("admin token create mina", "").status, Some(2));
}

#[test]
fn wrong_log_directives_are_named() {
    let mut machine = Machine::new();
    machine.set("RUST_LOG", "a=b=c");
    let said = machine.run("serve", "");
    let expected = "pickmate: RUST_LOG: `a=b=c` is not a list like info,pickmate=debug\n";
    assert_eq!((said.status, said.err.as_str()), (Some(2), expected));
}

#[test]
fn a_site_that_is_not_built_is_named() {
    let mut machine = Machine::new();
    machine.set("LEPTOS_SITE_ROOT", "nowhere");
    let said = machine.run("serve --listen 127.0.0.1:0", "");
    assert_eq!(said.status, Some(2), "{}", said.err);
    assert!(said.err.starts_with("pickmate: there is no built site at nowhere: run `make build`"), "{}", said.err);
}

#[test]
fn the_file_in_the_working_directory_is_read() {
    let machine = Machine::new();
    std::fs::write(machine.path("Leptos.toml"), "[pickmate.limits]\npage_rows = 0\n").unwrap();
    let expected = "pickmate: Leptos.toml [pickmate.limits]: `page_rows=0`: it is a whole number from 1 to 300\n";
    assert_eq!(machine.run("serve", "").err, expected);
}

#[test]
fn serve_prints_where_it_is_and_the_set_up_link_until_there_is_an_owner() {
    let machine = Machine::new();
    let first = served(&machine);
    let address = first[0].strip_prefix("PickMate serves on http://127.0.0.1:").unwrap();
    assert!(address.parse::<u16>().is_ok_and(|port| port != 0), "{address}");
    assert!(first[1].contains(&format!(" http://127.0.0.1:{address}/set-up/")), "{first:?}");
    assert_eq!(machine.run("admin user create mina --password-stdin --owner", "correct horse").status, Some(0));
    assert_eq!(served(&machine).len(), 1);
}

#[test]
fn serve_on_all_addresses_prints_one_that_can_be_visited_also_for_resets() {
    let machine = Machine::new();
    assert_eq!(machine.run("admin user create mina --password-stdin --owner", "correct horse").status, Some(0));
    let printed = served_with(&machine, "serve --listen 0.0.0.0:0");
    let address = printed[0].strip_prefix("PickMate serves on ").unwrap();
    assert!(address.starts_with("http://127.0.0.1:"), "{address}");
    let reset = machine.run("admin user reset mina", "").out;
    assert!(reset.starts_with(&format!("{address}/reset/")), "{reset}");
}

/// What a node prints from its start to its stop by SIGTERM, which a terminal and a wrapper send.
fn served(machine: &Machine) -> Vec<String> {
    served_with(machine, "serve --listen 127.0.0.1:0")
}

fn served_with(machine: &Machine, arguments: &str) -> Vec<String> {
    let mut child = machine.start(arguments);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut printed = vec![lines.next().expect("a first line")];
    let process = Pid::from_raw(i32::try_from(child.id()).unwrap());
    kill(process, Signal::SIGTERM).unwrap();
    kill(process, Signal::SIGTERM).unwrap();
    printed.extend(lines);
    assert!(child.wait_with_output().unwrap().status.success());
    printed
}
