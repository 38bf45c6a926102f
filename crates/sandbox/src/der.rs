//! DER, as far as certificates and timestamps take it.

/// An element with this tag.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = match u8::try_from(length) {
        Ok(short) if short < 0x80 => vec![tag, short],
        Ok(byte) => vec![tag, 0x81, byte],
        Err(_) => {
            let [.., high, low] = length.to_be_bytes();
            vec![tag, 0x82, high, low]
        }
    };
    [head, content.to_vec()].concat()
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

pub(crate) fn set(parts: &[&[u8]]) -> Vec<u8> {
    element(0x31, &parts.concat())
}

pub(crate) fn octets(content: &[u8]) -> Vec<u8> {
    element(0x04, content)
}

/// A positive number, as its bytes.
pub(crate) fn integer(bytes: &[u8]) -> Vec<u8> {
    element(0x02, bytes)
}

/// An identifier, as its encoded content.
pub(crate) fn oid(content: &[u8]) -> Vec<u8> {
    element(0x06, content)
}

/// What is in a tag of the context.
pub(crate) fn explicit(number: u8, content: &[u8]) -> Vec<u8> {
    element(0xa0 | number, content)
}

/// How long the head of an element is, and how long its content; nothing of what is too short.
pub(crate) fn head(der: &[u8]) -> (usize, usize) {
    match der {
        [_, long, rest @ ..] if long & 0x80 != 0 => {
            let digits = usize::from(long & 0x7f).min(4);
            let number = rest.iter().take(digits);
            let length = number.fold(0, |length, byte| length << 8 | usize::from(*byte));
            (2 + digits, length)
        }
        [_, short, ..] => (2, usize::from(*short)),
        _ => (der.len(), 0),
    }
}

/// The elements in a row, each its tag and its content; what is cut short is left out.
pub(crate) fn elements(mut der: &[u8]) -> Vec<(u8, &[u8])> {
    let mut found = Vec::new();
    while let Some(tag) = der.first() {
        let (start, length) = head(der);
        let Some(content) = der.get(start..start + length) else {
            break;
        };
        found.push((*tag, content));
        der = &der[start + length..];
    }
    found
}
