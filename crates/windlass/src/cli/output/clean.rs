//! Text from the cluster, made safe for a terminal.
//!
//! Whoever may create a run chooses its names, labels, results and messages. Control characters in
//! them could move the cursor, recolour or rename the window, and direction marks could reorder the
//! text; both are printed as escapes.

use std::borrow::Cow;

use windlass_core::terminal::is_unsafe;

/// Longest value shown whole, in characters.
const SHOWN_WHOLE: usize = 120;
/// How much of a longer value is shown, in characters.
const SHOWN_START: usize = 64;

/// One line of text without control characters and direction marks.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_unsafe(character) {
            clean.extend(character.escape_default());
        } else {
            clean.push(character);
        }
    }
    Cow::Owned(clean)
}

/// Text whose line breaks are kept, each further line indented by `indent`.
pub(crate) fn lines(text: &str, indent: &str) -> String {
    let clean: Vec<_> = text.trim_end().lines().map(line).collect();
    clean.join(&format!("\n{indent}"))
}

/// One line; of a long value only its start and its size in bytes.
pub(crate) fn short(text: &str) -> String {
    if text.chars().nth(SHOWN_WHOLE).is_none() {
        return line(text).into_owned();
    }
    let start: String = text.chars().take(SHOWN_START).collect();
    format!("{}… ({} bytes)", line(&start), text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_sequences_are_written_out() {
        assert_eq!(line("a\u{1b}[31mred\u{7}"), "a\\u{1b}[31mred\\u{7}");
        assert_eq!(line("\u{9b}2J\r\n\u{202e}x"), "\\u{9b}2J\\r\\n\\u{202e}x");
        assert_eq!(line("déjà ∙ 日本"), "déjà ∙ 日本");
    }

    #[test]
    fn a_message_keeps_its_line_breaks_and_nothing_else() {
        assert_eq!(lines("a\nb\u{1b}c\n", " "), "a\n b\\u{1b}c");
    }

    #[test]
    fn a_long_value_is_shown_as_its_start_and_size() {
        assert_eq!(short(&"a".repeat(120)), "a".repeat(120));
        assert_eq!(
            short(&"é".repeat(121)),
            format!("{}… (242 bytes)", "é".repeat(64))
        );
    }
}
