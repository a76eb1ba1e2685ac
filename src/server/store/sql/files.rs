/// A file as [`FileRow`](crate::server::store::file_row::FileRow) reads it.
macro_rules! file_columns {
    () => {
        "f.id, f.room_id, f.uploader_id, f.hash, f.name, f.media_type, f.bytes, f.state, f.code, f.width, f.height,
        f.thumbnail_type, f.thumbnail_bytes, f.seq"
    };
}
pub(in super::super) use file_columns;

pub const INSERT_FILE: &str = "INSERT INTO files
        (id, room_id, uploader_id, key, hash, name, media_type, bytes, state, code, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    ON CONFLICT (room_id, uploader_id, key) DO NOTHING";

pub const FILE_BY_KEY: &str =
    concat!("SELECT ", file_columns!(), " FROM files AS f WHERE room_id = $1 AND uploader_id = $2 AND key = $3");

pub const FILE: &str = concat!("SELECT ", file_columns!(), " FROM files AS f WHERE id = $1");

/// For an account that may read its room: shared there, carried by a message that stands, or its own as long as none
/// carries it.
pub const FILE_FOR: &str = concat!(
    "SELECT ",
    file_columns!(),
    " FROM files AS f
    JOIN rooms AS r ON r.id = f.room_id
    LEFT JOIN memberships AS m ON m.room_id = r.id AND m.user_id = $2
    LEFT JOIN messages AS t ON t.room_id = f.room_id AND t.seq = f.seq AND t.seq >= r.first
    WHERE f.id = $1 AND f.state <> 'removed' AND (r.access = 'open' OR m.user_id IS NOT NULL)
        AND (f.state = 'shared' OR t.body_id IS NOT NULL OR (f.seq IS NULL AND f.uploader_id = $2))"
);

pub const FILE_READY: &str = "UPDATE files SET state = $9, name = $2, media_type = $3, bytes = $4, width = $5,
    height = $6, thumbnail_type = $7, thumbnail_bytes = $8 WHERE id = $1 AND state = 'uploaded'";

pub const FILE_REFUSED: &str = "UPDATE files SET state = 'refused', code = $2 WHERE id = $1 AND state = 'uploaded'";

/// Of the type $3, which those have that the bytes tell more of. No message carries them yet, so they expire.
pub const WITHOUT_TASK: &str = "SELECT id FROM files
    WHERE expires_at IS NOT NULL AND state = 'uploaded' AND media_type = $3 AND created_at < $2
        AND NOT EXISTS (SELECT 1 FROM tasks WHERE unique_key = $1 || files.id)
    ORDER BY created_at DESC LIMIT 100";

/// Of the files that a condition behind it names, those that wait for their task: refused with the code $1.
macro_rules! give_files_up {
    () => {
        "UPDATE files SET state = 'refused', code = $1 WHERE state = 'uploaded'"
    };
}
pub(in super::super) use give_files_up;

/// Likewise those that were refused so wait for it again.
macro_rules! want_files {
    () => {
        "UPDATE files SET state = 'uploaded', code = NULL WHERE state = 'refused' AND code = $1"
    };
}
pub(in super::super) use want_files;

/// The oldest hundred. One that a message took meanwhile is not among them: the condition is looked at again.
pub const REMOVE_FILES: &str = "UPDATE files SET state = 'removed' WHERE expires_at <= $1
    AND id IN (SELECT id FROM files WHERE expires_at <= $1 ORDER BY expires_at LIMIT 100) RETURNING id";
