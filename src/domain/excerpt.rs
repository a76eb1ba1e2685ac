use super::invisible::{is_invisible, joins};

/// A line of a stranger's text, to be shown as it is: blanks are single, controls and what shows nothing or turns the
/// text around is left out, and what is longer than `max_chars` characters ends with `…`.
pub fn excerpt(text: &str, max_chars: usize) -> String {
    let mut line = String::new();
    let (mut chars, mut gap) = (0, false);
    for c in text.chars() {
        if c.is_whitespace() {
            gap = chars > 0;
            continue;
        }
        if c.is_control() || is_invisible(c) && !joins(c) {
            continue;
        }
        let needed = chars + usize::from(gap) + 1;
        if needed > max_chars {
            return cut(line, max_chars);
        }
        if gap {
            line.push(' ');
        }
        line.push(c);
        (chars, gap) = (needed, false);
    }
    line
}

/// One character less, where the line is full, makes room for the mark.
fn cut(mut line: String, max_chars: usize) -> String {
    if line.chars().count() >= max_chars {
        line.pop();
    }
    line.push('…');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_can_be_seen() {
        assert_eq!(excerpt("  a \n\t b\u{a0}c ", 99), "a b c");
        assert_eq!(excerpt("a\u{202e}b\u{0}c\u{200b}d\u{7f}", 99), "abcd");
        assert_eq!(excerpt("👩\u{200d}💻 ❤\u{fe0f}", 99), "👩\u{200d}💻 ❤\u{fe0f}");
        assert_eq!(excerpt(" \u{200b}\n", 99), "");
    }

    #[test]
    fn a_long_line_is_cut_at_characters() {
        assert_eq!(excerpt("가나다라", 4), "가나다라");
        assert_eq!(excerpt("가나다라마", 4), "가나다…");
        assert_eq!(excerpt("ab cd", 3), "ab…");
        for max in 1..6 {
            assert!(excerpt("ab cd ef gh", max).chars().count() <= max, "{max}");
        }
    }
}
