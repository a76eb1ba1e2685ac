//! What every place for files promises, in the data directory and in a store that speaks S3.

use futures_util::TryStreamExt;
use pickmate::server::config::Config;
use pickmate::server::files::{Address, Files, Name, Part};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A place of a test's own, and what goes with it.
struct Place {
    files: Files,
    folder: TempDir,
    /// Objects of others are in the same bucket.
    run: String,
}

impl Place {
    async fn directory() -> Place {
        Place::of(|_| {}).await
    }

    async fn s3() -> Place {
        let address =
            std::env::var("PICKMATE_TEST_S3").expect("these tests need a store: run scripts/with-s3.sh cargo test");
        Place::of(|config| config.files = Some(Address::parse(&address).unwrap())).await
    }

    async fn of(settle: impl FnOnce(&mut Config)) -> Place {
        let folder = TempDir::new().unwrap();
        let mut config = Config { data: folder.path().join("data"), ..Config::default() };
        settle(&mut config);
        let run = format!("{:016x}", rand::random::<u64>());
        Place { files: Files::open(&config).await.unwrap(), folder, run }
    }

    fn name(&self, id: &str, part: Part) -> Name {
        Name::new(format!("{}{id}", self.run), part)
    }

    fn made(&self, bytes: &[u8]) -> (TempDir, PathBuf) {
        let workshop = self.files.workshop().unwrap();
        let file = workshop.path().join("made");
        std::fs::write(&file, bytes).unwrap();
        (workshop, file)
    }

    async fn put(&self, name: &Name, bytes: &[u8]) {
        let (_workshop, file) = self.made(bytes);
        self.files.put(name, &file).await.unwrap();
    }

    async fn get(&self, name: &Name) -> Option<Vec<u8>> {
        let content = self.files.get(name).await.unwrap()?;
        let parts: Vec<_> = content.stream.try_collect().await.unwrap();
        let bytes = parts.concat();
        assert_eq!(content.bytes, bytes.len() as u64);
        Some(bytes)
    }
}

async fn what_is_kept_is_there(place: Place) {
    let name = place.name("a", Part::Source);
    assert_eq!(place.get(&name).await, None);
    let large: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    place.put(&name, &large).await;
    assert!(place.get(&name).await.unwrap() == large);
    place.put(&name, b"").await;
    assert_eq!(place.get(&name).await.unwrap(), b"");
}

async fn parts_and_files_are_told_apart(place: Place) {
    for id in ["a", "b"] {
        for part in Part::ALL {
            place.put(&place.name(id, part), format!("{id} {part:?}").as_bytes()).await;
        }
    }
    place.files.remove(&place.name("a", Part::Image)).await.unwrap();
    for id in ["a", "b"] {
        for part in Part::ALL {
            let kept = place.get(&place.name(id, part)).await;
            let gone = id == "a" && part == Part::Image;
            assert_eq!(kept, (!gone).then(|| format!("{id} {part:?}").into_bytes()));
        }
    }
}

async fn what_is_not_there_can_be_removed(place: Place) {
    let name = place.name("a", Part::Source);
    place.files.remove(&name).await.unwrap();
    place.put(&name, b"once").await;
    place.files.remove(&name).await.unwrap();
    place.files.remove(&name).await.unwrap();
    assert_eq!(place.get(&name).await, None);
}

async fn what_cannot_be_read_is_not_kept(place: Place) {
    let name = place.name("a", Part::Source);
    assert!(place.files.put(&name, Path::new("no/such/file")).await.is_err());
    assert_eq!(place.get(&name).await, None);
}

async fn a_workshop_goes_when_it_is_dropped(place: Place) {
    let (workshop, file) = place.made(b"under way");
    assert!(file.exists());
    drop(workshop);
    assert!(!file.exists());
    place.files.tidy().await.unwrap();
    assert!(place.folder.path().exists());
}

macro_rules! contract {
    ($($law:ident)*) => {
        mod directory {
            $(#[tokio::test]
            async fn $law() {
                super::$law(super::Place::directory().await).await;
            })*
        }

        mod s3 {
            $(#[tokio::test]
            async fn $law() {
                super::$law(super::Place::s3().await).await;
            })*
        }
    };
}

contract! {
    what_is_kept_is_there
    parts_and_files_are_told_apart
    what_is_not_there_can_be_removed
    what_cannot_be_read_is_not_kept
    a_workshop_goes_when_it_is_dropped
}

#[tokio::test]
async fn a_store_that_does_not_let_us_in_is_an_error_that_shows_no_secret() {
    let right = std::env::var("PICKMATE_TEST_S3").expect("these tests need a store: run scripts/with-s3.sh cargo test");
    let (account, host) = right.strip_prefix("s3+http://").unwrap().split_once('@').unwrap();
    let (key, _) = account.split_once(':').unwrap();
    let nobody = "127.0.0.1:9/pickmate";
    for address in [format!("s3+http://{key}:wrong-secret@{host}"), format!("s3+http://{key}:wrong-secret@{nobody}")] {
        let place = Place::of(|config| config.files = Some(Address::parse(&address).unwrap())).await;
        let name = place.name("a", Part::Source);
        let (_workshop, file) = place.made(b"bytes");
        let error = place.files.put(&name, &file).await.unwrap_err().to_string();
        assert!(!error.contains("wrong-secret") && !error.contains("Signature="), "{error}");
        assert!(place.files.get(&name).await.is_err() && place.files.remove(&name).await.is_err());
    }
}

#[tokio::test]
async fn a_directory_keeps_nothing_under_its_name_before_it_is_whole() {
    let place = Place::directory().await;
    place.put(&place.name("a", Part::Source), b"whole").await;
    let root = place.folder.path().join("data/files");
    let kept = std::fs::read_dir(root.join(&place.run[..2])).unwrap().count();
    assert_eq!(kept, 1);
    assert_eq!(std::fs::read_dir(root.join("tmp")).unwrap().count(), 0);
}
