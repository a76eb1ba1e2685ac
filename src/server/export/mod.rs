//! A room as a zip that stands for itself: its conversation as HTML, its log as JSON, and its files. Read and written
//! a part at a time, so that a room of any size takes the same memory. Blocks its thread while it writes.

mod archive;
mod log_json;
mod portable;

pub use archive::Bounds;

use crate::domain::{RoomId, Seq, Slug};
use crate::i18n::Locale;
use crate::protocol::{Attached, Event, EventKind};
use crate::server::files::{Files, FilesError, Name, Part as FilePart};
use crate::server::store::{Budget, Store, StoreError};
use crate::ui::plain::transcript::{Listed, Part, Transcript, part_name};
use archive::Archive;
use chrono::{DateTime, Offset};
use chrono_tz::Tz;
use futures_util::TryStreamExt;
use log_json::LogJson;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use portable::name_for_all;
use std::collections::HashSet;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Events of a page of the transcript, and so of what is held in memory.
const PART: Budget = Budget { events: 1_000, bytes: 4 * 1024 * 1024 };

const STYLE: &str = include_str!("../../../style/transcript.css");

/// What of a path means something else in an address.
const IN_A_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?').add(b'`');

/// What is exported, and for whom.
pub struct Wanted<'a> {
    pub room: RoomId,
    pub slug: &'a Slug,
    pub name: &'a str,
    /// Where its log stands: what comes later is left out.
    pub head: Seq,
    pub by: &'a str,
    pub locale: Locale,
    pub zone: Tz,
    /// Unix milliseconds.
    pub at: i64,
}

/// Where it comes from and what it may take.
pub struct Place<'a> {
    pub store: &'a dyn Store,
    pub files: &'a Files,
    /// A folder for this export alone.
    pub folder: &'a Path,
    pub bounds: Bounds,
}

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Files(#[from] FilesError),
    /// Beyond [`Bounds::bytes`].
    #[error("the archive would be too large")]
    TooLarge,
    /// Nearer to a full disk than [`Bounds::spare_bytes`].
    #[error("the disk has no room to spare")]
    NoSpace,
    #[error("the archive cannot be written: {0}")]
    Io(io::Error),
    /// Whoever was told how far it is does not want the rest.
    #[error("stopped")]
    Stopped,
}

impl From<io::Error> for ExportError {
    fn from(error: io::Error) -> ExportError {
        match error.kind() {
            ErrorKind::FileTooLarge => ExportError::TooLarge,
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => ExportError::NoSpace,
            _ => ExportError::Io(error),
        }
    }
}

impl From<zip::result::ZipError> for ExportError {
    fn from(error: zip::result::ZipError) -> ExportError {
        ExportError::from(io::Error::from(error))
    }
}

/// Makes the archive at `to` in the place's folder; its size in bytes. `told` hears which seq of how many is next, before
/// each part and each file, and says whether to go on. Messages are exported as they stand when they are read;
/// files that are gone are named and left out.
pub async fn export(
    place: &Place<'_>,
    wanted: &Wanted<'_>,
    to: &Path,
    told: impl Fn(Seq) -> bool + Sync,
) -> Result<u64, ExportError> {
    let offset_min = |at: i64| offset_min(wanted.zone, at);
    let transcript = Transcript {
        locale: wanted.locale,
        room: wanted.name,
        by: wanted.by,
        at: wanted.at,
        zone: wanted.zone.name(),
        offset_min: &offset_min,
    };
    let mut export = Export {
        archive: Archive::create(to, place.bounds, wanted.at)?,
        json: LogJson::create(&place.folder.join("room.json"), place.bounds, wanted)?,
        listed: Vec::new(),
        place,
        told: &told,
    };
    export.archive.entry("style.css", STYLE)?;
    let mut part = export.read(wanted, Seq::ZERO).await?;
    while let Some(last) = part.last().map(|event| event.seq) {
        let next = export.read(wanted, last).await?;
        export.add(&transcript, &part, next.is_empty()).await?;
        part = next;
    }
    export.archive.entry("index.html", &transcript.contents(&export.listed))?;
    export.archive.begin("room.json", false)?;
    let go_on = || if told(wanted.head) { Ok(()) } else { Err(ExportError::Stopped) };
    export.json.finish(&mut export.archive, go_on)?;
    export.archive.finish()
}

/// An export under way.
struct Export<'a, T> {
    archive: Archive,
    /// Gathered beside the archive, in which one entry is open at a time.
    json: LogJson,
    listed: Vec<Listed>,
    place: &'a Place<'a>,
    told: &'a T,
}

impl<T: Fn(Seq) -> bool> Export<'_, T> {
    /// The next events after `after`, none beyond the wanted head.
    async fn read(&self, wanted: &Wanted<'_>, after: Seq) -> Result<Vec<Event>, ExportError> {
        if after >= wanted.head {
            return Ok(Vec::new());
        }
        let mut events = self.place.store.events_within(wanted.room, after, PART).await?.events;
        events.retain(|event| event.seq <= wanted.head);
        Ok(events)
    }

    async fn add(&mut self, transcript: &Transcript<'_>, events: &[Event], is_last: bool) -> Result<(), ExportError> {
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(()) };
        let mut kept = HashSet::new();
        for (seq, file) in events.iter().flat_map(files_of) {
            self.go_on(seq)?;
            if self.add_file(file).await? {
                kept.insert(&file.id);
            }
        }
        self.go_on(last.seq)?;
        self.json.add(events)?;
        let number = u32::try_from(self.listed.len() + 1).unwrap_or(u32::MAX);
        let address = |file: &Attached| {
            kept.contains(&file.id).then(|| utf8_percent_encode(&path_of(file), IN_A_PATH).to_string())
        };
        let html = transcript.part(&Part { number, is_last, events, file: &address });
        self.archive.entry(&part_name(number), &html)?;
        let entries = events.iter().filter(|event| event.kind.makes_row()).count();
        let entries = u32::try_from(entries).unwrap_or(u32::MAX);
        self.listed.push(Listed { number, entries, first_at: first.at, last_at: last.at });
        Ok(())
    }

    /// Whether it was there.
    async fn add_file(&mut self, file: &Attached) -> Result<bool, ExportError> {
        let part = if file.width.is_some() { FilePart::Image } else { FilePart::Source };
        let Some(mut content) = self.place.files.get(&Name::new(file.id.as_str(), part)).await? else {
            return Ok(false);
        };
        self.archive.begin(&path_of(file), is_pressed(&file.media_type))?;
        while let Some(bytes) = content.stream.try_next().await.map_err(ExportError::Io)? {
            self.archive.write_all(&bytes)?;
        }
        Ok(true)
    }

    fn go_on(&self, seq: Seq) -> Result<(), ExportError> {
        if (self.told)(seq) { Ok(()) } else { Err(ExportError::Stopped) }
    }
}

fn files_of(event: &Event) -> impl Iterator<Item = (Seq, &Attached)> {
    let files = match &event.kind {
        EventKind::Posted { files, .. } => files.as_slice(),
        _ => &[],
    };
    files.iter().map(|file| (event.seq, file))
}

/// Where a file is in the archive: a folder of its own.
fn path_of(file: &Attached) -> String {
    format!("files/{}/{}", file.id.as_str(), name_for_all(&file.name))
}

fn is_pressed(media_type: &str) -> bool {
    let kind = media_type.split('/').next().unwrap_or_default();
    matches!(kind, "image" | "video" | "audio") || media_type.ends_with("zip")
}

/// Minutes east of UTC.
pub fn offset_min(zone: Tz, at: i64) -> i32 {
    let at = DateTime::from_timestamp_millis(at).unwrap_or_default();
    at.with_timezone(&zone).offset().fix().local_minus_utc() / 60
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::FileId;

    #[test]
    fn a_file_has_a_folder_of_its_own_and_a_name_for_all_systems() {
        let id = FileId::from_random([1; 16]);
        let file =
            Attached { id, name: "nul.txt".into(), media_type: "a/b".into(), bytes: 0, width: None, height: None };
        assert_eq!(path_of(&file), "files/01010101010101010101010101010101/_nul.txt");
    }

    #[test]
    fn times_are_those_of_the_zone() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis();
        assert_eq!(offset_min(Tz::Asia__Seoul, at("2026-11-29T00:00:00Z")), 540);
        assert_eq!(offset_min(Tz::Europe__Berlin, at("2026-07-01T00:00:00Z")), 120);
        assert_eq!(offset_min(Tz::Europe__Berlin, at("2026-12-01T00:00:00Z")), 60);
    }
}
