//! Percent-encoding (RFC 3986, section 2.1), read strictly: what follows a `%` is two hexadecimal digits.

use zeroize::Zeroizing;

/// A text without its percent-encoding, wiped on drop as it may be a secret. None if a `%` is followed by
/// anything else.
pub fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = others;
            continue;
        }
        let (digits, others) = others.split_at_checked(2)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let digits = std::str::from_utf8(digits).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = others;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hexadecimal_digits_are_a_byte_and_anything_else_is_none() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("a b+c", b"a b+c"),
            ("My%20token", b"My token"),
            ("%01%aB%25", b"\x01\xab%"),
        ] {
            assert_eq!(decode(text).unwrap().as_slice(), bytes);
        }
        for text in ["%", "%2", "%g0", "%+1", "%2%20", "%\u{fc}"] {
            assert!(decode(text).is_none(), "{text}");
        }
    }
}
