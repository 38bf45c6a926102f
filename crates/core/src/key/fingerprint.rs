//! OpenSSH's SHA-256 fingerprint of a public key, which Tekton Chains writes as an envelope's
//! `keyid` (docs/behaviour.md, "DSSE envelope"). The wire encodings are those of RFC 4253, 5656 and
//! 8709.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest as _, Sha256};

/// The wire encoding of a key, under construction.
#[derive(Default)]
pub(super) struct Wire(Vec<u8>);

impl Wire {
    /// Appends a string: its length in four bytes, then its bytes.
    pub(super) fn string(mut self, bytes: &[u8]) -> Self {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    /// Appends a positive integer given in big-endian bytes: no leading zeros, except one when the
    /// first bit is set.
    pub(super) fn integer(self, big_endian: &[u8]) -> Self {
        let zeros = big_endian.iter().take_while(|byte| **byte == 0).count();
        let digits = &big_endian[zeros..];
        if digits.first().is_some_and(|byte| byte & 0x80 != 0) {
            return self.string(&[&[0], digits].concat());
        }
        self.string(digits)
    }

    /// `SHA256:` and the unpadded base64 of the encoding's digest.
    pub(super) fn fingerprint(self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(self.0)))
    }
}
