//! The bytes of what people upload: in the data directory or in a store that speaks S3. What they are and who may
//! have them stands in the database; here they have names that nobody can guess, and nothing is known of them.

mod address;
mod directory;
mod s3;

pub use address::Address;

use super::config::Config;
use bytes::Bytes;
use directory::Directory;
use futures_util::stream::BoxStream;
use rustix::fs::fstatvfs;
use s3::S3;
use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use tempfile::TempDir;
use tokio::fs::File;

/// Which of the bytes that belong to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// As it was uploaded; of an image until it has been made anew.
    Source,
    Image,
    Thumbnail,
}

impl Part {
    pub const ALL: [Part; 3] = [Part::Source, Part::Image, Part::Thumbnail];
}

/// What some bytes are kept under: a file's id, and which part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    id: String,
    part: Part,
}

impl Name {
    /// `id` is made of letters and digits, three at least, and used once.
    pub fn new(id: impl Into<String>, part: Part) -> Name {
        Name { id: id.into(), part }
    }
}

/// A path whose folders stay small.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = match self.part {
            Part::Source => "source",
            Part::Image => "image",
            Part::Thumbnail => "thumbnail",
        };
        write!(f, "{}/{}.{part}", self.id.get(..2).unwrap_or("0"), self.id)
    }
}

/// Bytes on their way out.
pub struct Content {
    pub bytes: u64,
    pub stream: BoxStream<'static, io::Result<Bytes>>,
}

/// The place did not do what it was asked for: it is full, gone or refuses us. Worth another try.
#[derive(Debug, thiserror::Error)]
#[error("files cannot be kept in {place}: {problem}")]
pub struct FilesError {
    place: String,
    problem: String,
}

impl FilesError {
    /// Of a place of this machine.
    pub fn new(place: &str, problem: impl fmt::Display) -> FilesError {
        failed(place, problem)
    }
}

/// Where bytes are kept. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Files {
    place: Place,
    /// What is under way is in the data directory, wherever it is kept in the end: from a folder of one's own nothing
    /// is left behind by whoever is killed.
    workshops: Directory,
}

#[derive(Clone, Debug)]
enum Place {
    Directory(Directory),
    S3(S3),
}

impl Files {
    /// Makes what is missing of a directory; a store's bucket has to be there, and is not asked now.
    pub async fn open(config: &Config) -> Result<Files, FilesError> {
        let workshops = Directory::open(config.data.join("files")).await?;
        let place = match &config.files {
            Some(address) => Place::S3(S3::new(address.clone())?),
            None => Place::Directory(workshops.clone()),
        };
        Ok(Files { place, workshops })
    }

    /// Keeps the bytes of a file of this machine, which may be gone afterwards. Once it returns they are
    /// durable, and there whole or not at all if it does not. What was there under this name is replaced.
    pub async fn put(&self, name: &Name, from: &Path) -> Result<(), FilesError> {
        match &self.place {
            Place::Directory(directory) => directory.put(name, from).await,
            Place::S3(s3) => s3.put(name, from).await,
        }
    }

    /// `None`: there are none.
    pub async fn get(&self, name: &Name) -> Result<Option<Content>, FilesError> {
        match &self.place {
            Place::Directory(directory) => directory.get(name).await,
            Place::S3(s3) => s3.get(name).await,
        }
    }

    /// That there are none is no error.
    pub async fn remove(&self, name: &Name) -> Result<(), FilesError> {
        match &self.place {
            Place::Directory(directory) => directory.remove(name).await,
            Place::S3(s3) => s3.remove(name).await,
        }
    }

    /// An empty folder of this machine for what is under way, removed when it is dropped; from there `put`
    /// costs least.
    pub fn workshop(&self) -> Result<TempDir, FilesError> {
        let place = self.workshops.workshops();
        TempDir::with_prefix_in("pickmate-", &place).map_err(|error| failed(place.display(), error))
    }

    /// Bytes that are free where workshops are.
    pub async fn free_bytes(&self) -> Result<u64, FilesError> {
        let place = self.workshops.workshops();
        let looked = File::open(&place).await.and_then(|folder| free_bytes(&folder));
        looked.map_err(|error| failed(place.display(), error))
    }

    /// Removes folders of processes that were killed.
    pub async fn tidy(&self) -> Result<(), FilesError> {
        self.workshops.tidy().await
    }
}

/// Bytes that are free for us on the disk of an open file.
pub fn free_bytes(file: impl AsFd) -> io::Result<u64> {
    let disk = fstatvfs(file)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn failed(place: impl fmt::Display, problem: impl fmt::Display) -> FilesError {
    FilesError { place: place.to_string(), problem: problem.to_string() }
}
