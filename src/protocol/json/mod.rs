//! JSON as the browser reads it. The wire and the serde derives are those of the server; the reader
//! is a small one, because a browser has to load it: `serde_json` brings number formatting and error
//! sentences that nobody sees there, and reads every struct from arrays too.

mod codec;
mod reader;
#[cfg(test)]
mod tests;
mod typed;

pub use codec::{Answer, AnswerEncoding};
pub use reader::{Unreadable, read};
