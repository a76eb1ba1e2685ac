//! What one writer means to do, and what became of it. Every intent has a key, and keeps it.

use crate::dice::Dice;
use pickmate::domain::Seq;
use pickmate::protocol::{ClientFrame, ErrorCode};
use tokio::time::Instant;

#[derive(Clone, Debug)]
pub enum What {
    Post { body: String },
    Edit { of: usize, body: String },
    Delete { of: usize },
}

#[derive(Clone, Debug)]
pub struct Intent {
    pub key: String,
    pub what: What,
    /// Connections on which it was sent, in order.
    pub sent_on: Vec<u64>,
    /// Connection and seq of each ack.
    pub acks: Vec<(u64, Seq)>,
    /// When it was first sent, and when it was first acked.
    pub sent_at: Option<Instant>,
    pub acked_at: Option<Instant>,
    /// Was told to come back later at least once.
    pub postponed: bool,
    /// Was refused for good.
    pub refused: Option<ErrorCode>,
}

impl Intent {
    pub fn seq(&self) -> Option<Seq> {
        self.acks.first().map(|(_, seq)| *seq)
    }

    pub fn is_settled(&self) -> bool {
        self.refused.is_some() || !self.acks.is_empty()
    }
}

/// What a writer may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repertoire {
    Posts,
    /// Posts, and edits and deletes of its own.
    Changes,
}

pub struct Ledger {
    pub author: String,
    /// Only one intent is under way at a time, so they are committed in their order.
    pub strict: bool,
    pub intents: Vec<Intent>,
    repertoire: Repertoire,
    /// Own posts that are acked and not deleted.
    alive: Vec<usize>,
    dice: Dice,
}

impl Ledger {
    pub fn new(author: &str, strict: bool, repertoire: Repertoire, dice: Dice) -> Ledger {
        Ledger { author: author.into(), strict, intents: Vec::new(), repertoire, alive: Vec::new(), dice }
    }

    pub fn posts(&self) -> usize {
        self.intents.iter().filter(|intent| matches!(intent.what, What::Post { .. })).count()
    }

    /// Decides on the next thing to do.
    pub fn intend(&mut self) -> usize {
        let changes = self.repertoire == Repertoire::Changes && !self.alive.is_empty();
        let what = match self.dice.between(0, 100) {
            0..8 if changes => What::Edit { of: self.a_live_one(), body: self.text() },
            8..12 if changes => What::Delete { of: self.bury_one() },
            _ => What::Post { body: self.text() },
        };
        self.add(what)
    }

    fn add(&mut self, what: What) -> usize {
        let number = self.intents.len();
        let key = format!("{}-{number}", self.author);
        self.intents.push(Intent {
            key,
            what,
            sent_on: Vec::new(),
            acks: Vec::new(),
            sent_at: None,
            acked_at: None,
            postponed: false,
            refused: None,
        });
        number
    }

    /// The same again under another key, as a client without idempotency would do.
    pub fn plant_twin(&mut self, number: usize) -> usize {
        let twin = self.add(self.intents[number].what.clone());
        self.intents[twin].key.push_str("-twin");
        twin
    }

    fn a_live_one(&mut self) -> usize {
        *self.dice.pick(&self.alive)
    }

    /// Chooses a post to delete; nothing more is intended with it.
    fn bury_one(&mut self) -> usize {
        let chosen = self.dice.between(0, self.alive.len() as u64) as usize;
        self.alive.swap_remove(chosen)
    }

    /// Unique, so that a body alone tells whose intent it is; sometimes long.
    fn text(&mut self) -> String {
        let words = if self.dice.once_in(40) { self.dice.between(200, 1_200) } else { self.dice.between(1, 20) };
        let words: Vec<_> =
            (0..words).map(|_| *self.dice.pick(&["밥", "먹자", "https://a.kr/", "\"", "\\", "🙂", "and"])).collect();
        format!("{} #{} {}", self.author, self.intents.len(), words.join(" "))
    }

    /// The command as a frame; `None` for a change of something that is not acked.
    pub fn frame(&self, room: &str, number: usize) -> Option<ClientFrame> {
        let Intent { key, what, .. } = &self.intents[number];
        let (room, key) = (room.to_owned(), key.clone());
        Some(match what {
            What::Post { body } => ClientFrame::Post { room, key, body: body.clone(), files: vec![] },
            What::Edit { of, body } => {
                ClientFrame::Edit { room, key, target: self.intents[*of].seq()?, body: body.clone(), epoch: None }
            }
            What::Delete { of } => ClientFrame::Delete { room, key, target: self.intents[*of].seq()?, epoch: None },
        })
    }

    pub fn number_of(&self, key: &str) -> Option<usize> {
        self.intents.iter().rposition(|intent| intent.key == key)
    }

    pub fn sent(&mut self, number: usize, connection: u64) {
        let intent = &mut self.intents[number];
        intent.sent_on.push(connection);
        intent.sent_at.get_or_insert_with(Instant::now);
    }

    /// Whether this is the first ack.
    pub fn acked(&mut self, number: usize, connection: u64, seq: Seq) -> bool {
        let intent = &mut self.intents[number];
        let first = intent.acks.is_empty();
        intent.acks.push((connection, seq));
        intent.acked_at.get_or_insert_with(Instant::now);
        if first && matches!(intent.what, What::Post { .. }) {
            self.alive.push(number);
        }
        first
    }

    /// A key that was acked before, to be sent once more.
    pub fn a_settled_one(&mut self) -> Option<usize> {
        let number = self.dice.between(0, self.intents.len() as u64) as usize;
        self.intents[number].acks.first().map(|_| number)
    }
}
