use crate::server::hub::wire::Wire;
use bytes::{Buf, Bytes};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;

/// Frames that are handed to the system in one call.
const FRAMES_A_WRITE: usize = 64;

/// What the system could not be given yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flushed {
    /// Nothing waits.
    Empty,
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
    /// `None` before the socket is open.
    wire: Option<Arc<dyn Wire>>,
    gone: bool,
}

impl Backlog {
    pub fn open(&mut self, wire: Arc<dyn Wire>) {
        self.wire = Some(wire);
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
        self.bytes += frame.len();
        self.frames.push_back(frame);
    }

    /// Leaves at once unless something waits before it, or its socket is full.
    pub fn send(&mut self, frame: &Bytes) {
        let idle = self.frames.is_empty() && !self.gone;
        let written = match &self.wire {
            Some(wire) if idle => wire.try_write(&[IoSlice::new(frame)]),
            _ => Ok(0),
        };
        let written = self.count(written);
        if written < frame.len() {
            self.push(frame.slice(written..));
        }
    }

    /// Gives the system all that it takes now.
    pub fn flush(&mut self) -> Flushed {
        let Some(wire) = self.wire.clone() else { return Flushed::Blocked };
        while !self.frames.is_empty() && !self.gone {
            let slices: Vec<_> = self.frames.iter().take(FRAMES_A_WRITE).map(|frame| IoSlice::new(frame)).collect();
            let written = wire.try_write(&slices);
            match self.count(written) {
                0 => break,
                written => self.leave(written),
            }
        }
        match (self.gone, self.frames.is_empty()) {
            (true, _) => Flushed::Gone,
            (false, true) => Flushed::Empty,
            (false, false) => Flushed::Blocked,
        }
    }

    fn count(&mut self, written: io::Result<usize>) -> usize {
        match written {
            Ok(written) => written,
            Err(error) => {
                self.gone |= error.kind() != ErrorKind::WouldBlock;
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
