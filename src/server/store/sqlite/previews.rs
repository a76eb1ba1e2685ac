use super::super::columns::seq_column;
use super::super::previews::{LinkingRow, PageNoteRow};
use super::super::{Linking, NotedFor, PageNote, Previews, StoreError, sql};
use super::SqliteStore;
use crate::domain::{RoomId, Seq};
use async_trait::async_trait;

#[async_trait]
impl Previews for SqliteStore {
    async fn linking(&self, room: RoomId, seq: Seq) -> Result<Option<Linking>, StoreError> {
        let query = sqlx::query_as(sql::previews::LINKING).bind(room.0).bind(seq_column(seq));
        let row: Option<LinkingRow> = query.fetch_optional(&self.readers).await?;
        row.map(Linking::from_row).transpose()
    }

    async fn page_note(&self, hash: &[u8; 32], now: i64) -> Result<Option<PageNote>, StoreError> {
        let query = sqlx::query_as(sql::previews::PAGE_NOTE).bind(&hash[..]).bind(now);
        let row: Option<PageNoteRow> = query.fetch_optional(&self.readers).await?;
        Ok(row.map(PageNote::from))
    }

    async fn put_page_note(&self, hash: &[u8; 32], note: &PageNote, noted: NotedFor) -> Result<(), StoreError> {
        let (title, description, site, failure) = note.columns();
        let put = sqlx::query(sql::previews::PUT_PAGE_NOTE).bind(&hash[..]).bind(noted.fetched_at);
        let put = put.bind(noted.expires_at).bind(title).bind(description).bind(site).bind(failure);
        put.execute(self.gate.turn().await.connection().await?).await?;
        Ok(())
    }
}
