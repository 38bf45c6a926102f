//! JSON Web Keys: what is accepted is the key that its numbers say, each stated once, and it writes
//! itself and reads back.

#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use windlass_core::key::PublicKey;
use windlass_fuzz::text::{free, one_of};

/// Longest error, in bytes: it becomes an Event.
const LONGEST: usize = 400;

/// What this reader makes of a key.
#[derive(Deserialize)]
struct Numbers {
    kty: String,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
}

fuzz_target!(|data: &[u8]| {
    read(data);
    if let Ok(text) = built(&mut Unstructured::new(data)) {
        read(text.as_bytes());
    }
});

fn read(json: &[u8]) {
    let key = match PublicKey::from_jwk(json) {
        Ok(key) => key,
        Err(error) => {
            let text = error.to_string();
            assert!(!text.is_empty() && text.len() <= LONGEST, "{text}");
            return;
        }
    };
    let again = PublicKey::from_pem(key.to_pem().as_bytes()).expect("what was written");
    assert_eq!(again, key);
    assert!(key.verify(b"message", b"no signature").is_err());

    let numbers: Numbers = serde_json::from_slice(json).expect("an accepted key");
    let members = if numbers.kty == "EC" {
        let point = [vec![4], number(numbers.x), number(numbers.y)].concat();
        assert!(key.der().ends_with(&point), "another point");
        ["kty", "crv", "x", "y"].as_slice()
    } else {
        let modulus = number(numbers.n);
        let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
        let modulus = &modulus[zeros..];
        assert!(matches!(modulus.len(), 256 | 384 | 512));
        assert!(
            key.der().windows(modulus.len()).any(|part| part == modulus),
            "another modulus"
        );
        &["kty", "n", "e"]
    };
    // Another member of the same name may mean something else to another reader.
    let text = std::str::from_utf8(json).expect("accepted keys are UTF-8");
    let rest = text.trim_start().strip_prefix('{').expect("an object");
    for name in members {
        let twice = format!("{{\"{name}\":\"AQAB\",{rest}");
        assert!(PublicKey::from_jwk(twice.as_bytes()).is_err(), "{twice}");
    }
}

fn number(text: Option<String>) -> Vec<u8> {
    let text = text.expect("a number of an accepted key");
    URL_SAFE_NO_PAD.decode(text).expect("base64")
}

/// A key of any kind with numbers of any length, now and then with something else among its members.
fn built(data: &mut Unstructured<'_>) -> Result<String> {
    let kty = one_of(data, &["EC", "RSA", "OKP", "oct", ""])?;
    let crv = one_of(data, &["P-256", "P-384", "P-521", "secp256k1", "Ed25519"])?;
    let mut other = String::new();
    free(data, &mut other, 3)?;
    let e = one_of(data, &["AQAB", "Aw", "AQ", "Ag", "", "AAAAAAAAAAE", "AA"])?;
    let mut member = |lengths: &[usize]| -> Result<String> {
        let length = *data.choose(lengths)?;
        let mut bytes = vec![0xff; length];
        let given = data.bytes(length.min(data.len()))?;
        bytes[..given.len()].copy_from_slice(given);
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    };
    let x = member(&[32, 48, 66, 0, 31])?;
    let y = member(&[32, 48, 66, 0, 65])?;
    let n = member(&[256, 384, 512, 0, 255, 1024, 4096])?;
    Ok(format!(
        r#"{{"kty":"{kty}","crv":"{crv}","x":"{x}","y":"{y}","n":"{n}","e":"{e}","other":{other}}}"#
    ))
}
