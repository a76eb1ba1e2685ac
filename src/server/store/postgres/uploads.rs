//! What people uploaded, and the messages that carry it.

use super::super::change::NewMessage;
use super::super::columns::seq_column;
use super::super::event_row::json;
use super::super::file_row::{FileRow, Found, bytes_column, file_id, state_column};
use super::super::sql::files::file_columns;
use super::super::uploads::{FileState, NewFile, ReadyFile, StoredFile, UNKNOWN_TYPE, Uploads};
use super::super::{IMAGE, StoreError, sql};
use super::PostgresStore;
use crate::domain::{FileId, Key, RoomId, UserId};
use async_trait::async_trait;
use sqlx::PgConnection;

/// Nobody takes or removes those that are ready until the transaction ends. The others are not locked: whoever changes
/// those holds the lock of a task, which this transaction may want next.
const FILES: &str = concat!(
    "WITH ready AS (SELECT ",
    file_columns!(),
    " FROM files AS f WHERE id = ANY($1) AND state = 'ready' ORDER BY id FOR UPDATE)
    SELECT * FROM ready
    UNION ALL SELECT ",
    file_columns!(),
    " FROM files AS f WHERE id = ANY($1) AND state <> 'ready'"
);

/// Bodies get numbers that no other node gives. Its author has read up to it.
const INSERT_MESSAGE: &str = "WITH said AS (
        INSERT INTO bodies (id, body) VALUES (nextval('body_ids'), $5) RETURNING id
    ), listed AS (
        INSERT INTO bodies (id, body) VALUES (nextval('body_ids'), $6) RETURNING id
    ), carried AS (
        UPDATE files SET seq = $2, expires_at = NULL WHERE id = ANY($7)
    ), read AS (
        UPDATE memberships SET last_read = greatest(last_read, $2) WHERE room_id = $1 AND user_id = $3
    )
    INSERT INTO messages (room_id, seq, author_id, rev, at, body_id, files_id)
    SELECT $1, $2, $3, $2, $4, said.id, listed.id FROM said, listed";

const FORGET: &str = "DELETE FROM files WHERE state = 'removed' AND id = ANY($1)";

#[async_trait]
impl Uploads for PostgresStore {
    async fn put_file(&self, new: NewFile, now: i64) -> Result<StoredFile, StoreError> {
        let (state, code) = state_column(&FileState::Uploaded);
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
        self.connections.write(insert).await?;
        // A statement of its own sees what another node inserted meanwhile.
        let by_key = sqlx::query_as(sql::files::FILE_BY_KEY).bind(new.room.0).bind(new.uploader.0);
        let row: FileRow = self.connections.one(by_key.bind(new.key.as_str())).await?;
        Ok(Found::from_row(row)?.file)
    }

    async fn file_called(&self, room: RoomId, uploader: UserId, key: &Key) -> Result<Option<StoredFile>, StoreError> {
        let query = sqlx::query_as(sql::files::FILE_BY_KEY).bind(room.0).bind(uploader.0).bind(key.as_str());
        let row: Option<FileRow> = self.connections.optional(query).await?;
        Ok(row.map(Found::from_row).transpose()?.map(|found| found.file))
    }

    async fn file(&self, id: &FileId) -> Result<Option<StoredFile>, StoreError> {
        let query = sqlx::query_as(sql::files::FILE).bind(id.as_str());
        let row: Option<FileRow> = self.connections.optional(query).await?;
        Ok(row.map(Found::from_row).transpose()?.map(|found| found.file))
    }

    async fn file_for(&self, id: &FileId, user: UserId) -> Result<Option<StoredFile>, StoreError> {
        let query = sqlx::query_as(sql::files::FILE_FOR).bind(id.as_str()).bind(user.0);
        let row: Option<FileRow> = self.connections.optional(query).await?;
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
        self.connections.write(ready).await
    }

    async fn file_refused(&self, id: &FileId, code: &str) -> Result<(), StoreError> {
        self.connections.write(sqlx::query(sql::files::FILE_REFUSED).bind(id.as_str()).bind(code)).await
    }

    async fn files_without_task(&self, before: i64) -> Result<Vec<FileId>, StoreError> {
        let query = sqlx::query_as(sql::files::WITHOUT_TASK).bind(IMAGE).bind(before).bind(UNKNOWN_TYPE);
        let found: Vec<(String,)> = self.connections.all(query).await?;
        found.into_iter().map(|(id,)| file_id(id)).collect()
    }

    async fn remove_files(&self, now: i64) -> Result<Vec<FileId>, StoreError> {
        let removed = self.connections.answer(async {
            let mut tx = self.connections.begin().await?;
            let remove = sqlx::query_as(sql::files::REMOVE_FILES).bind(now);
            let removed: Vec<(String,)> = remove.fetch_all(&mut *tx).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(removed)
        });
        removed.await?.into_iter().map(|(id,)| file_id(id)).collect()
    }

    async fn forget_files(&self, ids: &[FileId]) -> Result<(), StoreError> {
        self.connections.write(sqlx::query(FORGET).bind(self::ids(ids))).await
    }
}

/// As an array parameter.
pub(super) fn ids(files: &[FileId]) -> Vec<&str> {
    files.iter().map(FileId::as_str).collect()
}

pub(super) async fn find(tx: &mut PgConnection, ids: &[FileId]) -> Result<Vec<Found>, StoreError> {
    let rows: Vec<FileRow> = sqlx::query_as(FILES).bind(self::ids(ids)).fetch_all(tx).await?;
    rows.into_iter().map(Found::from_row).collect()
}

pub(super) async fn insert_message(tx: &mut PgConnection, new: &NewMessage<'_>) -> Result<(), StoreError> {
    let ids: Vec<_> = new.files.iter().map(|file| file.id.as_str()).collect();
    let insert = sqlx::query(INSERT_MESSAGE).bind(new.room.0).bind(seq_column(new.seq)).bind(new.author.0);
    let insert = insert.bind(new.at).bind(new.body.as_str()).bind(json(&new.files)?).bind(ids);
    insert.execute(tx).await?;
    Ok(())
}
