//! One error for every use case, and its one map to what a client is told.

use super::store::{InviteError, Refusal, StoreError};
use crate::domain::{BodyError, KeyError, PasswordError, RoomNameError, SlugError, UserNameError};
use crate::protocol::{ErrorBody, ErrorCode};
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Why a use case failed. `Display` is for developers and safe to show them: no SQL, no paths.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Refused for a reason that `code` names.
    #[error("{message}")]
    Refused { code: ErrorCode, message: String },
    #[error("too many requests, try again in {retry_after_ms} ms")]
    RateLimited { retry_after_ms: u32 },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("internal error: {0}")]
    Internal(String),
}

impl AppError {
    pub fn refused(code: ErrorCode) -> AppError {
        AppError::Refused { code, message: code.as_str().replace('_', " ") }
    }

    pub fn code(&self) -> ErrorCode {
        match self {
            AppError::Refused { code, .. } => *code,
            AppError::RateLimited { .. } => ErrorCode::RateLimited,
            AppError::Store(StoreError::Unavailable(_)) => ErrorCode::Unavailable,
            AppError::Store(StoreError::Internal(_)) | AppError::Internal(_) => ErrorCode::Internal,
        }
    }

    pub fn retry_after_ms(&self) -> Option<u32> {
        match self {
            AppError::RateLimited { retry_after_ms } => Some(*retry_after_ms),
            _ => retry_after_ms(self.code()),
        }
    }

    pub fn body(&self) -> ErrorBody {
        let message = match self {
            AppError::Refused { message, .. } => message.clone(),
            AppError::RateLimited { .. } => self.to_string(),
            // Details of the engine stay in the log.
            AppError::Store(_) | AppError::Internal(_) => self.code().as_str().to_owned(),
        };
        ErrorBody { code: self.code(), message, retry_after_ms: self.retry_after_ms() }
    }

    pub fn status(&self) -> StatusCode {
        status(self.code())
    }

    /// Logs what a client is not told. Called once, where the error is answered.
    pub fn log(&self) {
        match self {
            // The store says it once; here it would be said for every command that meets it.
            AppError::Store(StoreError::Unavailable(_)) => tracing::debug!(error = %self, "request refused"),
            AppError::Store(_) | AppError::Internal(_) => tracing::error!(error = %self, "request failed"),
            AppError::Refused { .. } | AppError::RateLimited { .. } => {}
        }
    }
}

/// When the same request may succeed, for every code that can be retried: soon where something is
/// full or busy, later where something has to end or be repaired first.
pub fn retry_after_ms(code: ErrorCode) -> Option<u32> {
    match code {
        ErrorCode::Unavailable | ErrorCode::RateLimited | ErrorCode::FileNotReady => Some(1_000),
        ErrorCode::TooManyConnections
        | ErrorCode::TooManyExports
        | ErrorCode::ImageFailed
        | ErrorCode::DiskFull
        | ErrorCode::Internal
        | ErrorCode::Unknown => Some(5_000),
        _ => None,
    }
}

/// The HTTP status that goes with a code.
pub fn status(code: ErrorCode) -> StatusCode {
    use ErrorCode::*;
    match code {
        Unauthenticated | WrongCredentials => StatusCode::UNAUTHORIZED,
        WrongOrigin | Forbidden => StatusCode::FORBIDDEN,
        RateLimited | TooManyConnections | TooManyExports => StatusCode::TOO_MANY_REQUESTS,
        NotFound => StatusCode::NOT_FOUND,
        Gap | LinkExpired | Erased => StatusCode::GONE,
        KeyReused | NameTaken | SlugTaken | LastMember | LastOwner | FileNotReady => StatusCode::CONFLICT,
        TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        BadRequest => StatusCode::BAD_REQUEST,
        UnknownType | BadKey | BodyEmpty | BodyTooLong | ControlCharacter | NameEmpty | NameTooLong | NameInvisible
        | BadSlug | PasswordTooShort | PasswordTooLong | TooManyRooms | TooManyWebhooks | BadUrl | BadTime
        | TooManyScheduled | TooManyFiles | NoSuchFile | BrokenImage | TooManyPixels | ImageTooComplex => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        DiskFull => StatusCode::INSUFFICIENT_STORAGE,
        Unavailable | ImageFailed => StatusCode::SERVICE_UNAVAILABLE,
        Internal | Unknown => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        self.log();
        let body = self.body();
        let mut response = (self.status(), Json(&body)).into_response();
        // For who answers with a page instead.
        response.extensions_mut().insert(body);
        if let Some(ms) = self.retry_after_ms() {
            let seconds = ms.div_ceil(1_000);
            response.headers_mut().insert(axum::http::header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<AppError> for ErrorBody {
    fn from(error: AppError) -> ErrorBody {
        error.log();
        error.body()
    }
}

impl From<Refusal> for AppError {
    fn from(refusal: Refusal) -> AppError {
        let code = match refusal {
            Refusal::NotFound => ErrorCode::NotFound,
            Refusal::Forbidden => ErrorCode::Forbidden,
            Refusal::KeyReused => ErrorCode::KeyReused,
            Refusal::Gap => ErrorCode::Gap,
            Refusal::Erased => ErrorCode::Erased,
            Refusal::NoSuchFile => ErrorCode::NoSuchFile,
            Refusal::FileNotReady => ErrorCode::FileNotReady,
            Refusal::SlugTaken => ErrorCode::SlugTaken,
            Refusal::LastMember => ErrorCode::LastMember,
            Refusal::Store(error) => return AppError::Store(error),
        };
        AppError::refused(code)
    }
}

impl From<InviteError> for AppError {
    fn from(error: InviteError) -> AppError {
        match error {
            InviteError::LinkExpired => AppError::refused(ErrorCode::LinkExpired),
            InviteError::NameTaken => AppError::refused(ErrorCode::NameTaken),
            InviteError::Store(error) => AppError::Store(error),
        }
    }
}

/// Rules of the domain carry their own sentence.
macro_rules! refused_with {
    ($($error:ty => |$value:ident| $code:expr;)*) => {$(
        impl From<$error> for AppError {
            fn from($value: $error) -> AppError {
                AppError::Refused { code: $code, message: $value.to_string() }
            }
        }
    )*};
}

refused_with! {
    KeyError => |error| ErrorCode::BadKey;
    SlugError => |error| ErrorCode::BadSlug;
    BodyError => |error| match error {
        BodyError::Empty => ErrorCode::BodyEmpty,
        BodyError::TooLong { .. } => ErrorCode::BodyTooLong,
        BodyError::ControlCharacter => ErrorCode::ControlCharacter,
    };
    RoomNameError => |error| match error {
        RoomNameError::Empty => ErrorCode::NameEmpty,
        RoomNameError::TooLong { .. } => ErrorCode::NameTooLong,
        RoomNameError::ControlCharacter => ErrorCode::ControlCharacter,
        RoomNameError::Invisible => ErrorCode::NameInvisible,
    };
    UserNameError => |error| match error {
        UserNameError::Empty => ErrorCode::NameEmpty,
        UserNameError::TooLong { .. } => ErrorCode::NameTooLong,
        UserNameError::Invisible => ErrorCode::NameInvisible,
    };
    PasswordError => |error| match error {
        PasswordError::TooShort { .. } => ErrorCode::PasswordTooShort,
        PasswordError::TooLong { .. } => ErrorCode::PasswordTooLong,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_that_can_be_retried_says_when() {
        for code in ErrorCode::ALL {
            assert_eq!(AppError::refused(code).retry_after_ms().is_some(), code.retryable(), "{code:?}");
        }
    }
}
