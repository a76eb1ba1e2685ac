use super::{Bounds, ExportError, Wanted};
use crate::i18n::Locale;
use crate::protocol::Event;
use crate::server::export::archive::Bounded;
use serde_json::json;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

/// Names this shape of the file; another one when what it says changes.
const FORMAT: &str = "pickmate-room-1";

/// Bytes that are copied at a time.
const STRETCH: u64 = 1024 * 1024;

/// The log as one JSON object, gathered in a file: `format`, `room`, `exported_at`, `exported_by`, `head`, and `events` as
/// the HTTP API tells them.
pub struct LogJson {
    file: BufWriter<Bounded>,
    is_first: bool,
}

impl LogJson {
    pub fn create(path: &Path, bounds: Bounds, wanted: &Wanted<'_>) -> Result<LogJson, ExportError> {
        let mut file = BufWriter::new(Bounded::create(path, bounds)?);
        let about = json!({
            "format": FORMAT,
            "room": { "slug": wanted.slug, "name": wanted.name },
            "exported_at": Locale::datetime(wanted.at),
            "exported_by": wanted.by,
            "head": wanted.head,
        });
        let about = about.to_string();
        // Its events are written as they come.
        write!(file, "{},\"events\":[", about.strip_suffix('}').unwrap_or(&about))?;
        Ok(LogJson { file, is_first: true })
    }

    pub fn add(&mut self, events: &[Event]) -> Result<(), ExportError> {
        for event in events {
            let before = if std::mem::take(&mut self.is_first) { "\n" } else { ",\n" };
            self.file.write_all(before.as_bytes())?;
            serde_json::to_writer(&mut self.file, event).map_err(io::Error::from)?;
        }
        Ok(())
    }

    /// Ends it and copies it to `to`, a stretch at a time, as long as `go_on` lets it.
    pub fn finish(
        &mut self,
        to: &mut impl Write,
        go_on: impl Fn() -> Result<(), ExportError>,
    ) -> Result<(), ExportError> {
        self.file.write_all(b"\n]}\n")?;
        self.file.flush()?;
        let file = self.file.get_mut();
        file.rewind()?;
        let mut file = BufReader::new(file);
        while io::copy(&mut (&mut file).take(STRETCH), to)? > 0 {
            go_on()?;
        }
        Ok(())
    }
}
