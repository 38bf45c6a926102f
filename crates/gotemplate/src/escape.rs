//! The functions `html`, `js` and `urlquery`.

use std::fmt::Write as _;

use crate::quote::{characters, is_printable};

pub(crate) fn html(bytes: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            0 => escaped.extend_from_slice("\u{fffd}".as_bytes()),
            b'"' => escaped.extend_from_slice(b"&#34;"),
            b'\'' => escaped.extend_from_slice(b"&#39;"),
            b'&' => escaped.extend_from_slice(b"&amp;"),
            b'<' => escaped.extend_from_slice(b"&lt;"),
            b'>' => escaped.extend_from_slice(b"&gt;"),
            other => escaped.push(*other),
        }
    }
    escaped
}

pub(crate) fn js(bytes: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(bytes.len());
    for unit in characters(bytes) {
        match unit {
            Err(byte) => escaped.push(byte),
            Ok(found @ ('\\' | '\'' | '"')) => {
                escaped.push(b'\\');
                push(&mut escaped, found);
            }
            Ok(found @ ('<' | '>' | '&' | '=')) => push_number(&mut escaped, found),
            Ok(found) if found < ' ' => push_number(&mut escaped, found),
            Ok(found) if found.is_ascii() || is_printable(found) => push(&mut escaped, found),
            Ok(found) => push_number(&mut escaped, found),
        }
    }
    escaped
}

fn push(bytes: &mut Vec<u8>, character: char) {
    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

fn push_number(bytes: &mut Vec<u8>, character: char) {
    bytes.extend_from_slice(format!("\\u{:04X}", u32::from(character)).as_bytes());
}

pub(crate) fn url_query(bytes: &[u8]) -> Vec<u8> {
    let mut escaped = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b' ' => escaped.push('+'),
            b'-' | b'_' | b'.' | b'~' => escaped.push(char::from(*byte)),
            other if other.is_ascii_alphanumeric() => escaped.push(char::from(*other)),
            // writing to a string cannot fail
            other => drop(write!(escaped, "%{other:02X}")),
        }
    }
    escaped.into_bytes()
}
