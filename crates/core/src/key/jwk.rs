//! A public key as a JSON Web Key (RFC 7517 and RFC 7518, section 6), as Azure Key Vault gives it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pkcs8::der::asn1::UintRef;
use serde::Deserialize;

use super::error::KeyError;
use super::public::{Kind, PublicKey};
use crate::json::object;

const LABEL: &str = "JSON Web Key";

/// The members of an elliptic curve or RSA key; others are ignored.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl PublicKey {
    /// Reads a JSON Web Key of type `EC` (P-256, P-384 or P-521) or `RSA`.
    pub fn from_jwk(json: &[u8]) -> Result<Self, KeyError> {
        let jwk: Jwk = object(json).ok_or_else(|| damaged(()))?;
        match jwk.kty.as_str() {
            "EC" => Self::new(ec(&jwk)?),
            "RSA" => Self::new(rsa(&jwk)?),
            _ => Err(unsupported(&jwk.kty)),
        }
    }
}

fn ec(jwk: &Jwk) -> Result<Kind, KeyError> {
    let curve = jwk.crv.as_deref().unwrap_or_default();
    let size = match curve {
        "P-256" => 32,
        "P-384" => 48,
        "P-521" => 66,
        other => return Err(unsupported(other)),
    };
    let [x, y] = [number(jwk.x.as_deref())?, number(jwk.y.as_deref())?];
    if x.len() != size || y.len() != size {
        return Err(damaged(()));
    }
    // an uncompressed point (SEC 1, section 2.3.3)
    let point = [&[4], x.as_slice(), y.as_slice()].concat();
    match curve {
        "P-256" => p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).map(Kind::P256),
        "P-384" => p384::ecdsa::VerifyingKey::from_sec1_bytes(&point).map(Kind::P384),
        _ => p521::ecdsa::VerifyingKey::from_sec1_bytes(&point).map(Kind::P521),
    }
    .map_err(damaged)
}

fn rsa(jwk: &Jwk) -> Result<Kind, KeyError> {
    let [n, e] = [number(jwk.n.as_deref())?, number(jwk.e.as_deref())?];
    let parts = rsa::pkcs1::RsaPublicKeyRef {
        modulus: UintRef::new(&n).map_err(damaged)?,
        public_exponent: UintRef::new(&e).map_err(damaged)?,
    };
    let key: Result<rsa::PublicKey, rsa::pkcs1::Error> = parts.try_into();
    key.map(Kind::Rsa).map_err(damaged)
}

fn number(text: Option<&str>) -> Result<Vec<u8>, KeyError> {
    let text = text.ok_or(()).map_err(damaged)?;
    URL_SAFE_NO_PAD.decode(text).map_err(damaged)
}

fn damaged<E>(_: E) -> KeyError {
    KeyError::Public {
        label: LABEL.to_owned(),
        source: pkcs8::spki::Error::KeyMalformed,
    }
}

/// The name of a type or curve, unless it is longer than any that exists.
fn unsupported(name: &str) -> KeyError {
    let algorithm = name.chars().filter(char::is_ascii_alphanumeric).take(16);
    KeyError::Algorithm {
        algorithm: algorithm.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of RFC 7517, appendix A.1.
    const EC: &str = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"}"#;
    const RSA: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256"}"#;

    #[test]
    fn keys_of_the_specification_are_read() {
        let key = PublicKey::from_jwk(EC.as_bytes()).unwrap();
        assert_eq!(key.algorithm(), "ECDSA P-256");
        let key = PublicKey::from_jwk(RSA.as_bytes()).unwrap();
        assert_eq!(key.algorithm(), "RSA 2048");
        let again = PublicKey::from_pem(key.to_pem().as_bytes()).unwrap();
        assert_eq!(again, key);
    }

    #[test]
    fn a_key_that_is_cut_or_of_another_kind_is_refused() {
        let modulus = RSA.split('"').nth(7).unwrap().to_owned();
        for damaged in [
            EC.replace("MKBC", ""),
            EC.replace("P-256", "P-384"),
            EC.replace("4Etl", "4Et+"),
            EC.replace("4Etl", "5Etl"),
            EC.replace("\"y\"", "\"z\""),
            EC.replace("P-256", "secp256k1"),
            EC.replace("\"EC\"", "\"oct\""),
            RSA.replace("AQAB", ""),
            RSA.replace("AQAB", "AA"),
            RSA.replace("0vx7", ""),
            "[]".to_owned(),
            r#"["RSA",null,null,null,"N","AQAB"]"#.replace('N', &modulus),
        ] {
            assert!(
                PublicKey::from_jwk(damaged.as_bytes()).is_err(),
                "{damaged}"
            );
        }
    }
}
