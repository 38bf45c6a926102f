//! Whom a certificate of Fulcio names, and who vouched for that: the subject alternative name, and the
//! extensions of Fulcio below 1.3.6.1.4.1.57264.1.

use pkcs8::der::asn1::{AnyRef, ObjectIdentifier};
use pkcs8::der::{Decode as _, Error, Reader as _, SliceReader, Tag, Tagged as _};

use super::error::CertificateError;
use super::parts::{context, sequence};

/// The purpose of certificates that sign code.
pub(super) const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");

pub(super) const ALTERNATIVE_NAMES: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
/// The issuer of the token as DER, and as bare text in older certificates.
pub(super) const ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.8");
pub(super) const ISSUER_TEXT: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.1");
/// A name that is a user name, with a domain after an exclamation mark.
const USER_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.7");

/// Longest name, in bytes.
const LONGEST: usize = 2048;

/// The one name among the alternative names of a certificate.
pub(super) fn identity(names: Option<&[u8]>) -> Result<&str, CertificateError> {
    let name = names.and_then(|names| only_name(names).ok()?);
    name.filter(|name| is_name(name))
        .ok_or(CertificateError::Identity)
}

/// Who vouched for it, by the one extension or the older one.
pub(super) fn oidc_issuer<'c>(
    der: Option<&'c [u8]>,
    bare: Option<&'c [u8]>,
) -> Result<&'c str, CertificateError> {
    let name = match der {
        Some(der) => text(der),
        None => bare.and_then(|bytes| std::str::from_utf8(bytes).ok()),
    };
    name.filter(|name| is_name(name))
        .ok_or(CertificateError::Identity)
}

/// Whether a sequence of identifiers has this one.
pub(super) fn lists(value: &[u8], wanted: ObjectIdentifier) -> bool {
    let read = || -> Result<bool, Error> {
        let mut list = sequence(&mut SliceReader::new(value)?)?;
        let mut is_there = false;
        while !list.is_finished() {
            is_there |= list.decode::<ObjectIdentifier>()? == wanted;
        }
        Ok(is_there)
    };
    read().unwrap_or(false)
}

/// Names are shown to people, and pasted into commands by them.
fn is_name(name: &str) -> bool {
    let is_odd = |c: char| c.is_control() || c.is_whitespace();
    !name.is_empty() && name.len() <= LONGEST && !name.contains(is_odd)
}

/// The text in DER.
fn text(der: &[u8]) -> Option<&str> {
    let text = AnyRef::from_der(der).ok()?;
    let is_text = text.tag() == Tag::Utf8String;
    std::str::from_utf8(text.value()).ok().filter(|_| is_text)
}

fn only_name(value: &[u8]) -> Result<Option<&str>, Error> {
    let mut file = SliceReader::new(value)?;
    let mut list = sequence(&mut file)?;
    file.finish()?;
    let name: AnyRef<'_> = list.decode()?;
    list.finish()?;
    let (email, uri) = (context(1, false), context(6, false));
    if name.tag() == email || name.tag() == uri {
        let name = std::str::from_utf8(name.value()).ok();
        return Ok(name.filter(|name| name.is_ascii()));
    }
    name.tag().assert_eq(context(0, true))?;
    let mut parts = SliceReader::new(name.value())?;
    if parts.decode::<ObjectIdentifier>()? != USER_NAME {
        return Ok(None);
    }
    let value: AnyRef<'_> = parts.decode()?;
    parts.finish()?;
    value.tag().assert_eq(context(0, true))?;
    Ok(text(value.value()))
}
