//! The public key: of an object of its own, or of a certificate with the same label or id.

use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use windlass_core::key::{Certificate, PublicKey};

use crate::error::Error;
use crate::token::Token;
use crate::uri::Uri;

/// Object identifiers of `rsaEncryption` with its parameters and of `id-ecPublicKey`, in DER.
const RSA: [u8; 13] = [
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];
const EC: [u8; 9] = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;

/// The public key that a URI names; none if the token shows none.
pub(crate) fn public(token: &Token, uri: &Uri) -> Result<Option<PublicKey>, Error> {
    if let Some(object) = token.object(ObjectClass::PUBLIC_KEY, uri)? {
        return of_object(token, object).map(Some);
    }
    let Some(certificate) = token.object(ObjectClass::CERTIFICATE, uri)? else {
        return Ok(None);
    };
    let found = attributes(token, certificate, &[AttributeType::Value])?;
    let der = found.into_iter().find_map(|attribute| match attribute {
        Attribute::Value(der) => Some(der),
        _ => None,
    });
    let der =
        der.ok_or_else(|| Error::Key("the certificate on the token has no content".to_owned()))?;
    let certificate = Certificate::from_der(der)?;
    Ok(Some(certificate.public_key().clone()))
}

/// The public key of an object.
pub(crate) fn of_object(token: &Token, object: ObjectHandle) -> Result<PublicKey, Error> {
    let wanted = [
        AttributeType::KeyType,
        AttributeType::EcParams,
        AttributeType::EcPoint,
        AttributeType::Modulus,
        AttributeType::PublicExponent,
    ];
    let (mut kind, mut curve, mut point, mut modulus, mut exponent) =
        (None, None, None, None, None);
    for attribute in attributes(token, object, &wanted)? {
        match attribute {
            Attribute::KeyType(found) => kind = Some(found),
            Attribute::EcParams(found) => curve = Some(found),
            Attribute::EcPoint(found) => point = Some(found),
            Attribute::Modulus(found) => modulus = Some(found),
            Attribute::PublicExponent(found) => exponent = Some(found),
            _ => {}
        }
    }
    let der = match (kind, curve, point, modulus, exponent) {
        (Some(KeyType::EC), Some(curve), Some(point), _, _) => ec(&curve, &point),
        (Some(KeyType::RSA), _, _, Some(modulus), Some(exponent)) => rsa(&modulus, &exponent),
        (Some(KeyType::EC | KeyType::RSA), ..) => {
            return Err(Error::Key(
                "the token does not give all of the public key".to_owned(),
            ));
        }
        _ => {
            return Err(Error::Key(
                "the key is neither EC nor RSA; use P-256, P-384, P-521, or RSA of 2048, 3072 or 4096 bits"
                    .to_owned(),
            ));
        }
    };
    Ok(PublicKey::from_der(&der)?)
}

fn attributes(
    token: &Token,
    object: ObjectHandle,
    wanted: &[AttributeType],
) -> Result<Vec<Attribute>, Error> {
    let found = token.session().get_attributes(object, wanted);
    found.map_err(Error::token("show the public key"))
}

/// `SubjectPublicKeyInfo` (RFC 5480) of a curve as the token names it and a point, which most tokens wrap
/// into an octet string and some do not.
fn ec(curve: &[u8], point: &[u8]) -> Vec<u8> {
    let is_wrapped =
        point.len() > 2 && element(OCTET_STRING, &[&point[wrapping(point)..]]) == point;
    let point = if is_wrapped {
        &point[wrapping(point)..]
    } else {
        point
    };
    let algorithm = element(SEQUENCE, &[&EC, curve]);
    element(
        SEQUENCE,
        &[&algorithm, &element(BIT_STRING, &[&[0], point])],
    )
}

/// Bytes before the content of an element.
fn wrapping(der: &[u8]) -> usize {
    match der.get(1) {
        Some(0x81) => 3,
        _ => 2,
    }
}

/// `SubjectPublicKeyInfo` (RFC 8017) of two unsigned numbers.
fn rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let key = element(SEQUENCE, &[&integer(modulus), &integer(exponent)]);
    let algorithm = element(SEQUENCE, &[&RSA]);
    element(SEQUENCE, &[&algorithm, &element(BIT_STRING, &[&[0], &key])])
}

fn integer(number: &[u8]) -> Vec<u8> {
    let digits = number.iter().position(|digit| *digit != 0);
    let digits = digits.map_or(&[0][..], |first| &number[first..]);
    let sign: &[u8] = if digits[0] >= 0x80 { &[0] } else { &[] };
    element(INTEGER, &[sign, digits])
}

/// An element of DER with these parts as its content.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut der = vec![tag];
    let length = content.len().to_be_bytes();
    let digits = length
        .iter()
        .position(|digit| *digit != 0)
        .unwrap_or(length.len() - 1);
    let digits = &length[digits..];
    if let [short @ 0..0x80] = digits {
        der.push(*short);
    } else {
        // a usize has 8 bytes at most
        der.push(0x80 | u8::try_from(digits.len()).unwrap_or_default());
        der.extend_from_slice(digits);
    }
    der.extend_from_slice(&content);
    der
}

#[cfg(test)]
mod tests {
    use super::*;

    const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    const PEM: &str = include_str!("../../core/tests/fixtures/keys/cosign3-p256/cosign.pub");

    #[test]
    fn a_point_is_read_whether_it_is_wrapped_or_not() {
        let key = PublicKey::from_pem(PEM.as_bytes()).unwrap();
        let point = &key.der()[key.der().len() - 65..];
        for form in [point.to_vec(), element(OCTET_STRING, &[point])] {
            assert_eq!(PublicKey::from_der(&ec(&P256, &form)).unwrap(), key);
        }
    }

    #[test]
    fn numbers_are_not_negative_and_have_no_zeros_before_them() {
        assert_eq!(integer(&[0, 0, 1, 0, 1]), [2, 3, 1, 0, 1]);
        assert_eq!(integer(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(integer(&[0, 0]), [2, 1, 0]);
        assert_eq!(integer(&[]), [2, 1, 0]);
    }

    #[test]
    fn lengths_are_those_of_der() {
        for (length, expected) in [
            (0, vec![4, 0]),
            (0x7f, vec![4, 0x7f]),
            (0x80, vec![4, 0x81, 0x80]),
            (0x100, vec![4, 0x82, 1, 0]),
        ] {
            let der = element(OCTET_STRING, &[&vec![7; length]]);
            assert_eq!(der[..der.len() - length], expected);
        }
    }
}
