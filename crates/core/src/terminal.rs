//! Letters that do something to a terminal, or to the text around them.

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
