//! Timestamps of an authority (RFC 3161): the request for one, and what its response says.
//!
//! Whether the authority made it is not checked here: that takes its certificates. What is checked is
//! that it is the answer to this request, about this signature or envelope, and of a time that can be.

use jiff::Timestamp;
use pkcs8::der::Tagged as _;
use pkcs8::der::asn1::{AnyRef, GeneralizedTime, ObjectIdentifier, OctetStringRef, UintRef};
use pkcs8::der::{Error, ErrorKind, Reader as _, SliceReader, Tag, TagNumber};
use sha2::{Digest as _, Sha256};

use crate::hex;

#[cfg(test)]
mod tests;

/// Most bytes of a response that are taken: an authority sends its certificates along.
pub const LONGEST: usize = 32 << 10;
/// Bytes of a nonce.
pub const NONCE: usize = 8;
/// How far the clock of an authority may be off, in seconds.
const OFF: i64 = 600;

const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
/// A request for a hash of SHA-256: what is before it, between it and the nonce, and after that.
const BEFORE_HASH: &[u8] = b"\x30\x43\x02\x01\x01\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
const BEFORE_NONCE: &[u8] = b"\x02\x08";
const WITH_CERTIFICATES: &[u8] = b"\x01\x01\xff";

/// Why a timestamp is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StampError {
    /// It is not a response of RFC 3161.
    #[error("it is not a timestamp of RFC 3161")]
    Malformed,
    /// It has more bytes than any needs.
    #[error("it has more than {LONGEST} bytes")]
    TooLong,
    /// The authority gave none.
    #[error("the authority refuses: its status is {0}")]
    Refused(u8),
    /// It is of something else.
    #[error("it is of another signature, or of another envelope")]
    Other,
    /// It answers another request.
    #[error("it answers another request: its nonce is another one")]
    Nonce,
    /// It is of a time that has not come.
    #[error("it has a time in the future")]
    Future,
    /// It was made before it was asked for.
    #[error("it is older than the request, or the clock of the authority is off")]
    Old,
}

/// What a response says.
#[derive(Debug, PartialEq, Eq)]
pub struct Stamp {
    hash: Vec<u8>,
    nonce: Option<Vec<u8>>,
    /// The time according to the authority.
    pub time: Timestamp,
}

/// The request for a timestamp of a signature, or of an envelope, with the certificate that it is made with.
///
/// The first bit of a nonce is cleared, and the next one set: it is a positive number of its length.
pub fn request(stamped: &[u8], nonce: [u8; NONCE]) -> Vec<u8> {
    let hash = Sha256::digest(stamped);
    let parts: [&[u8]; 5] = [
        BEFORE_HASH,
        &hash,
        BEFORE_NONCE,
        &positive(nonce),
        WITH_CERTIFICATES,
    ];
    parts.concat()
}

fn positive(mut nonce: [u8; NONCE]) -> [u8; NONCE] {
    nonce[0] = nonce[0] & 0x3f | 0x40;
    nonce
}

impl Stamp {
    /// Reads a response.
    pub fn read(response: &[u8]) -> Result<Self, StampError> {
        if response.len() > LONGEST {
            return Err(StampError::TooLong);
        }
        match parse(response).map_err(|_| StampError::Malformed)? {
            Ok(stamp) => Ok(stamp),
            Err(status) => Err(StampError::Refused(status)),
        }
    }

    /// The digest of what it is of, `sha256:HEX`.
    pub fn digest(&self) -> String {
        format!("sha256:{}", hex::digits(&self.hash))
    }

    /// Checks that it is of these bytes, and of no time that has not come.
    pub fn check(&self, stamped: &[u8], now: Timestamp) -> Result<(), StampError> {
        if self.hash != *Sha256::digest(stamped) {
            return Err(StampError::Other);
        }
        if self.time.as_second() > now.as_second().saturating_add(OFF) {
            return Err(StampError::Future);
        }
        Ok(())
    }

    /// Checks that it answers a request that was made just now.
    pub fn check_answer(&self, nonce: [u8; NONCE], now: Timestamp) -> Result<(), StampError> {
        if self.nonce.as_deref() != Some(&positive(nonce)) {
            return Err(StampError::Nonce);
        }
        if self.time.as_second() < now.as_second().saturating_sub(OFF) {
            return Err(StampError::Old);
        }
        Ok(())
    }
}

/// What a response says, or its status if there is no timestamp in it.
fn parse(response: &[u8]) -> Result<Result<Stamp, u8>, Error> {
    let mut file = SliceReader::new(response)?;
    let mut outer = inside(&mut file, Tag::Sequence)?;
    file.finish()?;
    let status: u8 = inside(&mut outer, Tag::Sequence)?.decode()?;
    // granted, or granted with changes
    if status > 1 || outer.is_finished() {
        return Ok(Err(status));
    }
    let mut content = inside(&mut outer, Tag::Sequence)?;
    outer.finish()?;
    expect(&mut content, SIGNED_DATA)?;
    let mut explicit = inside(&mut content, context(0))?;
    let mut signed = inside(&mut explicit, Tag::Sequence)?;
    signed.tlv_bytes()?;
    signed.tlv_bytes()?;
    let mut encapsulated = inside(&mut signed, Tag::Sequence)?;
    expect(&mut encapsulated, TST_INFO)?;
    let mut explicit = inside(&mut encapsulated, context(0))?;
    let info: &OctetStringRef = explicit.decode()?;
    info_in(info.as_bytes()).map(Ok)
}

fn info_in(info: &[u8]) -> Result<Stamp, Error> {
    let mut file = SliceReader::new(info)?;
    let mut fields = inside(&mut file, Tag::Sequence)?;
    file.finish()?;
    // version, policy
    fields.tlv_bytes()?;
    fields.tlv_bytes()?;
    let mut imprint = inside(&mut fields, Tag::Sequence)?;
    expect(&mut inside(&mut imprint, Tag::Sequence)?, SHA256)?;
    let hash: &OctetStringRef = imprint.decode()?;
    // serial number
    fields.tlv_bytes()?;
    let time: GeneralizedTime = fields.decode()?;
    let mut nonce = None;
    while !fields.is_finished() {
        match Tag::peek(&fields)? {
            Tag::Integer => {
                let number: UintRef<'_> = fields.decode()?;
                nonce = Some(number.as_bytes().to_vec());
            }
            // accuracy, ordering, name, extensions
            _ => drop(fields.tlv_bytes()?),
        }
    }
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).map_err(|_| malformed())?;
    Ok(Stamp {
        hash: hash.as_bytes().to_vec(),
        nonce,
        time: Timestamp::from_second(seconds).map_err(|_| malformed())?,
    })
}

fn expect(reader: &mut SliceReader<'_>, wanted: ObjectIdentifier) -> Result<(), Error> {
    let found: ObjectIdentifier = reader.decode()?;
    if found == wanted {
        Ok(())
    } else {
        Err(malformed())
    }
}

/// The content of the next element, which has this tag.
fn inside<'r>(reader: &mut SliceReader<'r>, tag: Tag) -> Result<SliceReader<'r>, Error> {
    let any: AnyRef<'r> = reader.decode()?;
    any.tag().assert_eq(tag)?;
    SliceReader::new(any.value())
}

fn context(number: u32) -> Tag {
    Tag::ContextSpecific {
        constructed: true,
        number: TagNumber(number),
    }
}

fn malformed() -> Error {
    ErrorKind::Failed.into()
}
