use super::*;
use std::path::Path;

struct Sources {
    flags: Flags,
    environment: Vec<(&'static str, &'static str)>,
    file: &'static str,
}

impl Sources {
    fn read(&self) -> Result<Config, String> {
        let file = SettingsFile::parse(Path::new("Leptos.toml"), self.file.to_owned()).map_err(|e| e.to_string())?;
        let environment = |name: &str| {
            self.environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let layers = Layers { flags: &self.flags, environment: &environment, file: Some(&file) };
        Config::from_layers(&layers).map_err(|error| error.to_string())
    }
}

fn flag(name: &'static str, value: &str) -> Sources {
    Sources { flags: Flags::default().with(name, [value.to_owned()]), environment: Vec::new(), file: "" }
}

fn environment(name: &'static str, value: &'static str) -> Sources {
    Sources { flags: Flags::default(), environment: vec![(name, value)], file: "" }
}

#[test]
fn flag_beats_environment_beats_file_beats_default() {
    let mut sources = Sources {
        flags: Flags::default().with("listen", ["127.0.0.1:1".to_owned()]),
        environment: vec![("PICKMATE_LISTEN", "127.0.0.1:2")],
        file: "[pickmate]\nlisten = \"127.0.0.1:4\"\n",
    };
    let port = |sources: &Sources| sources.read().unwrap().listen.port();
    assert_eq!(port(&sources), 1);
    sources.flags = Flags::default();
    assert_eq!(port(&sources), 2);
    sources.environment.clear();
    assert_eq!(port(&sources), 4);
    sources.file = "";
    assert_eq!(port(&sources), 3000);
}

#[test]
fn limits_from_all_sources_add_up() {
    let sources = Sources {
        flags: Flags::default().with(LIMIT, ["page_rows=3".to_owned()]),
        environment: vec![("PICKMATE_LIMIT", "page_rows=2, session_days=2")],
        file: "[pickmate.limits]\npage_rows = 1\nsession_days = 1\nreset_hours = 1\n",
    };
    let limits = sources.read().unwrap().limits;
    assert_eq!((limits.page_rows, limits.session_days, limits.reset_hours), (3, 2, 1));
}

#[test]
fn a_wrong_value_is_named_with_its_source() {
    let sentence = |sources: Sources| sources.read().unwrap_err();
    assert_eq!(
        sentence(environment("PICKMATE_LISTEN", "abc")),
        "PICKMATE_LISTEN: `abc` is not an address like 127.0.0.1:3000"
    );
    assert_eq!(
        sentence(flag("public-url", "chat.example.org")),
        "--public-url: `chat.example.org` is not an address like https://chat.example.org"
    );
    assert_eq!(sentence(flag("limit", "page_rows=0")), {
        "--limit: `page_rows=0`: it is a whole number from 1 to 300"
    });
    assert_eq!(sentence(flag("limit", "pages=1")), "--limit: `pages=1`: there is no such limit");
    assert_eq!(sentence(flag("limit", "page_rows")), "--limit: `page_rows`: a limit is written NAME=NUMBER");
    assert_eq!(
        sentence(flag("limit", "silence_ms=8000")),
        "the limit ping_every_ms is 8000, which is not below silence_ms with 8000"
    );
    assert_eq!(sentence(environment("PICKMATE_NO_RATE_LIMIT", "yes")), {
        "PICKMATE_NO_RATE_LIMIT: `yes` is not `true` or `false`"
    });
    assert_eq!(
        sentence(environment("PICKMATE_DATABASE", "mysql://mina:secret@db/chat")),
        "PICKMATE_DATABASE: `mysql://mina:***@db/chat` is not an address like postgres://pickmate@localhost/pickmate"
    );
    let file = Sources { file: "[pickmate]\ntrusted-proxy = [\"10.0.0.0/33\"]\n", ..flag("data", "d") };
    assert_eq!(
        sentence(file),
        "Leptos.toml [pickmate] trusted-proxy: `10.0.0.0/33` is not a network like 10.0.0.0/8 or an address"
    );
}

#[test]
fn a_password_of_redis_is_never_repeated() {
    let wrong = environment("PICKMATE_REDIS", "redis://:secret@host:port").read().unwrap_err();
    assert_eq!(wrong, "PICKMATE_REDIS: `redis://…@host:port` is not an address like redis://127.0.0.1:6379");
    let config = environment("PICKMATE_REDIS", "rediss://:secret@host").read().unwrap();
    assert!(config.redis.is_some() && !format!("{config:?}").contains("secret"), "{config:?}");
}

#[test]
fn a_secret_of_the_files_is_never_repeated() {
    let wrong = environment("PICKMATE_FILES", "s3+https://key:secret@host").read().unwrap_err();
    assert_eq!(wrong, {
        "PICKMATE_FILES: `s3+https://…@host` is not an address like s3+https://KEY:SECRET@s3.example.org/BUCKET"
    });
    let config = environment("PICKMATE_FILES", "s3+https://key:secret@host/bucket").read().unwrap();
    assert!(config.files.is_some() && !format!("{config:?}").contains("secret"), "{config:?}");
}

#[test]
fn a_message_fits_what_carries_it_however_it_is_escaped() {
    let sentence = |limits: &'static str| environment("PICKMATE_LIMIT", limits).read();
    assert_eq!(
        sentence("body_bytes=65535, request_bytes=1000000").unwrap_err(),
        "the limit frame_bytes is 65536; a message of body_bytes with 65535 needs at least 197117"
    );
    assert_eq!(
        sentence("request_bytes=49663").unwrap_err(),
        "the limit request_bytes is 49663; a message of body_bytes with 16384 needs at least 49664"
    );
    assert!(sentence("request_bytes=49664, frame_bytes=49664").is_ok());
}

#[test]
fn a_public_url_reads_as_a_browser_writes_it() {
    assert_eq!(origin("https://Chat.Example.org:443/").as_deref(), Some("https://chat.example.org"));
    assert_eq!(origin("http://localhost:3000").as_deref(), Some("http://localhost:3000"));
    for bad in ["https://a/b", "https://a/?x", "ftp://a", "https://", "https://me@a", "https://a/#x"] {
        assert_eq!(origin(bad), None, "{bad}");
    }
}

#[test]
fn a_config_shows_no_password() {
    let config = environment("PICKMATE_DATABASE", "postgres://mina:secret@db/chat").read().unwrap();
    let shown = format!("{config:?}");
    assert!(shown.contains("postgres://mina:***@db/chat") && !shown.contains("secret"), "{shown}");
}

#[test]
fn proxies_are_networks_or_addresses() {
    let config = environment("PICKMATE_TRUSTED_PROXY", "10.0.0.0/8, ::1").read().unwrap();
    assert_eq!(config.trusted_proxies, ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
}

#[test]
fn private_networks_are_reached_only_when_told() {
    let Config { outgoing_allow, preview_allow, .. } = Config::default();
    assert_eq!((outgoing_allow, preview_allow), (vec![], vec![]));
    let config = environment("PICKMATE_PREVIEW_ALLOW", "10.0.0.0/8").read().unwrap();
    assert_eq!((config.preview_allow, config.outgoing_allow), (vec!["10.0.0.0/8".parse().unwrap()], vec![]));
    let config = environment("PICKMATE_OUTGOING_ALLOW", "10.0.0.0/8, 192.168.1.7").read().unwrap();
    assert_eq!(config.outgoing_allow, ["10.0.0.0/8".parse().unwrap(), "192.168.1.7/32".parse().unwrap()]);
    assert!(environment("PICKMATE_OUTGOING_ALLOW", "localhost").read().is_err());
}

#[test]
fn networks_are_refused_and_previews_left_out_when_told() {
    let Config { outgoing_refuse, previews, .. } = Config::default();
    assert_eq!((outgoing_refuse, previews), (vec![], true));
    let config = environment("PICKMATE_OUTGOING_REFUSE", "203.0.113.0/24,::1").read().unwrap();
    assert_eq!(config.outgoing_refuse, ["203.0.113.0/24".parse().unwrap(), "::1/128".parse().unwrap()]);
    let config = environment("PICKMATE_OUTGOING_REFUSE", "::ffff:203.0.113.0/120,::ffff:10.0.0.1,::/0").read().unwrap();
    let networks = ["203.0.113.0/24", "10.0.0.1/32", "::/0"].map(|network| network.parse().unwrap());
    assert_eq!(config.outgoing_refuse, networks, "an IPv4 network written as an IPv6 one is the same");
    assert!(!flag("previews", "false").read().unwrap().previews);
    assert!(flag("previews", "true").read().unwrap().previews);
    assert!(flag("previews", "no").read().is_err());
}

#[test]
fn a_refusal_is_one_line_whatever_the_value() {
    let refused = [
        flag("listen", "a\nb\u{1b}[31m").read(),
        flag(LIMIT, "a\nb=1").read(),
        Sources { flags: Flags::default(), environment: Vec::new(), file: "[\"a\\nb\"]" }.read(),
        Sources { flags: Flags::default(), environment: Vec::new(), file: "[pickmate]\n\"a\\nb\" = 1" }.read(),
    ];
    for refused in refused {
        let sentence = refused.unwrap_err();
        assert!(!sentence.contains(char::is_control) && sentence.contains("a\\nb"), "{sentence:?}");
    }
}
