use super::{Context, Failure, Work};
use crate::domain::{CivilTime, FileId, FileName, Seq, Slug};
use crate::i18n::Locale;
use crate::protocol::Attached;
use crate::server::clock::now_ms;
use crate::server::export::{Bounds, ExportError, Place, Wanted, export, offset_min};
use crate::server::files::{Name, Part};
use crate::server::queue::Export;
use crate::server::store::{FileState, NewFile, ReadyFile, RoomView, User};
use chrono_tz::Tz;
use rand::Rng;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::Path;

const MEDIA_TYPE: &str = "application/zip";
const HOUR_MS: i64 = 60 * 60 * 1_000;

impl Work for Export {
    async fn run(self, context: &Context) -> Result<Value, Failure> {
        let (state, zone) = (&context.state, self.zone.parse().unwrap_or(Tz::UTC));
        let (user, room) = asked_for_by(context).await?;
        let limits = &state.config.limits;
        let workshop = state.files.workshop().map_err(unavailable)?;
        let place = Place {
            store: &*state.store,
            files: &state.files,
            folder: workshop.path(),
            bounds: Bounds { bytes: limits.export_bytes, spare_bytes: limits.spare_bytes },
        };
        let slug = Slug::parse(&room.summary.slug).map_err(unavailable)?;
        let wanted = Wanted {
            room: room.id,
            slug: &slug,
            name: &room.summary.name,
            head: room.summary.head,
            by: &user.name,
            locale: user.locale.unwrap_or(Locale::En),
            zone,
            at: now_ms(),
        };
        let told = |seq: Seq| {
            context.progress(seq.0, Some(wanted.head.0), None);
            context.check().is_ok()
        };
        let path = workshop.path().join("room.zip");
        let bytes = export(&place, &wanted, &path, told).await.map_err(failure)?;
        let name = name(&wanted);
        let id = keep(context, &user, &room, Made { path: &path, name: &name, bytes }).await?;
        Ok(json!({ "text": name, "link": format!("/files/{}", id.as_str()) }))
    }
}

/// Whoever started it, and the room, if it is one of theirs still.
async fn asked_for_by(context: &Context) -> Result<(User, RoomView), Failure> {
    let not_a_member = || Failure::give_up("not_a_member", "the room is not that of whoever started it any more");
    let (Some(user), Some(room)) = (context.task.data.actor, context.task.room) else {
        return Err(Failure::give_up("bad_arguments", "it names no room, or nobody"));
    };
    let store = &context.state.store;
    let user = store.user(user).await.map_err(unavailable)?.ok_or_else(not_a_member)?;
    let rooms = store.rooms(user.id).await.map_err(unavailable)?;
    let room = rooms.into_iter().find(|other| other.id == room && other.summary.member);
    Ok((user, room.ok_or_else(not_a_member)?))
}

/// An archive on this machine.
struct Made<'a> {
    path: &'a Path,
    name: &'a str,
    bytes: u64,
}

/// Keeps it for a while, for whoever may read the room. There once, however often the task is run: its key is the
/// task's own.
async fn keep(context: &Context, user: &User, room: &RoomView, made: Made<'_>) -> Result<FileId, Failure> {
    let (state, now) = (&context.state, now_ms());
    let shown = Attached {
        id: FileId::from_random(rand::rng().random()),
        name: made.name.to_owned(),
        media_type: MEDIA_TYPE.to_owned(),
        bytes: made.bytes,
        width: None,
        height: None,
    };
    let new = NewFile {
        room: room.id,
        uploader: user.id,
        key: context.key("archive"),
        hash: Sha256::digest(context.task.id.as_str()).into(),
        shown: shown.clone(),
        expires_at: now + i64::from(state.config.limits.export_hours) * HOUR_MS,
    };
    let file = state.store.put_file(new, now).await.map_err(unavailable)?;
    let id = file.shown.id;
    if file.state == FileState::Uploaded {
        state.files.put(&Name::new(id.as_str(), Part::Source), made.path).await.map_err(unavailable)?;
        let ready = ReadyFile { shown: Attached { id: id.clone(), ..shown }, thumbnail: None, shared: true };
        state.store.file_ready(&ready).await.map_err(unavailable)?;
    }
    Ok(id)
}

/// Of the room and the day.
fn name(wanted: &Wanted<'_>) -> String {
    let day = CivilTime::at(wanted.at, offset_min(wanted.zone, wanted.at));
    let name = format!("{} {:04}-{:02}-{:02}.zip", wanted.name, day.year, day.month, day.day);
    FileName::cleaned(&name).as_str().to_owned()
}

fn unavailable(error: impl std::fmt::Display) -> Failure {
    Failure::retry("unavailable", error.to_string())
}

fn failure(error: ExportError) -> Failure {
    match error {
        ExportError::Stopped => Failure::Stopped,
        ExportError::TooLarge => Failure::give_up("too_large", error),
        ExportError::NoSpace => Failure::give_up("disk_full", error),
        ExportError::Store(_) | ExportError::Files(_) | ExportError::Io(_) => unavailable(error),
    }
}
