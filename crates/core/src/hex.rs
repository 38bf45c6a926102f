//! Hexadecimal digits, as digests are written.

use std::fmt::Write as _;

/// The lower-case digits of bytes, two for each.
pub fn digits(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // a String takes anything
        let _ = write!(text, "{byte:02x}");
    }
    text
}
