//! cosign's encrypted key file: a PEM block around JSON that names scrypt parameters, a salt, a
//! nonce and a `NaCl` secretbox with the PKCS#8 key inside (docs/behaviour.md, "Key secret").
//!
//! [`decrypt`] and [`encrypt`] are the only places that run scrypt.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use super::error::CosignError;
use super::error::KeyError;
use super::{pem, secretbox};

const LABEL: &str = "ENCRYPTED SIGSTORE PRIVATE KEY";
const OLD_LABEL: &str = "ENCRYPTED COSIGN PRIVATE KEY";
const EXPECTED: &str =
    "a private key encrypted by cosign (PEM type `ENCRYPTED SIGSTORE PRIVATE KEY`)";
/// The work factor of files written today, as a power of two: N = 65536.
const LOG_N: u8 = 16;

#[derive(Serialize, Deserialize)]
struct File {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
struct Kdf {
    name: String,
    params: Params,
    salt: String,
}

#[derive(Serialize, Deserialize)]
struct Params {
    #[serde(rename = "N")]
    n: u64,
    r: u64,
    p: u64,
}

#[derive(Serialize, Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// The PKCS#8 DER inside cosign's encrypted file `text`. The password is taken byte for byte: a
/// trailing newline counts. Costs about 0.1 s and 64 MiB.
pub fn decrypt(text: &[u8], password: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let block = pem::first(text, EXPECTED)?;
    if block.label != LABEL && block.label != OLD_LABEL {
        return Err(pem::wrong_type(&block.label, EXPECTED));
    }
    Ok(open(&block.body, password)?)
}

fn open(body: &[u8], password: &[u8]) -> Result<Zeroizing<Vec<u8>>, CosignError> {
    let file: File = serde_json::from_slice(body).map_err(|e| CosignError::Json {
        line: e.line(),
        column: e.column(),
    })?;
    expect_name("the key derivation", &file.kdf.name, "scrypt")?;
    expect_name("the cipher", &file.cipher.name, "nacl/secretbox")?;
    let log_n = work_factor(&file.kdf.params)?;
    let salt = bytes("salt", &file.kdf.salt)?;
    let nonce: [u8; 24] = bytes("nonce", &file.cipher.nonce)?
        .try_into()
        .map_err(|_| CosignError::Field {
            field: "nonce",
            expected: "24 bytes",
        })?;
    let ciphertext = bytes("ciphertext", &file.ciphertext)?;
    let key = derive(password, &salt, log_n)?;
    secretbox::open(&key, &nonce, &ciphertext).ok_or_else(|| CosignError::Password {
        hint: password_hint(password),
    })
}

fn expect_name(
    field: &'static str,
    found: &str,
    expected: &'static str,
) -> Result<(), CosignError> {
    if found == expected {
        return Ok(());
    }
    Err(CosignError::Algorithm {
        field,
        found: found.chars().take(40).collect(),
        expected,
    })
}

fn work_factor(params: &Params) -> Result<u8, CosignError> {
    match (params.n, params.r, params.p) {
        (32_768, 8, 1) => Ok(15),
        (65_536, 8, 1) => Ok(16),
        (131_072, 8, 1) => Ok(17),
        (n, r, p) => Err(CosignError::Parameters { n, r, p }),
    }
}

fn bytes(field: &'static str, encoded: &str) -> Result<Vec<u8>, CosignError> {
    STANDARD.decode(encoded).map_err(|_| CosignError::Field {
        field,
        expected: "base64",
    })
}

fn derive(password: &[u8], salt: &[u8], log_n: u8) -> Result<Zeroizing<[u8; 32]>, CosignError> {
    let params = scrypt::Params::new(log_n, 8, 1).map_err(|_| CosignError::Derivation)?;
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(password, salt, &params, &mut *key).map_err(|_| CosignError::Derivation)?;
    Ok(key)
}

fn password_hint(password: &[u8]) -> &'static str {
    match password {
        [] => "; the password is empty",
        [.., b'\n'] => {
            "; the password ends with a newline, which is part of it: write it without one \
             (`printf %s`, not `echo`)"
        }
        _ => "; check it, or the file is damaged",
    }
}

/// cosign's encrypted file, as cosign writes it today, around the PKCS#8 key `der`. The salt and
/// the nonce must be random and never used again.
pub fn encrypt(
    der: &[u8],
    password: &[u8],
    salt: &[u8; 32],
    nonce: &[u8; 24],
) -> Result<String, KeyError> {
    let key = derive(password, salt, LOG_N)?;
    let ciphertext = secretbox::seal(&key, nonce, der);
    let file = File {
        kdf: Kdf {
            name: "scrypt".to_owned(),
            params: Params {
                n: 1 << LOG_N,
                r: 8,
                p: 1,
            },
            salt: STANDARD.encode(salt),
        },
        cipher: Cipher {
            name: "nacl/secretbox".to_owned(),
            nonce: STANDARD.encode(nonce),
        },
        ciphertext: STANDARD.encode(ciphertext),
    };
    let json = serde_json::to_vec(&file).map_err(|_| CosignError::Derivation)?;
    Ok(pem::write(LABEL, &json))
}
