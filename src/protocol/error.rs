use super::json::AnswerEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The only thing a client is told about what went wrong. Codes are stable; words are made from
/// them in the reader's language by `i18n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", from = "String")]
pub enum ErrorCode {
    // About the caller
    Unauthenticated,
    WrongCredentials,
    WrongOrigin,
    Forbidden,
    RateLimited,
    TooManyConnections,
    // About what was asked for
    NotFound,
    Gap,
    LinkExpired,
    // About what was sent
    BadRequest,
    UnknownType,
    BadKey,
    KeyReused,
    /// The message to be changed has been erased.
    Erased,
    BodyEmpty,
    BodyTooLong,
    ControlCharacter,
    NameEmpty,
    NameTooLong,
    NameInvisible,
    NameTaken,
    BadSlug,
    SlugTaken,
    PasswordTooShort,
    PasswordTooLong,
    TooManyRooms,
    TooManyWebhooks,
    /// An address that may not be reached from here.
    BadUrl,
    /// It cannot be said then: it is over, or too far away.
    BadTime,
    TooManyScheduled,
    /// An account has as many under way as it may have, or the room is being exported.
    TooManyExports,
    LastMember,
    LastOwner,
    TooLarge,
    TooManyFiles,
    /// Not there, of another room or account, refused, or carried by a message already.
    NoSuchFile,
    /// An image that is not made anew yet.
    FileNotReady,
    BrokenImage,
    TooManyPixels,
    ImageTooComplex,
    /// Whatever was to make it anew failed or was cancelled; no fault of the image.
    ImageFailed,
    // About the server
    /// The server keeps what is left of its disk for everything else.
    DiskFull,
    Unavailable,
    Internal,
    /// Of a later version, or the network's: worth another try.
    Unknown,
}

impl From<String> for ErrorCode {
    fn from(text: String) -> ErrorCode {
        ErrorCode::ALL.into_iter().find(|code| code.as_str() == text).unwrap_or(ErrorCode::Unknown)
    }
}

impl ErrorCode {
    pub const ALL: [ErrorCode; 45] = {
        use ErrorCode::*;
        [
            Unauthenticated,
            WrongCredentials,
            WrongOrigin,
            Forbidden,
            RateLimited,
            TooManyConnections,
            NotFound,
            Gap,
            LinkExpired,
            BadRequest,
            UnknownType,
            BadKey,
            KeyReused,
            Erased,
            BodyEmpty,
            BodyTooLong,
            ControlCharacter,
            NameEmpty,
            NameTooLong,
            NameInvisible,
            NameTaken,
            BadSlug,
            SlugTaken,
            PasswordTooShort,
            PasswordTooLong,
            TooManyRooms,
            TooManyWebhooks,
            BadUrl,
            BadTime,
            TooManyScheduled,
            TooManyExports,
            LastMember,
            LastOwner,
            TooLarge,
            TooManyFiles,
            NoSuchFile,
            FileNotReady,
            BrokenImage,
            TooManyPixels,
            ImageTooComplex,
            ImageFailed,
            DiskFull,
            Unavailable,
            Internal,
            Unknown,
        ]
    };

    /// Whether the same request, with the same key, may succeed later without a change.
    pub fn retryable(self) -> bool {
        use ErrorCode::*;
        matches!(
            self,
            RateLimited
                | TooManyConnections
                | TooManyExports
                | FileNotReady
                | ImageFailed
                | DiskFull
                | Unavailable
                | Internal
                | Unknown
        )
    }

    /// The code as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        use ErrorCode::*;
        match self {
            Unauthenticated => "unauthenticated",
            WrongCredentials => "wrong_credentials",
            WrongOrigin => "wrong_origin",
            Forbidden => "forbidden",
            RateLimited => "rate_limited",
            TooManyConnections => "too_many_connections",
            NotFound => "not_found",
            Gap => "gap",
            LinkExpired => "link_expired",
            BadRequest => "bad_request",
            UnknownType => "unknown_type",
            BadKey => "bad_key",
            KeyReused => "key_reused",
            Erased => "erased",
            BodyEmpty => "body_empty",
            BodyTooLong => "body_too_long",
            ControlCharacter => "control_character",
            NameEmpty => "name_empty",
            NameTooLong => "name_too_long",
            NameInvisible => "name_invisible",
            NameTaken => "name_taken",
            BadSlug => "bad_slug",
            SlugTaken => "slug_taken",
            PasswordTooShort => "password_too_short",
            PasswordTooLong => "password_too_long",
            TooManyRooms => "too_many_rooms",
            TooManyWebhooks => "too_many_webhooks",
            BadUrl => "bad_url",
            BadTime => "bad_time",
            TooManyScheduled => "too_many_scheduled",
            TooManyExports => "too_many_exports",
            LastMember => "last_member",
            LastOwner => "last_owner",
            TooLarge => "too_large",
            TooManyFiles => "too_many_files",
            NoSuchFile => "no_such_file",
            FileNotReady => "file_not_ready",
            BrokenImage => "broken_image",
            TooManyPixels => "too_many_pixels",
            ImageTooComplex => "image_too_complex",
            ImageFailed => "image_failed",
            DiskFull => "disk_full",
            Unavailable => "unavailable",
            Internal => "internal",
            Unknown => "unknown",
        }
    }
}

/// The body of every failed HTTP answer, and the error of every server function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    pub code: ErrorCode,
    /// English, for developers; people read the catalogue's words for `code`.
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u32>,
}

impl ErrorBody {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> ErrorBody {
        ErrorBody { code, message: message.into(), retry_after_ms: None }
    }
}

impl From<ErrorCode> for ErrorBody {
    fn from(code: ErrorCode) -> ErrorBody {
        ErrorBody::new(code, code.as_str())
    }
}

impl fmt::Display for ErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ErrorBody {}

impl FromServerFnError for ErrorBody {
    type Encoder = AnswerEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> ErrorBody {
        match error {
            ServerFnErrorErr::Request(_) => ErrorBody::from(ErrorCode::Unavailable),
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
                ErrorBody::from(ErrorCode::BadRequest)
            }
            _ => ErrorBody::from(ErrorCode::Internal),
        }
    }
}
