use super::Policy;
use crate::domain::{Lane, Slug};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a kind of task is given. Stands as JSON in the store, so a later version has to read what an earlier one wrote.
pub trait Payload: Serialize + DeserializeOwned + Send + 'static {
    const NAME: &'static str;
    const LANE: Lane;
    const POLICY: Policy = Policy::DEFAULT;
}

/// Waits for five seconds, as the study note's `shared_task` does, or for another time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Demo {
    #[serde(default = "five")]
    pub seconds: u8,
}

fn five() -> u8 {
    5
}

impl Payload for Demo {
    const NAME: &'static str = "demo";
    const LANE: Lane = Lane::Io;
    const POLICY: Policy = Policy {
        attempts: 3,
        soft_limit: Duration::from_secs(270),
        hard_limit: Duration::from_secs(300),
        ..Policy::DEFAULT
    };
}

/// Says something in a room, as whoever enqueued it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Say {
    pub room: Slug,
    pub body: String,
}

impl Payload for Say {
    const NAME: &'static str = "say";
    const LANE: Lane = Lane::Io;
    // Somebody waits for it: it is tried for hours.
    const POLICY: Policy = Policy { attempts: 15, priority: 10, ..Policy::DEFAULT };
}
