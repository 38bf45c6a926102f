//! Bytes that may be base64 of what is meant, once or twice.
//!
//! An annotation of a run is base64; copied out of it by hand, it may be decoded or not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// `bytes` as they are, decoded once, and decoded twice, as far as they can be decoded.
pub(crate) fn layers(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut layers = vec![bytes.to_vec()];
    while layers.len() < 3
        && let Some(decoded) = layers.last().and_then(|outer| decode(outer))
    {
        layers.push(decoded);
    }
    layers
}

/// Standard base64, with line breaks anywhere; nothing for an empty text.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let letters = text.iter().copied().filter(|c| !c.is_ascii_whitespace());
    let bytes = STANDARD.decode(letters.collect::<Vec<u8>>()).ok()?;
    (!bytes.is_empty()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded_twice_at_most() {
        let once = STANDARD.encode("!");
        let twice = STANDARD.encode(&once);
        let thrice = STANDARD.encode(&twice);
        assert_eq!(layers(b"!"), [b"!"]);
        assert_eq!(layers(twice.as_bytes()).last().unwrap(), b"!");
        assert_eq!(layers(thrice.as_bytes()).last().unwrap(), once.as_bytes());
    }

    #[test]
    fn line_breaks_are_skipped_and_an_empty_text_has_no_layer_below() {
        assert_eq!(decode(b"cHBw\ncHBw\n").unwrap(), b"pppppp");
        assert_eq!(decode(b"\n"), None);
    }
}
