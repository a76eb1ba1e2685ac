//! The page of a room with fifty messages, made by the server for one who is signed in.

use crate::dialect::{Dialect, Start};
use crate::fleet::Fleet;
use crate::post::{Post, now};
use crate::process::Server;
use crate::report::Figures;
use anyhow::{Result, bail, ensure};
use memchr::memmem;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const MESSAGES: u64 = 50;

/// Before anything counts.
const WARM_UP: usize = 50;

pub fn run(server: &mut Server, time: Duration) -> Result<Figures> {
    let Dialect::PickMate { tokens } = &server.dialect else { bail!("it makes no pages") };
    let mut fleet = Fleet::new(&server.addrs, &server.dialect)?;
    fleet.connect(["room0".to_owned()], Start::Head)?;
    let begins = fleet.hindmost();
    for number in 0..MESSAGES {
        fleet.send(0, Post { number, due: now() })?;
    }
    while fleet.hindmost() < begins + MESSAGES {
        fleet.turn(Duration::from_millis(50), &mut |_, _| {})?;
    }
    let request =
        format!("GET /rooms/room0 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n", tokens[0]);
    let mut stream = TcpStream::connect(server.addrs[0])?;
    stream.set_nodelay(true)?;
    let mut page = Vec::new();
    for _ in 0..WARM_UP {
        fetch(&mut stream, &request, &mut page)?;
    }
    let shown = memmem::find_iter(&page, b"class=\"said\"").count() as u64;
    ensure!(shown >= MESSAGES, "the page shows {shown} messages");
    let (cpu, began, mut took) = (server.cpu_seconds()?, now(), Vec::new());
    while now() - began < time.as_nanos() as u64 {
        let asked = now();
        fetch(&mut stream, &request, &mut page)?;
        took.push(now() - asked);
    }
    let (seconds, cpu) = ((now() - began) as f64 / 1e9, server.cpu_seconds()? - cpu);
    took.sort_unstable();
    let pages = took.len() as f64;
    Ok(Figures::default()
        .with("pages/s", pages / seconds)
        .with("p99 ms", took[took.len() * 99 / 100] as f64 / 1e6)
        .with("CPU-ms per page", cpu / pages * 1e3)
        .with("kB per page", page.len() as f64 / 1e3))
}

/// Reads one answer, chunked or with a length.
fn fetch(stream: &mut TcpStream, request: &str, page: &mut Vec<u8>) -> Result<()> {
    stream.write_all(request.as_bytes())?;
    page.clear();
    let mut buffer = [0; 64 * 1_024];
    while !is_whole(page) {
        let read = stream.read(&mut buffer)?;
        ensure!(read > 0, "the server hung up");
        page.extend_from_slice(&buffer[..read]);
    }
    ensure!(page.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&page[..page.len().min(200)]));
    Ok(())
}

fn is_whole(answer: &[u8]) -> bool {
    let Some(head) = memmem::find(answer, b"\r\n\r\n") else { return false };
    let length = memmem::find(&answer[..head], b"content-length: ").map(|at| {
        let digits = answer[at + 16..].iter().take_while(|byte| byte.is_ascii_digit());
        digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'))
    });
    match length {
        Some(length) => answer.len() >= head + 4 + length,
        None => answer.ends_with(b"0\r\n\r\n"),
    }
}
