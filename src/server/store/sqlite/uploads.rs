//! What people uploaded, and the messages that carry it.

use super::super::change::NewMessage;
use super::super::columns::seq_column;
use super::super::event_row::json;
use super::super::file_row::{FileRow, Found, bytes_column, file_id, state_column};
use super::super::sql::files::file_columns;
use super::super::uploads::{FileState, NewFile, ReadyFile, StoredFile, UNKNOWN_TYPE, Uploads};
use super::super::{IMAGE, StoreError, sql};
use super::SqliteStore;
use crate::domain::{FileId, Key, RoomId, UserId};
use async_trait::async_trait;
use sqlx::SqliteConnection;

const FILES: &str =
    concat!("SELECT ", file_columns!(), " FROM files AS f WHERE id IN (SELECT value FROM json_each($1))");

/// As in [`messages`](super::messages) bodies come at the end of their table. Its author has read up to it.
const INSERT_MESSAGE: &str = "
    INSERT INTO bodies (id, body) SELECT coalesce(max(id), 0) + 1, $5 FROM bodies;
    INSERT INTO bodies (id, body) SELECT max(id) + 1, $6 FROM bodies;
    INSERT INTO messages (room_id, seq, author_id, rev, at, body_id, files_id)
        SELECT $1, $2, $3, $2, $4, max(id) - 1, max(id) FROM bodies;
    UPDATE files SET seq = $2, expires_at = NULL WHERE id IN (SELECT value FROM json_each($7));
    UPDATE memberships SET last_read = max(last_read, $2) WHERE room_id = $1 AND user_id = $3;";

const FORGET: &str = "DELETE FROM files WHERE state = 'removed' AND id IN (SELECT value FROM json_each($1))";

#[async_trait]
impl Uploads for SqliteStore {
    async fn put_file(&self, new: NewFile, now: i64) -> Result<StoredFile, StoreError> {
        let (state, code) = state_column(&FileState::Uploaded);
        let mut turn = self.gate.turn().await;
        let insert = sqlx::query(sql::files::INSERT_FILE)
            .bind(new.shown.id.as_str())
            .bind(new.room.0)
            .bind(new.uploader.0)
            .bind(new.key.as_str())
            .bind(&new.hash[..])
            .bind(&new.shown.name)
            .bind(&new.shown.media_type)
            .bind(bytes_column(new.shown.bytes))
            .bind(state)
            .bind(code)
            .bind(now)
            .bind(new.expires_at);
        let mut tx = turn.begin().await?;
        insert.execute(&mut *tx).await?;
        let by_key = sqlx::query_as(sql::files::FILE_BY_KEY).bind(new.room.0).bind(new.uploader.0);
        let row: FileRow = by_key.bind(new.key.as_str()).fetch_one(&mut *tx).await?;
        tx.commit().await?;
        Ok(Found::from_row(row)?.file)
    }

    async fn file_called(&self, room: RoomId, uploader: UserId, key: &Key) -> Result<Option<StoredFile>, StoreError> {
        let query = sqlx::query_as(sql::files::FILE_BY_KEY).bind(room.0).bind(uploader.0).bind(key.as_str());
        let row: Option<FileRow> = query.fetch_optional(&self.readers).await?;
        Ok(row.map(Found::from_row).transpose()?.map(|found| found.file))
    }

    async fn file(&self, id: &FileId) -> Result<Option<StoredFile>, StoreError> {
        let row: Option<FileRow> =
            sqlx::query_as(sql::files::FILE).bind(id.as_str()).fetch_optional(&self.readers).await?;
        Ok(row.map(Found::from_row).transpose()?.map(|found| found.file))
    }

    async fn file_for(&self, id: &FileId, user: UserId) -> Result<Option<StoredFile>, StoreError> {
        let query = sqlx::query_as(sql::files::FILE_FOR).bind(id.as_str()).bind(user.0);
        let row: Option<FileRow> = query.fetch_optional(&self.readers).await?;
        Ok(row.map(Found::from_row).transpose()?.map(|found| found.file))
    }

    async fn file_ready(&self, ReadyFile { shown, thumbnail, shared }: &ReadyFile) -> Result<(), StoreError> {
        let ready = sqlx::query(sql::files::FILE_READY)
            .bind(shown.id.as_str())
            .bind(&shown.name)
            .bind(&shown.media_type)
            .bind(bytes_column(shown.bytes))
            .bind(shown.width.map(i64::from))
            .bind(shown.height.map(i64::from))
            .bind(thumbnail.as_ref().map(|thumbnail| &thumbnail.media_type))
            .bind(thumbnail.as_ref().map(|thumbnail| bytes_column(thumbnail.bytes)))
            .bind(state_column(if *shared { &FileState::Shared } else { &FileState::Ready }).0);
        let mut turn = self.gate.turn().await;
        ready.execute(turn.connection().await?).await?;
        Ok(())
    }

    async fn file_refused(&self, id: &FileId, code: &str) -> Result<(), StoreError> {
        let refused = sqlx::query(sql::files::FILE_REFUSED).bind(id.as_str()).bind(code);
        let mut turn = self.gate.turn().await;
        refused.execute(turn.connection().await?).await?;
        Ok(())
    }

    async fn files_without_task(&self, before: i64) -> Result<Vec<FileId>, StoreError> {
        let query = sqlx::query_as(sql::files::WITHOUT_TASK).bind(IMAGE).bind(before).bind(UNKNOWN_TYPE);
        let found: Vec<(String,)> = query.fetch_all(&self.readers).await?;
        found.into_iter().map(|(id,)| file_id(id)).collect()
    }

    async fn remove_files(&self, now: i64) -> Result<Vec<FileId>, StoreError> {
        let mut turn = self.gate.turn().await;
        let remove = sqlx::query_as(sql::files::REMOVE_FILES).bind(now);
        let removed: Vec<(String,)> = remove.fetch_all(turn.connection().await?).await?;
        removed.into_iter().map(|(id,)| file_id(id)).collect()
    }

    async fn forget_files(&self, ids: &[FileId]) -> Result<(), StoreError> {
        let mut turn = self.gate.turn().await;
        sqlx::query(FORGET).bind(json(&ids)?).execute(turn.connection().await?).await?;
        Ok(())
    }
}

pub(super) async fn find(tx: &mut SqliteConnection, ids: &[FileId]) -> Result<Vec<Found>, StoreError> {
    let rows: Vec<FileRow> = sqlx::query_as(FILES).bind(json(&ids)?).fetch_all(tx).await?;
    rows.into_iter().map(Found::from_row).collect()
}

pub(super) async fn insert_message(tx: &mut SqliteConnection, new: &NewMessage<'_>) -> Result<(), StoreError> {
    let ids: Vec<_> = new.files.iter().map(|file| &file.id).collect();
    let insert = sqlx::query(INSERT_MESSAGE).bind(new.room.0).bind(seq_column(new.seq)).bind(new.author.0);
    let insert = insert.bind(new.at).bind(new.body.as_str()).bind(json(&new.files)?).bind(json(&ids)?);
    insert.execute(tx).await?;
    Ok(())
}
