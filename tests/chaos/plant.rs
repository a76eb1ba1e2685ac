//! Bugs that are planted to see the oracle find them.

use crate::oracle::Kind;
use pickmate::protocol::Event;
use std::str::FromStr;
use std::time::Duration;

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
    /// A reader is given one frame long after it came.
    LateFrame,
    /// A writer hears of its acks long after they came.
    LateAck,
}

impl Plant {
    /// The last two are of stages where time counts.
    pub const ALL: [Plant; 8] = [
        Plant::LostAck,
        Plant::LostFrame,
        Plant::DoubledPost,
        Plant::DoubledFrame,
        Plant::ReorderedPosts,
        Plant::ReorderedFrames,
        Plant::LateFrame,
        Plant::LateAck,
    ];

    pub const ACK_LATE_BY: Duration = Duration::from_secs(3);

    pub const FRAME_LATE_BY: Duration = Duration::from_millis(5_500);

    pub fn name(self) -> &'static str {
        match self {
            Plant::LostAck => "lost",
            Plant::LostFrame => "lost-frame",
            Plant::DoubledPost => "doubled",
            Plant::DoubledFrame => "doubled-frame",
            Plant::ReorderedPosts => "reordered",
            Plant::ReorderedFrames => "reordered-frames",
            Plant::LateFrame => "late-frame",
            Plant::LateAck => "late-ack",
        }
    }

    /// As what the oracle should complain of it.
    pub fn complaint(self) -> Kind {
        match self {
            Plant::LostAck | Plant::LostFrame => Kind::Lost,
            Plant::DoubledPost | Plant::DoubledFrame => Kind::Doubled,
            Plant::ReorderedPosts | Plant::ReorderedFrames => Kind::Reordered,
            Plant::LateFrame => Kind::Late,
            Plant::LateAck => Kind::Halted,
        }
    }
}

impl FromStr for Plant {
    type Err = String;

    fn from_str(name: &str) -> Result<Plant, String> {
        let names = || Plant::ALL.map(Plant::name).join(", ");
        Plant::ALL.into_iter().find(|plant| plant.name() == name).ok_or_else(|| format!("one of {}", names()))
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

    /// How long the next frame is under way.
    pub fn delay(&self) -> Duration {
        match self.plant {
            Some(Plant::LateFrame) if self.passed + 1 == BROKEN_FRAME => Plant::FRAME_LATE_BY,
            _ => Duration::ZERO,
        }
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
