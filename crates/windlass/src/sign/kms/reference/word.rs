//! The characters of names.

/// Whether a text consists of one or more letters, digits and these.
pub(super) fn is_word(text: &str, more: &[u8]) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || more.contains(&byte);
    (1..=256).contains(&text.len()) && text.bytes().all(is_letter)
}
