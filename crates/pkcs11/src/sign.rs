//! Signatures, and their verification by the token.

use cryptoki::mechanism::rsa::PkcsPssParams;
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use windlass_core::key::PublicKey;

use crate::ecdsa;
use crate::error::Error;
use crate::hash::Hash;
use crate::key;
use crate::token::Token;
use crate::uri::Uri;

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    /// With numbers of this many bytes.
    Ecdsa(usize),
    Pkcs1,
    Pss,
}

/// The signature of a digest, in the form that verifiers read.
pub(crate) fn sign(token: &Token, uri: &Uri, hash: Hash, digest: &[u8]) -> Result<Vec<u8>, Error> {
    let private = token.object(ObjectClass::PRIVATE_KEY, uri)?;
    let private = private.ok_or_else(|| missing("private"))?;
    let public = key::public(token, uri)?.ok_or_else(|| missing("public"))?;
    if asks_each_time(token, private) {
        return Err(Error::Key(
            "the key wants the PIN anew for each signature (CKA_ALWAYS_AUTHENTICATE), which is not supported; \
             use another key, as the slot 9a of a PIV token"
                .to_owned(),
        ));
    }
    let scheme = scheme(token, private, &public)?;
    let (mechanism, data) = (mechanism(scheme, hash)?, data(scheme, hash, digest));
    let signed = token.session().sign(&mechanism, private, &data);
    let signed = signed.map_err(Error::token("sign"))?;
    match scheme {
        Scheme::Ecdsa(_) => public
            .der_signature(&signed)
            .map_err(|_| Error::Key("the token gives a malformed signature".to_owned())),
        Scheme::Pkcs1 | Scheme::Pss => Ok(signed),
    }
}

/// Has the token verify the signature of a digest.
pub(crate) fn verify(
    token: &Token,
    uri: &Uri,
    (hash, digest): (Hash, &[u8]),
    signature: &[u8],
) -> Result<(), Error> {
    let object = token.object(ObjectClass::PUBLIC_KEY, uri)?;
    let object = object.ok_or_else(|| missing("public"))?;
    let public = key::of_object(token, object)?;
    let schemes: &[Scheme] = match curve(&public) {
        Some(length) => &[Scheme::Ecdsa(length)],
        None => &[Scheme::Pkcs1, Scheme::Pss],
    };
    let signature = match schemes {
        [Scheme::Ecdsa(length)] => ecdsa::numbers(signature, *length)?,
        _ => signature.to_vec(),
    };
    for scheme in schemes {
        let (mechanism, data) = (mechanism(*scheme, hash)?, data(*scheme, hash, digest));
        if token
            .session()
            .verify(&mechanism, object, &data, &signature)
            .is_ok()
        {
            return Ok(());
        }
    }
    Err(Error::Key(
        "the signature is not one of this key over this data".to_owned(),
    ))
}

fn missing(half: &str) -> Error {
    Error::Key(format!(
        "the token has no {half} key that the URI names; see how `pkcs11-tool --list-objects --login` calls it"
    ))
}

/// Bytes of a number of the curve; none for RSA.
fn curve(public: &PublicKey) -> Option<usize> {
    match public.algorithm() {
        "ECDSA P-256" => Some(32),
        "ECDSA P-384" => Some(48),
        "ECDSA P-521" => Some(66),
        _ => None,
    }
}

/// RSA signs by PKCS#1 v1.5, as everything of sigstore does, unless the key or the token allows PSS alone.
fn scheme(token: &Token, private: ObjectHandle, public: &PublicKey) -> Result<Scheme, Error> {
    if let Some(length) = curve(public) {
        return Ok(Scheme::Ecdsa(length));
    }
    let allowed = attribute(token, private, AttributeType::AllowedMechanisms);
    let is_allowed = |mechanism: MechanismType| match &allowed {
        Some(Attribute::AllowedMechanisms(allowed)) if !allowed.is_empty() => {
            allowed.contains(&mechanism)
        }
        _ => token.has(mechanism),
    };
    if is_allowed(MechanismType::RSA_PKCS) {
        Ok(Scheme::Pkcs1)
    } else if is_allowed(MechanismType::RSA_PKCS_PSS) {
        Ok(Scheme::Pss)
    } else {
        Err(Error::Key(
            "the key allows neither CKM_RSA_PKCS nor CKM_RSA_PKCS_PSS".to_owned(),
        ))
    }
}

fn asks_each_time(token: &Token, private: ObjectHandle) -> bool {
    let found = attribute(token, private, AttributeType::AlwaysAuthenticate);
    matches!(found, Some(Attribute::AlwaysAuthenticate(true)))
}

/// An attribute that not every token has.
fn attribute(token: &Token, object: ObjectHandle, wanted: AttributeType) -> Option<Attribute> {
    let found = token.session().get_attributes(object, &[wanted]).ok()?;
    found.into_iter().next()
}

fn mechanism(scheme: Scheme, hash: Hash) -> Result<Mechanism<'static>, Error> {
    Ok(match scheme {
        Scheme::Ecdsa(_) => Mechanism::Ecdsa,
        Scheme::Pkcs1 => Mechanism::RsaPkcs,
        Scheme::Pss => Mechanism::RsaPkcsPss(PkcsPssParams {
            hash_alg: hash.mechanism(),
            mgf: hash.mask(),
            s_len: hash.length().try_into().map_err(Error::token("sign"))?,
        }),
    })
}

fn data(scheme: Scheme, hash: Hash, digest: &[u8]) -> Vec<u8> {
    match scheme {
        Scheme::Ecdsa(_) | Scheme::Pss => digest.to_vec(),
        Scheme::Pkcs1 => hash.digest_info(digest),
    }
}
