//! A zip that grows on the disk, within its bounds.

use super::ExportError;
use crate::domain::CivilTime;
use crate::server::files::free_bytes;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The free space of the disk is looked at each time so much more has been written.
const LOOK_EVERY: u64 = 8 * 1024 * 1024;

/// What an export may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of the archive, and again of what is gathered beside it.
    pub bytes: u64,
    /// Bytes that stay free on the disk, for everything else that writes there.
    pub spare_bytes: u64,
}

/// A file that gives up at its bounds with [`ErrorKind::FileTooLarge`] or [`ErrorKind::StorageFull`]. What
/// is written after an error goes nowhere, so that whoever ends an archive in passing does no harm.
pub struct Bounded {
    file: File,
    bounds: Bounds,
    written: u64,
    looked_at: u64,
    given_up: bool,
}

impl Bounded {
    pub fn create(path: &Path, bounds: Bounds) -> io::Result<Bounded> {
        let file = File::options().read(true).write(true).create_new(true).open(path)?;
        let bounded = Bounded { file, bounds, written: 0, looked_at: 0, given_up: false };
        bounded.look()?;
        Ok(bounded)
    }

    fn look(&self) -> io::Result<()> {
        if free_bytes(&self.file)? < self.bounds.spare_bytes.saturating_add(LOOK_EVERY) {
            return Err(ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn admit(&mut self, bytes: u64) -> io::Result<()> {
        self.written += bytes;
        if self.written > self.bounds.bytes {
            return Err(ErrorKind::FileTooLarge.into());
        }
        if self.written - self.looked_at >= LOOK_EVERY {
            self.looked_at = self.written;
            self.look()?;
        }
        Ok(())
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.given_up {
            return Ok(bytes.len());
        }
        let written = self.admit(bytes.len() as u64).and_then(|()| self.file.write(bytes));
        self.given_up = written.as_ref().is_err_and(|error| error.kind() != ErrorKind::Interrupted);
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Bounded {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl Read for Bounded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.file.read(into)
    }
}

/// Its entries are written one after the other.
pub struct Archive {
    zip: ZipWriter<Bounded>,
    options: SimpleFileOptions,
}

impl Archive {
    /// `at`: what its entries are dated, in Unix milliseconds; shown as UTC.
    pub fn create(path: &Path, bounds: Bounds, at: i64) -> Result<Archive, ExportError> {
        // A kind of zip that knows files beyond 4 GiB costs 20 bytes an entry.
        let options = SimpleFileOptions::default().large_file(true).last_modified_time(dated(at));
        Ok(Archive { zip: ZipWriter::new(Bounded::create(path, bounds)?), options })
    }

    /// Begins an entry; `pressed` tells that its bytes are compressed already. Its bytes are written then.
    pub fn begin(&mut self, name: &str, pressed: bool) -> Result<(), ExportError> {
        let method = if pressed { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        Ok(self.zip.start_file(name, self.options.compression_method(method))?)
    }

    pub fn entry(&mut self, name: &str, text: &str) -> Result<(), ExportError> {
        self.begin(name, false)?;
        Ok(self.zip.write_all(text.as_bytes())?)
    }

    /// Ends the archive; its size in bytes.
    pub fn finish(self) -> Result<u64, ExportError> {
        let file = self.zip.finish()?.file;
        Ok(file.metadata()?.len())
    }
}

impl Write for Archive {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.zip.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.zip.flush()
    }
}

/// Zips know the years from 1980 to 2107; another moment is the first that they know.
fn dated(at: i64) -> zip::DateTime {
    let civil = CivilTime::at(at, 0);
    let part = |number: u32| u8::try_from(number).unwrap_or(0);
    let year = u16::try_from(civil.year).unwrap_or(0);
    let (month, day, hour, minute) = (part(civil.month), part(civil.day), part(civil.hour), part(civil.minute));
    zip::DateTime::from_date_and_time(year, month, day, hour, minute, 0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Bounds = Bounds { bytes: u64::MAX, spare_bytes: 0 };

    #[test]
    fn an_archive_ends_at_its_bound_and_leaves_no_more_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("zip");
        let mut archive = Archive::create(&path, Bounds { bytes: 10_000, ..WIDE }, 0).unwrap();
        archive.begin("a", true).unwrap();
        let error = archive.write_all(&[7; 20_000]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        drop(archive);
        assert!(std::fs::metadata(&path).unwrap().len() <= 10_000);
    }

    #[test]
    fn a_disk_without_room_to_spare_is_not_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let full = Archive::create(&folder.path().join("zip"), Bounds { spare_bytes: u64::MAX / 2, ..WIDE }, 0);
        assert!(matches!(full, Err(ExportError::NoSpace)));
    }

    #[test]
    fn entries_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("zip");
        let mut archive = Archive::create(&path, WIDE, 1_763_800_000_000).unwrap();
        archive.entry("page.html", "안녕").unwrap();
        archive.begin("files/사진.jpg", true).unwrap();
        archive.write_all(b"bytes").unwrap();
        let bytes = archive.finish().unwrap();
        let file = File::open(&path).unwrap();
        assert_eq!(file.metadata().unwrap().len(), bytes);
        let mut zip = zip::ZipArchive::new(file).unwrap();
        let mut text = String::new();
        zip.by_name("page.html").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "안녕");
        let mut bytes = Vec::new();
        zip.by_name("files/사진.jpg").unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, b"bytes");
    }
}
