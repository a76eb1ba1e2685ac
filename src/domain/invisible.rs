/// Whether a character shows nothing by itself or reverses the text around it: Unicode's default
/// ignorable code points, line separators and blanks that are none by their category. Two names
/// that differ in these alone look alike. Controls and plain blanks are not among them.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether an invisible character has its use within emoji and words: joiners, the selectors of
/// emoji and text style, the letters of regional flags.
pub(super) fn joins(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{e0020}'..='\u{e007f}')
}

/// Whether nobody would see anything of the text.
pub(super) fn shows_nothing(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_seen_is_not_invisible() {
        for text in ["a", "가", "ㅎ", "؟", "❤\u{fe0f}", "👩\u{200d}💻", " .", "\u{301}"] {
            assert!(!shows_nothing(text), "{text:?}");
        }
        for text in ["", " \n\u{3000}", "\u{200b}", "\u{fe0f}\u{200d}", "\u{2800}", "\u{e0041}", "\u{202e} \u{ad}"] {
            assert!(shows_nothing(text), "{text:?}");
        }
    }
}
