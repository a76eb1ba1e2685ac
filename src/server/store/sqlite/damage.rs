//! A damaged file, until it has been read from end to end. That takes as long as the file is large, so
//! it goes on beside everything else: nobody waits for it, and whoever posts is refused at once.

use super::file::Stamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A damaged file that nobody touched is read again after so long.
const READ_AGAIN: Duration = Duration::from_secs(30);

/// Pages or steps of a reading between two looks at whether it is still wanted.
const LOOK_EVERY: i32 = 1_000;

const INTEGRITY: &str = "PRAGMA integrity_check(1)";

/// What is known of it.
#[derive(Default)]
pub(super) struct Damage {
    /// As it was found not to be sound, and when.
    seen: Option<(Stamp, Instant)>,
    reading: Option<Reading>,
}

/// Stops when it is dropped.
struct Reading {
    stamp: Stamp,
    sound: JoinHandle<bool>,
    wanted: DropGuard,
}

impl Damage {
    /// Whether the file as it stands has been read and is sound. If that is not known, `read` is begun:
    /// at once, when the file changes, and now and then.
    pub async fn look_for_repair<R>(&mut self, stamp: Stamp, read: impl FnOnce(CancellationToken) -> R) -> bool
    where
        R: Future<Output = bool> + Send + 'static,
    {
        if let Some(reading) = self.reading.take_if(|reading| reading.stamp != stamp || reading.sound.is_finished()) {
            let of_this = reading.stamp == stamp;
            let sound = reading.end().await;
            if of_this {
                self.seen = (!sound).then(|| (stamp, Instant::now()));
                return sound;
            }
        }
        if self.reading.is_none() && self.seen.is_none_or(|(seen, at)| seen != stamp || at.elapsed() >= READ_AGAIN) {
            let unwanted = CancellationToken::new();
            let sound = tokio::spawn(read(unwanted.clone()));
            self.reading = Some(Reading { stamp, sound, wanted: unwanted.drop_guard() });
        }
        false
    }

    /// Returns when nothing of it is open any more.
    pub async fn stop_reading(&mut self) {
        if let Some(reading) = self.reading.take() {
            reading.end().await;
        }
    }
}

impl Reading {
    /// What it says; one that is under way is stopped and says nothing good.
    async fn end(self) -> bool {
        let Reading { sound, wanted, .. } = self;
        drop(wanted);
        sound.await.unwrap_or(false)
    }
}

/// Reads a database from end to end, unless it is told that nobody wants to know any more.
pub(super) async fn reads_sound(options: SqliteConnectOptions, unwanted: CancellationToken) -> bool {
    let read = async {
        // One of its own: others may remember pages as they were.
        let mut connection = options.connect().await?;
        connection.lock_handle().await?.set_progress_handler(LOOK_EVERY, move || !unwanted.is_cancelled());
        let said: Result<(String,), _> = sqlx::query_as(INTEGRITY).fetch_one(&mut connection).await;
        connection.close().await?;
        Ok::<_, sqlx::Error>(said?.0 == "ok")
    };
    read.await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{Ready, pending, ready};
    use tempfile::NamedTempFile;
    use tokio::sync::oneshot;
    use tokio::time::timeout;

    /// For what should be there at once.
    const PATIENCE: Duration = Duration::from_secs(10);

    async fn stamp(file: &NamedTempFile) -> Stamp {
        Stamp::of(file.path()).await.unwrap().unwrap()
    }

    fn not_now(_: CancellationToken) -> Ready<bool> {
        panic!("it is not to be read now")
    }

    /// What comes of a reading that says this; the next look finds it.
    async fn read_as(damage: &mut Damage, stamp: Stamp, sound: bool) -> bool {
        assert!(!damage.look_for_repair(stamp, |_| ready(sound)).await);
        while !damage.reading.as_ref().unwrap().sound.is_finished() {
            tokio::task::yield_now().await;
        }
        damage.look_for_repair(stamp, not_now).await
    }

    #[tokio::test]
    async fn nobody_waits_for_a_reading() {
        let file = NamedTempFile::new().unwrap();
        let (stamp, mut damage) = (stamp(&file).await, Damage::default());
        let (say, said) = oneshot::channel();
        let begun = damage.look_for_repair(stamp, |_| async { said.await.unwrap() });
        assert!(!timeout(PATIENCE, begun).await.expect("nobody waits"));
        assert!(!damage.look_for_repair(stamp, not_now).await);
        say.send(true).unwrap();
        while !damage.look_for_repair(stamp, not_now).await {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_reading_of_what_has_changed_is_stopped_and_another_begun() {
        let file = NamedTempFile::new().unwrap();
        let mut damage = Damage::default();
        let first = |unwanted: CancellationToken| async move {
            unwanted.cancelled().await;
            true
        };
        assert!(!damage.look_for_repair(stamp(&file).await, first).await);
        std::fs::write(&file, "repaired").unwrap();
        assert!(read_as(&mut damage, stamp(&file).await, true).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_nobody_touched_is_read_again_after_a_while() {
        let file = NamedTempFile::new().unwrap();
        let (stamp, mut damage) = (stamp(&file).await, Damage::default());
        assert!(!read_as(&mut damage, stamp, false).await);
        assert!(!damage.look_for_repair(stamp, not_now).await);
        tokio::time::advance(READ_AGAIN).await;
        assert!(read_as(&mut damage, stamp, true).await);
    }

    #[tokio::test]
    async fn a_reading_ends_when_it_is_not_wanted_any_more() {
        let file = NamedTempFile::new().unwrap();
        let mut damage = Damage::default();
        let (tell, ended) = oneshot::channel::<()>();
        let read = |unwanted: CancellationToken| async move {
            let _tell = tell;
            tokio::select! {
                () = unwanted.cancelled() => false,
                sound = pending() => sound,
            }
        };
        assert!(!damage.look_for_repair(stamp(&file).await, read).await);
        drop(damage);
        assert!(timeout(PATIENCE, ended).await.expect("it ends").is_err());
    }
}
