//! What is moved, and how a row stands as bytes: as Postgres' COPY writes it as text, which is the same for
//! both engines and can be compared.
//! <https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2>

use sha2::{Digest as _, Sha256};

/// How the values of a column are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Integer,
    Text,
    Bytes,
}

/// One table, with the statements that move it. Rows are always in the order of the primary key, which
/// both engines compare alike.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    pub columns: &'static [(&'static str, Kind)],
    pub count: &'static str,
    /// SQLite's: all rows but the first `$1`.
    pub read: &'static str,
    /// Postgres'.
    pub take: &'static str,
    /// Postgres': all rows.
    pub tell: &'static str,
}

macro_rules! table {
    ($name:literal by $key:literal: $first:literal $kind:ident $(, $column:literal $kinds:ident)*) => {
        Table {
            name: $name,
            columns: &[($first, Kind::$kind) $(, ($column, Kind::$kinds))*],
            count: concat!("SELECT count(*) FROM ", $name),
            read: concat!("SELECT ", $first $(, ", ", $column)*, " FROM ", $name, " ORDER BY ", $key, " LIMIT -1 OFFSET $1"),
            take: concat!("COPY ", $name, " (", $first $(, ", ", $column)*, ") FROM STDIN"),
            tell: concat!("COPY (SELECT ", $first $(, ", ", $column)*, " FROM ", $name, " ORDER BY ", $key, ") TO STDOUT"),
        }
    };
}

/// Everything that a community is, in an order in which whatever a row refers to comes before it.
pub const TABLES: &[Table] = &[
    table!("meta" by "name": "name" Text, "value" Text),
    table!("users" by "id": "id" Integer, "name" Text, "name_folded" Text, "role" Text, "password_hash" Text,
        "locale" Text, "created_at" Integer),
    table!("sessions" by "hash": "hash" Bytes, "user_id" Integer, "created_at" Integer, "expires_at" Integer),
    table!("tokens" by "hash": "hash" Bytes, "user_id" Integer, "created_at" Integer),
    table!("invites" by "id": "id" Integer, "hash" Bytes, "created_by" Integer, "created_at" Integer,
        "expires_at" Integer, "uses" Integer, "max_uses" Integer, "revoked_at" Integer),
    table!("resets" by "hash": "hash" Bytes, "user_id" Integer, "expires_at" Integer),
    table!("rooms" by "id": "id" Integer, "slug" Text, "name" Text, "access" Text, "creator_id" Integer,
        "head" Integer, "first" Integer, "created_at" Integer, "keep_days" Integer),
    table!("memberships" by "room_id, user_id": "room_id" Integer, "user_id" Integer, "joined_at" Integer,
        "last_read" Integer),
    table!("events" by "room_id, seq": "room_id" Integer, "seq" Integer, "kind" Text, "at" Integer,
        "actor_id" Integer, "member_id" Integer, "key" Text, "target" Integer, "data" Text),
    table!("keys" by "scope, actor_id, key": "scope" Integer, "actor_id" Integer, "key" Text, "fingerprint" Bytes,
        "room_id" Integer, "seq" Integer, "expires_at" Integer),
    table!("bodies" by "id": "id" Integer, "body" Text),
    table!("messages" by "room_id, seq": "room_id" Integer, "seq" Integer, "author_id" Integer, "rev" Integer,
        "at" Integer, "body_id" Integer, "files_id" Integer, "previews_rev" Integer,
        "previews_id" Integer),
    table!("files" by "id": "id" Text, "room_id" Integer, "uploader_id" Integer, "key" Text, "hash" Bytes, "name" Text,
        "media_type" Text, "bytes" Integer, "state" Text, "code" Text, "width" Integer, "height" Integer,
        "thumbnail_type" Text, "thumbnail_bytes" Integer, "seq" Integer, "created_at" Integer, "expires_at" Integer),
    table!("tasks" by "id": "id" Text, "lane" Text, "state" Text, "priority" Integer, "run_at" Integer,
        "lease_until" Integer, "room_id" Integer, "unique_key" Text, "ended_at" Integer, "progress" Text,
        "progress_at" Integer, "data" Text),
    table!("previews" by "hash": "hash" Bytes, "fetched_at" Integer, "expires_at" Integer, "title" Text,
        "description" Text, "site" Text, "failure" Text),
    table!("webhooks" by "id": "id" Integer, "room_id" Integer, "maker_id" Integer, "url" Text, "secret" Text, "kinds" Text,
        "enabled" Integer, "created_at" Integer, "failing_since" Integer, "ended_at" Integer,
        "taken_until" Integer, "failures" Integer, "disabled_code" Text, "key" Text),
    table!("deliveries" by "id": "id" Integer, "webhook_id" Integer, "seq" Integer, "state" Text, "attempts" Integer,
        "status" Integer, "error" Text, "queued_at" Integer, "started_at" Integer, "finished_at" Integer,
        "due_at" Integer),
];

/// A row on its way into its line.
#[derive(Debug, Default)]
pub struct Line(Vec<u8>);

/// Postgres has no text with this character in it.
#[derive(Debug, PartialEq, Eq)]
pub struct HasNul;

impl Line {
    pub fn null(&mut self) {
        self.begin_value();
        self.0.extend_from_slice(b"\\N");
    }

    pub fn integer(&mut self, value: i64) {
        self.begin_value();
        self.0.extend_from_slice(value.to_string().as_bytes());
    }

    pub fn bytes(&mut self, value: &[u8]) {
        self.begin_value();
        self.0.extend_from_slice(b"\\\\x");
        self.0.extend_from_slice(data_encoding::HEXLOWER.encode(value).as_bytes());
    }

    pub fn text(&mut self, value: &str) -> Result<(), HasNul> {
        self.begin_value();
        for byte in value.bytes() {
            let escaped = match byte {
                0 => return Err(HasNul),
                0x08 => b'b',
                b'\t' => b't',
                b'\n' => b'n',
                0x0b => b'v',
                0x0c => b'f',
                b'\r' => b'r',
                b'\\' => b'\\',
                plain => {
                    self.0.push(plain);
                    continue;
                }
            };
            self.0.extend_from_slice(&[b'\\', escaped]);
        }
        Ok(())
    }

    /// The whole line; nothing is left of the row.
    pub fn end(&mut self) -> Vec<u8> {
        self.0.push(b'\n');
        std::mem::take(&mut self.0)
    }

    fn begin_value(&mut self) {
        if !self.0.is_empty() {
            self.0.push(b'\t');
        }
    }
}

/// How many rows a table has, and a hash over their lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    pub rows: u64,
    pub hash: [u8; 32],
}

/// A digest that is being made.
#[derive(Default)]
pub struct Digesting {
    rows: u64,
    hash: Sha256,
}

impl Digesting {
    /// Whole lines, or parts of them in order.
    pub fn add(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        let ends = bytes.iter().filter(|byte| **byte == b'\n').count();
        self.rows += u64::try_from(ends).unwrap_or(u64::MAX);
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub fn end(self) -> Digest {
        Digest { rows: self.rows, hash: self.hash.finalize().into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_one_line_whatever_is_in_it() {
        let mut line = Line::default();
        line.integer(-7);
        line.text("a\tb\nc\\N \u{8}\u{b}\u{c}\r 안녕").unwrap();
        line.null();
        line.text("").unwrap();
        line.bytes(&[0, 255]);
        assert_eq!(line.end(), "-7\ta\\tb\\nc\\\\N \\b\\v\\f\\r 안녕\t\\N\t\t\\\\x00ff\n".as_bytes());
        assert_eq!(line.text("a\0b"), Err(HasNul));
    }

    #[test]
    fn a_digest_does_not_depend_on_how_its_bytes_come() {
        let (mut whole, mut parts) = (Digesting::default(), Digesting::default());
        whole.add(b"1\ta\n2\tb\n");
        for byte in b"1\ta\n2\tb\n" {
            parts.add(&[*byte]);
        }
        let whole = whole.end();
        assert_eq!((whole.rows, &whole), (2, &parts.end()));
        assert_ne!(whole, Digesting::default().end());
    }
}
