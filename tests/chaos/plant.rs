//! Bugs that are planted to see the oracle find them.

use pickmate::protocol::Event;
use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// A writer is told that a post is on disk, which was never sent.
    LostAck,
    /// A reader is not given one frame.
    LostFrame,
    /// A writer tries again under another key.
    DoubledPost,
    /// A reader is given one frame twice.
    DoubledFrame,
    /// A writer's second post is sent before its first.
    ReorderedPosts,
    /// A reader is given two frames in the wrong order.
    ReorderedFrames,
}

impl Plant {
    pub const ALL: [(&'static str, Plant); 6] = [
        ("lost", Plant::LostAck),
        ("lost-frame", Plant::LostFrame),
        ("doubled", Plant::DoubledPost),
        ("doubled-frame", Plant::DoubledFrame),
        ("reordered", Plant::ReorderedPosts),
        ("reordered-frames", Plant::ReorderedFrames),
    ];
}

impl FromStr for Plant {
    type Err = String;

    fn from_str(name: &str) -> Result<Plant, String> {
        let known = Plant::ALL.iter().find(|(known, _)| *known == name);
        let names = || Plant::ALL.map(|(name, _)| name).join(", ");
        known.map(|(_, plant)| *plant).ok_or_else(|| format!("one of {}", names()))
    }
}

/// Where frames of one reader pass between the socket and everything that looks at them.
pub struct Tap {
    plant: Option<Plant>,
    passed: u32,
    held: Option<Vec<Event>>,
}

/// The frame before it passes untouched. Early, because few frames may carry all that there is.
const BROKEN_FRAME: u32 = 2;

impl Tap {
    pub fn new(plant: Option<Plant>) -> Tap {
        Tap { plant, passed: 0, held: None }
    }

    /// The lists that arrive when `list` was sent.
    pub fn pass(&mut self, list: Vec<Event>) -> Vec<Vec<Event>> {
        self.passed += 1;
        let broken = self.passed == BROKEN_FRAME;
        match self.plant {
            Some(Plant::LostFrame) if broken => Vec::new(),
            Some(Plant::DoubledFrame) if broken => vec![list.clone(), list],
            Some(Plant::ReorderedFrames) if broken && list.len() > 1 => {
                // Two frames that were gathered into one.
                let (first, second) = list.split_at(list.len() / 2);
                vec![second.to_vec(), first.to_vec()]
            }
            Some(Plant::ReorderedFrames) if broken => {
                self.held = Some(list);
                Vec::new()
            }
            _ => [Some(list), self.held.take()].into_iter().flatten().collect(),
        }
    }
}
