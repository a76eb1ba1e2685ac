use super::{Content, FilesError, Name, failed};
use futures_util::StreamExt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::fs::{self, File};
use tokio_util::io::ReaderStream;

/// What is under way, beside what is kept: on the same file system, so that it can be moved there.
const WORKSHOPS: &str = "tmp";

/// Nothing is under way for so long.
const ABANDONED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// A folder of the data directory. Several nodes may share it over a network file system that renames at once.
#[derive(Clone, Debug)]
pub struct Directory {
    root: Arc<PathBuf>,
}

impl Directory {
    pub(super) async fn open(root: PathBuf) -> Result<Directory, FilesError> {
        let directory = Directory { root: Arc::new(root) };
        let made = fs::create_dir_all(directory.workshops()).await;
        made.map_err(|error| directory.failed(error))?;
        Ok(directory)
    }

    pub(super) fn workshops(&self) -> PathBuf {
        self.root.join(WORKSHOPS)
    }

    pub(super) async fn put(&self, name: &Name, from: &Path) -> Result<(), FilesError> {
        moved(from, &self.path(name)).await.map_err(|error| self.failed(error))
    }

    pub(super) async fn get(&self, name: &Name) -> Result<Option<Content>, FilesError> {
        let opened = async {
            let file = File::open(self.path(name)).await?;
            let bytes = file.metadata().await?.len();
            Ok(Content { bytes, stream: ReaderStream::new(file).boxed() })
        };
        unless_missing(opened.await).map_err(|error| self.failed(error))
    }

    pub(super) async fn remove(&self, name: &Name) -> Result<(), FilesError> {
        let removed = fs::remove_file(self.path(name)).await;
        unless_missing(removed).map(drop).map_err(|error| self.failed(error))
    }

    pub(super) async fn tidy(&self) -> Result<(), FilesError> {
        let tidied = async {
            let mut workshops = fs::read_dir(self.workshops()).await?;
            while let Some(workshop) = workshops.next_entry().await? {
                let touched = workshop.metadata().await?.modified()?;
                if touched.elapsed().is_ok_and(|age| age > ABANDONED_AFTER) {
                    unless_missing(fs::remove_dir_all(workshop.path()).await)?;
                }
            }
            Ok(())
        };
        let tidied: io::Result<()> = tidied.await;
        tidied.map_err(|error| self.failed(error))
    }

    fn path(&self, name: &Name) -> PathBuf {
        self.root.join(name.to_string())
    }

    fn failed(&self, error: io::Error) -> FilesError {
        failed(self.root.display(), error)
    }
}

/// Synced before it gets its name, and the name after that: nobody ever finds half a file.
async fn moved(from: &Path, to: &Path) -> io::Result<()> {
    let folder = to.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).await?;
    File::open(from).await?.sync_all().await?;
    fs::rename(from, to).await?;
    File::open(folder).await?.sync_all().await
}

fn unless_missing<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
