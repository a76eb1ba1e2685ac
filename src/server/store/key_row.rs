//! A key between the table `keys` and the commands that carry it.

use super::columns::{damaged, seq_column, seq_from};
use super::event_row::json;
use super::plan::Answer;
use super::{Committed, Fingerprint, Intent, Refusal, StoreError};
use crate::domain::{RoomId, Seq, Slug};
use data_encoding::HEXLOWER;
use serde::Serialize;

/// The scope of keys for what is done outside of rooms. No room has this id.
pub(super) const OUTSIDE: RoomId = RoomId(0);

/// A key about to be stored with the change it stands for.
#[derive(Clone, Debug)]
pub(super) struct NewKey {
    pub scope: RoomId,
    pub intent: Intent,
    pub print: Fingerprint,
    pub room: RoomId,
    pub seq: Option<Seq>,
    /// Unix milliseconds; `None` lives as long as the message.
    pub expires_at: Option<i64>,
}

/// A row for the table `keys`.
#[derive(Serialize)]
pub(super) struct KeyColumns<'a> {
    scope: i64,
    actor: i64,
    key: &'a str,
    fingerprint: String,
    room: i64,
    seq: Option<i64>,
    expires_at: Option<i64>,
}

impl NewKey {
    pub fn columns(&self) -> KeyColumns<'_> {
        KeyColumns {
            scope: self.scope.0,
            actor: self.intent.actor.0,
            key: self.intent.key.as_str(),
            fingerprint: HEXLOWER.encode(self.print.bytes()),
            room: self.room.0,
            seq: self.seq.map(seq_column),
            expires_at: self.expires_at,
        }
    }
}

/// Keys as the bulk statement takes them.
pub(super) fn key_rows(keys: &[NewKey]) -> Result<String, StoreError> {
    json(&keys.iter().map(NewKey::columns).collect::<Vec<_>>())
}

/// Room, its address, seq and fingerprint.
pub(super) type KnownKeyRow = (i64, String, Option<i64>, Vec<u8>);

/// What a key was used for.
#[derive(Clone, Debug)]
pub(super) struct KnownKey {
    pub room: RoomId,
    pub slug: Slug,
    pub seq: Option<Seq>,
    pub fingerprint: Vec<u8>,
}

impl KnownKey {
    pub fn from_row((room, slug, seq, fingerprint): KnownKeyRow) -> Result<KnownKey, StoreError> {
        let slug = Slug::parse(&slug).map_err(|_| damaged("room's address", slug))?;
        Ok(KnownKey { room: RoomId(room), slug, seq: seq.map(seq_from).transpose()?, fingerprint })
    }

    /// The first ack, if this is the command that the key was used for.
    pub fn answer(self, print: &Fingerprint) -> Answer {
        match print.is(&self.fingerprint) {
            true => Ok(Committed { room: self.room, slug: self.slug, seq: self.seq, repeated: true }),
            false => Err(Refusal::KeyReused),
        }
    }
}
