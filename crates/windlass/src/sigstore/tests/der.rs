//! A little DER, as far as certificates and timestamps of tests need it.

/// Something with its tag and length.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut written = vec![tag];
    match length {
        0..=0x7f => written.push(u8::try_from(length).unwrap()),
        0x80..=0xff => written.extend([0x81, u8::try_from(length).unwrap()]),
        _ => {
            let length = u16::try_from(length).unwrap().to_be_bytes();
            written.push(0x82);
            written.extend(length);
        }
    }
    written.extend(content);
    written
}

pub(crate) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

pub(crate) fn set(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x31, &parts.concat())
}

pub(crate) fn octets(content: &[u8]) -> Vec<u8> {
    tlv(0x04, content)
}

pub(crate) fn integer(value: u8) -> Vec<u8> {
    tlv(0x02, &[value])
}

/// An object identifier in dots.
pub(crate) fn oid(dots: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dots.split('.').map(|arc| arc.parse().unwrap()).collect();
    let mut content = vec![u8::try_from(arcs[0] * 40 + arcs[1]).unwrap()];
    for arc in &arcs[2..] {
        let mut groups = vec![u8::try_from(arc & 0x7f).unwrap()];
        let mut rest = arc >> 7;
        while rest > 0 {
            groups.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
            rest >>= 7;
        }
        content.extend(groups.iter().rev());
    }
    tlv(0x06, &content)
}

/// The first thing in some bytes, with its tag and length, and what follows it.
pub(crate) fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (start, length) = header(bytes);
    bytes.split_at(start + length)
}

/// What is inside the first thing in some bytes.
pub(crate) fn inside(bytes: &[u8]) -> &[u8] {
    let (start, length) = header(bytes);
    &bytes[start..start + length]
}

fn header(bytes: &[u8]) -> (usize, usize) {
    match bytes[1] {
        short @ 0..=0x7f => (2, usize::from(short)),
        0x81 => (3, usize::from(bytes[2])),
        _ => (4, usize::from(u16::from_be_bytes([bytes[2], bytes[3]]))),
    }
}
