//! What needs no machine around it: encoding, folding, Markdown, token buckets.

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use pickmate::client::timeline::Timeline;
use pickmate::domain::{Seq, Slug, UserId};
use pickmate::markdown;
use pickmate::protocol::{Author, ClientFrame, Event, EventKind, Page};
use pickmate::server::config::Config;
use pickmate::server::encode::{self, LogName};
use pickmate::server::limits::RateLimits;
use std::hint::black_box;

/// Events in one go: what a busy room gathers, and what a client that comes back is sent at once.
const SIZES: [u64; 3] = [1, 16, 200];

const BODY: &str = "내일 **회의**는 [여기](https://example.org/a?b=c)에서 해요. `cargo test` first, then lunch.";

fn posted(seq: u64) -> Event {
    let author = Author { id: 7, name: "민아".into() };
    let (key, body, seq) = (format!("k{seq}"), Some(BODY.to_owned()), Seq(seq));
    Event {
        seq,
        at: 1_763_800_000_000,
        kind: EventKind::Posted { key, author, body, rev: Some(seq), deleted: false, files: vec![], previews: None },
    }
}

fn encoding(c: &mut Criterion) {
    c.bench_function("encode one event", |b| {
        let event = posted(42);
        b.iter(|| encode::event(black_box(&event)));
    });
    let log =
        LogName { slug: Slug::from_name("점심").unwrap_or_else(|| unreachable!()), epoch: "0123456789abcdef".into() };
    let mut group = c.benchmark_group("join events into a frame");
    for size in SIZES {
        let events: Vec<Bytes> = (1..=size).map(|seq| encode::event(&posted(seq))).collect();
        let events: Vec<&Bytes> = events.iter().collect();
        group.throughput(Throughput::Elements(size));
        group.bench_function(size.to_string(), |b| b.iter(|| encode::events(&log, Seq(1), black_box(&events))));
    }
    group.finish();
    c.bench_function("decode a post", |b| {
        let frame = format!(r#"{{"type":"post","room":"general","key":"k1","body":"{BODY}"}}"#);
        b.iter(|| serde_json::from_str::<ClientFrame>(black_box(&frame)));
    });
}

fn folding(c: &mut Criterion) {
    let mut group = c.benchmark_group("fold events into a timeline");
    let page = || Page {
        epoch: "e".into(),
        head: Seq(50),
        rows: (1..=50).map(posted).collect(),
        older: false,
        progress: Vec::new(),
    };
    for size in SIZES {
        let events: Vec<Event> = (51..51 + size).map(posted).collect();
        group.throughput(Throughput::Elements(size));
        group.bench_function(size.to_string(), |b| {
            let fresh = || Timeline::from_page(page());
            b.iter_batched(fresh, |mut timeline| timeline.apply(black_box(&events)), BatchSize::SmallInput);
        });
    }
    group.finish();
}

fn reading(c: &mut Criterion) {
    let mut group = c.benchmark_group("parse Markdown");
    let long = format!("{BODY}\n").repeat(100);
    for (name, source) in [("a line", BODY), ("a hundred lines", &long)] {
        group.throughput(Throughput::Bytes(source.len() as u64));
        group.bench_function(name, |b| b.iter(|| markdown::parse(black_box(source))));
    }
    group.finish();
}

fn limiting(c: &mut Criterion) {
    let limits = RateLimits::new(&Config::default());
    let mut user = 0;
    c.bench_function("take a token", |b| {
        b.iter(|| {
            user = (user + 1) % 1_000;
            limits.frame(black_box(UserId(user)))
        });
    });
}

criterion_group!(pure, encoding, folding, reading, limiting);
criterion_main!(pure);
