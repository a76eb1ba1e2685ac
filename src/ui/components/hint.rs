use crate::domain::When;
use crate::protocol::ErrorCode;

/// What stands above the text box.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    Nothing,
    /// Characters, about, that still fit.
    Left(u32),
    /// Characters, about, that are too many.
    TooLong(u32),
    Refused(ErrorCode),
    /// Files are not all there.
    Uploading,
    /// Some were left out.
    TooManyFiles,
    /// An edit takes none.
    EditTakesNoFiles,
    /// What to write behind a command's name.
    Usage,
    /// When it would be sent, and that there is nothing to be sent yet.
    Planned(When),
    NoText,
    /// When it is sent: Unix milliseconds.
    Scheduled(i64),
    /// It looks like a command.
    UnknownCommand,
}

impl Hint {
    pub fn is_wrong(self) -> bool {
        matches!(
            self,
            Hint::TooLong(_) | Hint::Refused(_) | Hint::TooManyFiles | Hint::EditTakesNoFiles | Hint::UnknownCommand
        )
    }
}

/// Says something about the length only near the limit of `max_bytes` and beyond it.
pub fn length_hint(text: &str, max_bytes: usize) -> Hint {
    let Some(left) = max_bytes.checked_sub(text.len()) else {
        return Hint::TooLong(about(chars_over(text, max_bytes)));
    };
    if left > max_bytes / 10 || text.is_empty() {
        return Hint::Nothing;
    }
    // As many as fit if the writer goes on in the same script.
    Hint::Left(about((left * text.chars().count() / text.len()) as u32))
}

/// Rounded up, so that it is not said anew with every key.
fn about(chars: u32) -> u32 {
    let step = if chars > 100 { 100 } else { 10 };
    chars.div_ceil(step) * step
}

/// How many characters at the end are beyond the limit.
fn chars_over(text: &str, max_bytes: usize) -> u32 {
    text.char_indices().rev().take_while(|(at, c)| at + c.len_utf8() > max_bytes).count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_announced_near_it_and_counted_beyond_it() {
        let hint = |text: &str| length_hint(text, 300);
        assert!(hint("") == Hint::Nothing);
        assert!(hint(&"a".repeat(269)) == Hint::Nothing);
        assert!(hint(&"a".repeat(280)) == Hint::Left(20));
        assert!(hint(&"가".repeat(94)) == Hint::Left(10));
        assert!(hint(&"가".repeat(100)) == Hint::Left(0));
        assert!(hint(&"가".repeat(103)) == Hint::TooLong(10));
        assert!(hint(&format!("{}가", "a".repeat(299))) == Hint::TooLong(10));
    }
}
