//! Text that somebody else chose, where people read it.

/// Letters of a text that are shown.
const SHOWN: usize = 64;

/// Whether a letter is a control character, invisible, or reorders the letters around it. Text that
/// others chose has none of them where people read it.
///
/// ```
/// use windlass_core::terminal::is_unsafe;
///
/// assert!(is_unsafe('\u{1b}') && is_unsafe('\u{202e}'));
/// assert!(!is_unsafe('é') && !is_unsafe(' '));
/// ```
pub fn is_unsafe(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// The beginning of a text that somebody else chose, in quotes, with what is no plain letter as an
/// escape. At most 64 letters of it are shown; a `…` stands for the rest. (The precision of a
/// format, as in `{:.64?}`, does not cut text that is shown in quotes.)
///
/// ```
/// use windlass_core::terminal::quoted;
///
/// assert_eq!(quoted("a\n\u{202e}"), r#""a\n\u{202e}""#);
/// assert_eq!(quoted(&"a".repeat(100)), format!("\"{}\"…", "a".repeat(64)));
/// ```
pub fn quoted(text: &str) -> String {
    quoted_start(text, SHOWN)
}

/// The same with another number of letters.
pub fn quoted_start(text: &str, letters: usize) -> String {
    let start: String = text.chars().take(letters).collect();
    let more = if start.len() < text.len() { "…" } else { "" };
    format!("{start:?}{more}")
}
