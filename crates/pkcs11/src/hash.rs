//! The hashes that are signed, as the protocol numbers them: by Go's `crypto.Hash`.

use std::io::Read;

use cryptoki::mechanism::MechanismType;
use cryptoki::mechanism::rsa::PkcsMgfType;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::error::Error;

/// A hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// What stands before a digest that RSA signs by PKCS#1 v1.5 (RFC 8017, section 9.2, note 1).
const SHA256: [u8; 19] = info(0x31, 1, 0x20);
const SHA384: [u8; 19] = info(0x41, 2, 0x30);
const SHA512: [u8; 19] = info(0x51, 3, 0x40);

/// `DigestInfo` without the digest, of which `arc` is the last arc of the hash's object identifier.
const fn info(length: u8, arc: u8, digest: u8) -> [u8; 19] {
    [
        0x30, length, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, arc,
        0x05, 0x00, 0x04, digest,
    ]
}

impl Hash {
    pub(crate) fn of_number(number: u64) -> Result<Self, Error> {
        match number {
            5 => Ok(Self::Sha256),
            6 => Ok(Self::Sha384),
            7 => Ok(Self::Sha512),
            _ => Err(Error::Arguments(
                "`hashFunc` is not SHA-256 (5), SHA-384 (6) or SHA-512 (7)",
            )),
        }
    }

    /// The hash whose digests have this many bytes.
    pub(crate) fn of_length(length: usize) -> Result<Self, Error> {
        let known = [Self::Sha256, Self::Sha384, Self::Sha512];
        let mut known = known.into_iter();
        let known = known.find(|hash| hash.length() == length);
        known.ok_or(Error::Arguments(
            "the digest is not one of SHA-256, SHA-384 or SHA-512",
        ))
    }

    /// Bytes of a digest.
    pub(crate) fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The digest of everything that comes.
    pub(crate) fn digest(self, input: impl Read) -> Result<Vec<u8>, Error> {
        match self {
            Self::Sha256 => digest::<Sha256>(input),
            Self::Sha384 => digest::<Sha384>(input),
            Self::Sha512 => digest::<Sha512>(input),
        }
    }

    /// What RSA signs by PKCS#1 v1.5 of a digest.
    pub(crate) fn digest_info(self, digest: &[u8]) -> Vec<u8> {
        let before = match self {
            Self::Sha256 => SHA256,
            Self::Sha384 => SHA384,
            Self::Sha512 => SHA512,
        };
        [&before, digest].concat()
    }

    pub(crate) fn mechanism(self) -> MechanismType {
        match self {
            Self::Sha256 => MechanismType::SHA256,
            Self::Sha384 => MechanismType::SHA384,
            Self::Sha512 => MechanismType::SHA512,
        }
    }

    pub(crate) fn mask(self) -> PkcsMgfType {
        match self {
            Self::Sha256 => PkcsMgfType::MGF1_SHA256,
            Self::Sha384 => PkcsMgfType::MGF1_SHA384,
            Self::Sha512 => PkcsMgfType::MGF1_SHA512,
        }
    }
}

fn digest<D: Digest>(mut input: impl Read) -> Result<Vec<u8>, Error> {
    let (mut hash, mut piece) = (D::new(), vec![0; 64 << 10]);
    loop {
        let read = input
            .read(&mut piece)
            .map_err(|error| Error::Input(error.kind()))?;
        if read == 0 {
            return Ok(hash.finalize().to_vec());
        }
        hash.update(&piece[..read]);
    }
}
