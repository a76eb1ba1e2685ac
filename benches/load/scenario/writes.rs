//! The write path alone: posts by sockets that are in no room, so that nothing is delivered.

use crate::dialect::Start;
use crate::fleet::{Fleet, Heard};
use crate::post::{Post, now};
use crate::process::Server;
use crate::report::Figures;
use anyhow::Result;
use std::time::Duration;

const SOCKETS: usize = 16;

/// Before anything counts.
const WARM_UP: Duration = Duration::from_secs(1);

/// Posts on their way.
struct Posting<'a> {
    fleet: Fleet<'a>,
    rooms: usize,
    posted: u64,
    acked: u64,
}

/// `under_way` posts at any time, over `rooms` rooms.
pub fn run(server: &mut Server, under_way: usize, rooms: usize, time: Duration) -> Result<Figures> {
    let mut fleet = Fleet::new(&server.addrs, &server.dialect)?;
    fleet.connect((0..SOCKETS).map(|_| String::new()), Start::Nowhere)?;
    let mut posting = Posting { fleet, rooms, posted: 0, acked: 0 };
    for lane in 0..under_way {
        posting.post(lane % SOCKETS)?;
    }
    posting.drive(WARM_UP)?;
    let (acked, cpu, began) = (posting.acked, server.cpu_seconds()?, now());
    posting.drive(time)?;
    let posts = (posting.acked - acked) as f64;
    let seconds = (now() - began) as f64 / 1e9;
    let cpu = server.cpu_seconds()? - cpu;
    Ok(Figures::default().with("posts/s", posts / seconds).with("CPU-µs per post", cpu / posts * 1e6))
}

impl Posting<'_> {
    fn post(&mut self, socket: usize) -> Result<()> {
        self.posted += 1;
        let room = format!("room{}", self.posted % self.rooms as u64);
        self.fleet.send_to(socket, &room, Post { number: self.posted, due: now() })
    }

    fn drive(&mut self, time: Duration) -> Result<()> {
        let until = now() + time.as_nanos() as u64;
        while now() < until {
            let mut acked = Vec::new();
            self.fleet.turn(Duration::from_millis(5), &mut |socket, heard| {
                if matches!(heard, Heard::Ack) {
                    acked.push(socket);
                }
            })?;
            self.acked += acked.len() as u64;
            acked.into_iter().try_for_each(|socket| self.post(socket))?;
        }
        Ok(())
    }
}
