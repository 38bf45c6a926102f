//! New keys, which are made on the token and do not leave it.

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, ObjectClass};
use windlass_core::key::PublicKey;

use crate::error::Error;
use crate::key;
use crate::token::Token;
use crate::uri::Uri;

/// What is made unless something else is asked for.
pub(crate) const DEFAULT: &str = "ecdsa-p256";

/// What can be made: the name that sigstore's libraries have for it, and the one that windlass has.
const ALGORITHMS: [(&str, &str, Kind); 6] = [
    (
        DEFAULT,
        "ECDSA P-256",
        Kind::Ec(&[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]),
    ),
    (
        "ecdsa-p384",
        "ECDSA P-384",
        Kind::Ec(&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22]),
    ),
    (
        "ecdsa-p521",
        "ECDSA P-521",
        Kind::Ec(&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23]),
    ),
    ("rsa-2048", "RSA 2048", Kind::Rsa(2048)),
    ("rsa-3072", "RSA 3072", Kind::Rsa(3072)),
    ("rsa-4096", "RSA 4096", Kind::Rsa(4096)),
];

/// What a key is made of.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// The object identifier of a curve in DER.
    Ec(&'static [u8]),
    /// Bits.
    Rsa(usize),
}

/// What can be made.
pub(crate) fn algorithms() -> Vec<&'static str> {
    ALGORITHMS.iter().map(|(name, ..)| *name).collect()
}

/// Makes a key. One that the token has already is taken if it is of this algorithm, as key services do.
pub(crate) fn create(token: &Token, uri: &Uri, algorithm: &str) -> Result<PublicKey, Error> {
    let algorithm = if algorithm.is_empty() {
        DEFAULT
    } else {
        algorithm
    };
    let mut known = ALGORITHMS.into_iter();
    let known = known.find(|(name, ..)| *name == algorithm);
    let (_, name, kind) = known.ok_or_else(|| {
        Error::Key(format!(
            "this algorithm is not supported; use {}",
            algorithms().join(", ")
        ))
    })?;
    if let Some(found) = key::public(token, uri)? {
        if found.algorithm() == name {
            return Ok(found);
        }
        return Err(Error::Key(format!(
            "the token has such a key already, of {}; name another one",
            found.algorithm()
        )));
    }
    if token.object(ObjectClass::PRIVATE_KEY, uri)?.is_some() {
        return Err(Error::Key(
            "the token has such a private key already, and does not show its public key; name another one"
                .to_owned(),
        ));
    }
    let object = make(token, uri, kind)?;
    key::of_object(token, object)
}

fn make(token: &Token, uri: &Uri, kind: Kind) -> Result<cryptoki::object::ObjectHandle, Error> {
    let label = uri.object.clone().ok_or_else(|| {
        Error::Key("a new key needs a label; write object=LABEL into the URI".to_owned())
    })?;
    let id = match &uri.id {
        Some(id) => id.clone(),
        None => random()?,
    };
    let both = [
        Attribute::Token(true),
        Attribute::Label(label.into_bytes()),
        Attribute::Id(id),
    ];
    let mut public = both.to_vec();
    public.extend([Attribute::Private(false), Attribute::Verify(true)]);
    let mut private = both.to_vec();
    private.extend([
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
    ]);
    let mechanism = match kind {
        Kind::Ec(curve) => {
            public.push(Attribute::EcParams(curve.to_vec()));
            Mechanism::EccKeyPairGen
        }
        Kind::Rsa(bits) => {
            let bits = bits.try_into().map_err(Error::token("make a key"))?;
            public.push(Attribute::ModulusBits(bits));
            public.push(Attribute::PublicExponent(vec![1, 0, 1]));
            Mechanism::RsaPkcsKeyPairGen
        }
    };
    let made = token
        .session()
        .generate_key_pair(&mechanism, &public, &private);
    let (object, _) = made.map_err(Error::token("make a key"))?;
    Ok(object)
}

/// An id that no other key has.
fn random() -> Result<Vec<u8>, Error> {
    let mut id = [0; 16];
    let filled = getrandom::fill(&mut id);
    filled.map_err(|_| Error::Key("the system gives no random numbers".to_owned()))?;
    Ok(id.to_vec())
}
