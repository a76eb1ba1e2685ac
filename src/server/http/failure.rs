use crate::protocol::ErrorCode;
use crate::server::error::AppError;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// An error with a status that says more than its code, such as 405 or 415.
pub(super) struct Failure {
    error: AppError,
    status: StatusCode,
}

impl Failure {
    /// Something about the form of the request, told by HTTP's own status.
    pub fn bad_request(status: StatusCode, message: impl Into<String>) -> Failure {
        let code = match status {
            StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::TooLarge,
            _ => ErrorCode::BadRequest,
        };
        Failure { error: AppError::Refused { code, message: message.into() }, status }
    }

    pub fn method_not_allowed() -> Failure {
        Failure::bad_request(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Failure {
        let status = error.status();
        Failure { error, status }
    }
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Failure {
        AppError::refused(code).into()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.error.into_response();
        *response.status_mut() = self.status;
        response
    }
}
