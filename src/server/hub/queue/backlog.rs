//! Frames between the hub and one socket.

use crate::server::hub::wire::Wire;
use bytes::{Buf, Bytes};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;

/// Frames that are handed to the system in one call.
const FRAMES_A_WRITE: usize = 64;

/// How far a flush came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flushed {
    /// All that had been put in before the mark has left.
    Done,
    /// The peer takes no more for now.
    Blocked,
    /// The peer is gone.
    Gone,
}

/// Frames on their way to one peer, in order: what its socket takes leaves at once, the rest waits.
#[derive(Default)]
pub struct Backlog {
    /// The first one may have been written in part, and is what is left of it.
    frames: VecDeque<Bytes>,
    bytes: usize,
    /// Bytes that were ever put in.
    put_in: u64,
    /// `None` before the socket is open.
    wire: Option<Arc<dyn Wire>>,
    gone: bool,
}

impl Backlog {
    /// `first` leave before whatever has been put in.
    pub fn open(&mut self, wire: Arc<dyn Wire>, first: impl DoubleEndedIterator<Item = Bytes>) {
        self.wire = Some(wire);
        for frame in first.rev() {
            self.count_in(&frame);
            self.frames.push_front(frame);
        }
    }

    /// What a flush has to get past for all to have left that is here now.
    pub fn mark(&self) -> u64 {
        self.put_in
    }

    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn frames(&self) -> usize {
        self.frames.len()
    }

    /// Waits for a flush, with all that comes until then.
    pub fn push(&mut self, frame: Bytes) {
        self.count_in(&frame);
        self.frames.push_back(frame);
    }

    fn count_in(&mut self, frame: &Bytes) {
        self.bytes += frame.len();
        self.put_in += frame.len() as u64;
    }

    /// Leaves at once unless something waits before it, or its socket is full.
    pub fn send(&mut self, frame: &Bytes) {
        let idle = self.frames.is_empty() && !self.gone;
        let written = match &self.wire {
            Some(wire) if idle => wire.try_write(&[IoSlice::new(frame)]),
            _ => Ok(0),
        };
        let written = self.count(written);
        self.put_in += written as u64;
        if written < frame.len() {
            self.push(frame.slice(written..));
        }
    }

    /// Gives the system all that it takes now.
    pub fn flush(&mut self, mark: u64) -> Flushed {
        let Some(wire) = self.wire.clone() else { return Flushed::Blocked };
        while !self.frames.is_empty() && !self.gone {
            let slices: Vec<_> = self.frames.iter().take(FRAMES_A_WRITE).map(|frame| IoSlice::new(frame)).collect();
            let written = wire.try_write(&slices);
            match self.count(written) {
                0 => break,
                written => self.leave(written),
            }
        }
        let left = self.put_in - self.bytes as u64;
        match self.gone {
            true => Flushed::Gone,
            false if left >= mark => Flushed::Done,
            false => Flushed::Blocked,
        }
    }

    fn count(&mut self, written: io::Result<usize>) -> usize {
        match written {
            Ok(written) => written,
            Err(error) => {
                self.gone |= !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted);
                0
            }
        }
    }

    fn leave(&mut self, mut written: usize) {
        self.bytes -= written;
        while let Some(first) = self.frames.front_mut()
            && written > 0
        {
            let here = written.min(first.len());
            first.advance(here);
            written -= here;
            if first.is_empty() {
                self.frames.pop_front();
            }
        }
        // A burst is over: an idle connection holds nothing of it.
        if self.frames.is_empty() {
            self.frames = VecDeque::new();
        }
    }
}
