//! What a command finds before its run, between an engine's columns and the plan.

use super::StoreError;
use super::columns::{access_from, seq_from};
use super::key_row::KnownKey;
use super::plan::{Body, Found, FoundRoom, Message, Speech};
use crate::domain::{RoomId, UserId};
use data_encoding::HEXUPPER;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

/// A command's room, its author, whether it is a member, what its key was used for, the message that it
/// changes, and whether it names another epoch. As a row, or as a JSON array in the order of the fields, where truth
/// is a number and bytes are hexadecimal digits.
#[derive(Deserialize)]
pub(super) struct FoundRow {
    room: Option<i64>,
    access: Option<String>,
    head: Option<i64>,
    author_name: Option<String>,
    #[serde(deserialize_with = "truth")]
    member: bool,
    /// `None`: the key is not known.
    #[serde(deserialize_with = "bytes")]
    fingerprint: Option<Vec<u8>>,
    known_seq: Option<i64>,
    target_author: Option<i64>,
    target_rev: Option<i64>,
    body_id: Option<i64>,
    body: Option<String>,
    previews_id: Option<i64>,
    #[serde(deserialize_with = "truth")]
    other_epoch: bool,
}

fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::<u8>::deserialize(deserializer)? == Some(1))
}

fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
    let digits = Option::<String>::deserialize(deserializer)?;
    digits.map(|digits| HEXUPPER.decode(digits.as_bytes()).map_err(D::Error::custom)).transpose()
}

impl<'r, R: Row> FromRow<'r, R> for FoundRow
where
    usize: ColumnIndex<R>,
    bool: Decode<'r, R::Database> + Type<R::Database>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    String: Decode<'r, R::Database> + Type<R::Database>,
    Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<FoundRow, sqlx::Error> {
        Ok(FoundRow {
            room: row.try_get(0)?,
            access: row.try_get(1)?,
            head: row.try_get(2)?,
            author_name: row.try_get(3)?,
            member: row.try_get(4)?,
            fingerprint: row.try_get(5)?,
            known_seq: row.try_get(6)?,
            target_author: row.try_get(7)?,
            target_rev: row.try_get(8)?,
            body_id: row.try_get(9)?,
            body: row.try_get(10)?,
            previews_id: row.try_get(11)?,
            other_epoch: row.try_get(12)?,
        })
    }
}

impl FoundRow {
    pub fn found(self, speech: &Speech<'_>) -> Result<Found, StoreError> {
        let room = match (self.room, self.access, self.head) {
            (Some(id), Some(access), Some(head)) => {
                Some(FoundRoom { id: RoomId(id), access: access_from(&access)?, head: seq_from(head)? })
            }
            _ => None,
        };
        let known = match (room, self.fingerprint) {
            (Some(room), Some(fingerprint)) => {
                let seq = self.known_seq.map(seq_from).transpose()?;
                Some(KnownKey { room: room.id, slug: speech.room.clone(), seq, fingerprint })
            }
            _ => None,
        };
        let target = match (self.target_author, self.target_rev) {
            (Some(author), Some(rev)) => {
                let body = self.body.map(|text| Body { text, id: self.body_id });
                Some(Message { author: UserId(author), rev: seq_from(rev)?, body, previews: self.previews_id })
            }
            _ => None,
        };
        let (author_name, member, other_epoch) = (self.author_name, self.member, self.other_epoch);
        Ok(Found { room, author_name, member, known, target, other_epoch })
    }
}
