//! What the server says about a file.

use super::UploadState;
use crate::protocol::{Attached, ErrorCode, json};
use serde::Deserialize;

/// Both of a file and of a refusal.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: Option<ErrorCode>,
}

/// `status` is zero where there was no answer.
pub fn read(status: u16, text: &str) -> UploadState {
    if status == 0 {
        return UploadState::Failed(ErrorCode::Unavailable);
    }
    let answer = json::read(text).unwrap_or(Answer { state: String::new(), code: None });
    match (answer.state.as_str(), json::read::<Attached>(text)) {
        ("ready", Ok(file)) => UploadState::Ready(file),
        ("uploaded", Ok(file)) => UploadState::Preparing(file),
        // A proxy may refuse what is too large for it in words of its own.
        _ if status == 413 => UploadState::Failed(ErrorCode::TooLarge),
        _ => UploadState::Failed(answer.code.unwrap_or(ErrorCode::Unknown)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#""id":"07070707070707070707070707070707","name":"a.png","type":"image/png","bytes":3"#;

    #[test]
    fn a_file_is_ready_or_prepared_or_refused() {
        let said = |rest: &str| read(200, &format!("{{{FILE},{rest}}}"));
        assert!(
            matches!(said(r#""state":"ready","width":2,"height":1"#), UploadState::Ready(file) if file.width == Some(2))
        );
        assert!(matches!(said(r#""state":"uploaded""#), UploadState::Preparing(file) if file.name == "a.png"));
        let refused = said(r#""state":"refused","code":"broken_image""#);
        assert_eq!(refused, UploadState::Failed(ErrorCode::BrokenImage));
    }

    #[test]
    fn whatever_else_comes_is_a_failure() {
        let code = |status, text| match read(status, text) {
            UploadState::Failed(code) => code,
            other => panic!("{other:?}"),
        };
        assert_eq!(code(0, ""), ErrorCode::Unavailable);
        assert_eq!(code(422, r#"{"code":"too_many_pixels","message":"…"}"#), ErrorCode::TooManyPixels);
        assert_eq!(code(413, "<h1>Request Entity Too Large</h1>"), ErrorCode::TooLarge);
        assert_eq!(code(502, "<h1>Bad Gateway</h1>"), ErrorCode::Unknown);
        assert_eq!(code(200, r#"{"state":"ready"}"#), ErrorCode::Unknown);
    }
}
