use super::Policy;
use crate::domain::{FileId, Lane, Seq, Slug};
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
    pub seconds: Option<u8>,
}

impl Payload for Demo {
    const NAME: &'static str = "demo";
    const LANE: Lane = Lane::Io;
}

/// Exports the room that it is about.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Export {
    /// IANA time zone of what people read; UTC where it names none.
    #[serde(default)]
    pub zone: String,
}

impl Payload for Export {
    const NAME: &'static str = "export";
    const LANE: Lane = Lane::Blocking;
    // A run that was cut off begins from the start, and may be large.
    const POLICY: Policy = Policy { attempts: 3, ..Policy::within(3_600) };
}

/// Lets go of what rooms keep no longer.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Retention {}

impl Payload for Retention {
    const NAME: &'static str = "retention";
    const LANE: Lane = Lane::Io;
    const POLICY: Policy = Policy::within(3_600);
}

/// Counts the primes below a number: computes and does nothing else, as the note's example of what an event loop
/// cannot bear.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Primes {
    #[serde(default = "twenty_millions")]
    pub below: u64,
}

fn twenty_millions() -> u64 {
    20_000_000
}

impl Payload for Primes {
    const NAME: &'static str = "primes";
    const LANE: Lane = Lane::Cpu;
    const POLICY: Policy = Policy { attempts: 2, ..Policy::within(300) };
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

/// Makes an uploaded image anew.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Image {
    pub file: FileId,
}

impl Payload for Image {
    const NAME: &'static str = "image";
    const LANE: Lane = Lane::Cpu;
    // How long the child may take is a setting. Somebody waits for it.
    const POLICY: Policy = Policy { priority: 10, ..Policy::within(3_600) };
}

/// Shows the room what the links of a message lead to.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Preview {
    /// `None`: the message that caused it.
    pub target: Option<Seq>,
}

impl Payload for Preview {
    const NAME: &'static str = "preview";
    const LANE: Lane = Lane::Io;
    // Somebody looks at the message. Longer than the longest request may take.
    const POLICY: Policy = Policy { attempts: 3, pause: Duration::from_secs(5), ..Policy::within(90) };
}

/// Sends a webhook what is due for it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Webhook {
    pub webhook: i64,
}

impl Payload for Webhook {
    const NAME: &'static str = "webhook";
    const LANE: Lane = Lane::Io;
    // What is still due afterwards gets another task, and each delivery has attempts of its own.
    const POLICY: Policy = Policy { attempts: 1, ..Policy::within(120) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhooks_task_of_before_is_read() {
        let read: Webhook = serde_json::from_str(r#"{"webhook":7,"until":1763800000000}"#).unwrap();
        assert_eq!(read.webhook, 7);
    }
}
