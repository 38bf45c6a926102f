//! The fields of a certificate (RFC 5280, section 4.1), read strictly.

use jiff::Timestamp;
use pkcs8::der::asn1::{AnyRef, BitStringRef, GeneralizedTime, ObjectIdentifier, UtcTime};
use pkcs8::der::{Decode as _, Error, Reader as _, SliceReader, Tag, Tagged as _};

use super::error::CertificateError;
use super::names::{self, CODE_SIGNING};
use super::parts::{context, sequence};
use crate::key::{Certificate, PublicKey, Scheme};

/// Extensions that are read.
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");

/// Bits of the key usage: digital signature, and signature of certificates.
const DIGITAL_SIGNATURE: u8 = 0x80;
const CERTIFICATE_SIGNATURE: u8 = 0x04;

/// Most extensions of one certificate.
const MOST: usize = 64;

/// What a certificate says.
#[derive(Debug)]
pub struct Details<'c> {
    /// The signed part, as it is.
    tbs: &'c [u8],
    /// What the signed part has before its extensions.
    pub(super) head: &'c [u8],
    algorithm: ObjectIdentifier,
    signature: &'c [u8],
    issuer: &'c [u8],
    subject: &'c [u8],
    not_before: Timestamp,
    not_after: Timestamp,
    pub(super) extensions: Vec<Extension<'c>>,
}

/// An extension of a certificate.
#[derive(Debug)]
pub(super) struct Extension<'c> {
    /// All of it, as it is.
    pub(super) whole: &'c [u8],
    pub(super) id: ObjectIdentifier,
    pub(super) value: &'c [u8],
}

impl<'c> Details<'c> {
    /// Reads a certificate.
    pub fn of(certificate: &'c Certificate) -> Result<Self, CertificateError> {
        Self::read(certificate.der()).map_err(|_| CertificateError::Malformed)
    }

    fn read(der: &'c [u8]) -> Result<Self, Error> {
        let mut file = SliceReader::new(der)?;
        let mut outer = sequence(&mut file)?;
        file.finish()?;
        let tbs = outer.tlv_bytes()?;
        let algorithm = outer.tlv_bytes()?;
        let signature: BitStringRef<'_> = outer.decode()?;
        outer.finish()?;
        let signature = signature.as_bytes().ok_or_else(malformed)?;

        let content = AnyRef::from_der(tbs)?.value();
        let mut fields = SliceReader::new(content)?;
        skip_context(&mut fields, 0)?;
        fields.tlv_bytes()?;
        if fields.tlv_bytes()? != algorithm {
            return Err(malformed());
        }
        let issuer = fields.tlv_bytes()?;
        let mut validity = sequence(&mut fields)?;
        let (not_before, not_after) = (time(&mut validity)?, time(&mut validity)?);
        validity.finish()?;
        let subject = fields.tlv_bytes()?;
        fields.tlv_bytes()?;
        skip_context(&mut fields, 1)?;
        skip_context(&mut fields, 2)?;
        let rest = usize::try_from(fields.remaining_len())?;
        let head = content.len().checked_sub(rest).ok_or_else(malformed)?;
        Ok(Self {
            tbs,
            head: content.get(..head).ok_or_else(malformed)?,
            algorithm: sequence(&mut SliceReader::new(algorithm)?)?.decode()?,
            signature,
            issuer,
            subject,
            not_before,
            not_after,
            extensions: extensions(fields)?,
        })
    }

    /// When it begins to be valid.
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// When it ends to be valid.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Whom it names: an email address, a URI or a user name of Fulcio's own form.
    pub fn identity(&self) -> Result<&'c str, CertificateError> {
        names::identity(self.extension(names::ALTERNATIVE_NAMES))
    }

    /// Who vouched for the identity: the issuer of the token that Fulcio was shown.
    pub fn oidc_issuer(&self) -> Result<&'c str, CertificateError> {
        let (der, text) = (names::ISSUER, names::ISSUER_TEXT);
        names::oidc_issuer(self.extension(der), self.extension(text))
    }

    /// Checks that it is for signing code, and for no other use of a signature.
    pub fn check_purpose(&self) -> Result<(), CertificateError> {
        let purpose = self.extension(EXTENDED_KEY_USAGE);
        let names_it = purpose.is_some_and(|value| names::lists(value, CODE_SIGNING));
        let signs = self.has_usage(DIGITAL_SIGNATURE);
        if names_it && signs && !self.is_authority() {
            return Ok(());
        }
        Err(CertificateError::Purpose)
    }

    /// Checks that another certificate, which is valid for that, issued this one.
    pub fn check_issuer(&self, issuer: &Certificate) -> Result<(), CertificateError> {
        let by = Details::of(issuer)?;
        if !by.is_authority() || !by.has_usage(CERTIFICATE_SIGNATURE) {
            return Err(CertificateError::NoAuthority);
        }
        if self.issuer != by.subject || !self.is_signed_with(issuer.public_key()) {
            return Err(CertificateError::Issuer);
        }
        Ok(())
    }

    /// Whether this key signed it, in the way that it says.
    pub(super) fn is_signed_with(&self, key: &PublicKey) -> bool {
        let scheme = key.verify(self.tbs, self.signature);
        scheme.is_ok_and(|scheme| identifier(scheme) == Some(self.algorithm))
    }

    pub(super) fn extension(&self, id: ObjectIdentifier) -> Option<&'c [u8]> {
        let found = self.extensions.iter().find(|extension| extension.id == id);
        found.map(|extension| extension.value)
    }

    fn is_authority(&self) -> bool {
        let value = self.extension(BASIC_CONSTRAINTS);
        let read = |value| sequence(&mut SliceReader::new(value)?)?.decode::<bool>();
        value.is_some_and(|value| read(value).unwrap_or(false))
    }

    fn has_usage(&self, bit: u8) -> bool {
        let value = self.extension(KEY_USAGE);
        let bits = value.and_then(|value| BitStringRef::from_der(value).ok());
        let first = bits.and_then(|bits| bits.raw_bytes().first().copied());
        first.is_some_and(|first| first & bit != 0)
    }
}

fn malformed() -> Error {
    Error::from(pkcs8::der::ErrorKind::Failed)
}

/// Passes over a field with this number, in either form, if it comes next.
fn skip_context(fields: &mut SliceReader<'_>, number: u32) -> Result<(), Error> {
    if fields.is_finished() {
        return Ok(());
    }
    let tag = Tag::peek(fields)?;
    if [true, false]
        .map(|form| context(number, form))
        .contains(&tag)
    {
        fields.tlv_bytes()?;
    }
    Ok(())
}

fn time(validity: &mut SliceReader<'_>) -> Result<Timestamp, Error> {
    let since = match Tag::peek(validity)? {
        Tag::UtcTime => validity.decode::<UtcTime>()?.to_unix_duration(),
        _ => validity.decode::<GeneralizedTime>()?.to_unix_duration(),
    };
    let seconds = i64::try_from(since.as_secs()).map_err(|_| malformed())?;
    // the last second of the calendar stands for no end at all
    Ok(Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX))
}

/// The extensions, in the last field if there is one. None may be there twice.
fn extensions<'c>(mut fields: SliceReader<'c>) -> Result<Vec<Extension<'c>>, Error> {
    let mut found: Vec<Extension<'c>> = Vec::new();
    if fields.is_finished() {
        return Ok(found);
    }
    let field: AnyRef<'c> = fields.decode()?;
    field.tag().assert_eq(context(3, true))?;
    fields.finish()?;
    let mut field = SliceReader::new(field.value())?;
    let mut list = sequence(&mut field)?;
    field.finish()?;
    while !list.is_finished() {
        let whole = list.tlv_bytes()?;
        let mut parts = sequence(&mut SliceReader::new(whole)?)?;
        let id = parts.decode()?;
        if Tag::peek(&parts)? == Tag::Boolean {
            parts.decode::<bool>()?;
        }
        let value: AnyRef<'c> = parts.decode()?;
        value.tag().assert_eq(Tag::OctetString)?;
        parts.finish()?;
        if found.len() == MOST || found.iter().any(|other| other.id == id) {
            return Err(malformed());
        }
        found.push(Extension {
            whole,
            id,
            value: value.value(),
        });
    }
    Ok(found)
}

/// How certificates name a scheme (RFC 5758, 8410, 8017); none for those that authorities do not use.
fn identifier(scheme: Scheme) -> Option<ObjectIdentifier> {
    Some(ObjectIdentifier::new_unwrap(match scheme {
        Scheme::EcdsaSha256 => "1.2.840.10045.4.3.2",
        Scheme::EcdsaSha384 => "1.2.840.10045.4.3.3",
        Scheme::EcdsaSha512 => "1.2.840.10045.4.3.4",
        Scheme::Ed25519 => "1.3.101.112",
        Scheme::RsaSha256 => "1.2.840.113549.1.1.11",
        Scheme::RsaSha384 => "1.2.840.113549.1.1.12",
        Scheme::RsaSha512 => "1.2.840.113549.1.1.13",
        Scheme::Ed25519ph | Scheme::RsaPssSha256 | Scheme::RsaPssSha384 | Scheme::RsaPssSha512 => {
            return None;
        }
    }))
}
