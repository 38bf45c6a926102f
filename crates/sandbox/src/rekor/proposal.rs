//! A proposal, and the body of the entry that comes of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::verifier::{Hash, Verifier};
use crate::random::hex;

/// The body of the entry of a proposal; an error if it is none, or its signature is not valid.
pub(super) fn body(proposal: &Value) -> Result<String, &'static str> {
    let spec = &proposal["spec"];
    let kind = (proposal["kind"].as_str(), proposal["apiVersion"].as_str());
    let logged = match kind {
        (Some("dsse"), Some("0.0.1")) => dsse(&spec["proposedContent"]),
        (Some("hashedrekord"), Some("0.0.1")) => hashedrekord(spec),
        _ => return Err("no such kind of entry"),
    };
    let logged = logged.ok_or("the signature is not valid")?;
    Ok(json!({ "apiVersion": "0.0.1", "kind": kind.0, "spec": logged }).to_string())
}

fn dsse(content: &Value) -> Option<Value> {
    let text = content["envelope"].as_str()?;
    let envelope: Value = serde_json::from_str(text).ok()?;
    let [verifier] = content["verifiers"].as_array()?.as_slice() else {
        return None;
    };
    let [signature] = envelope["signatures"].as_array()?.as_slice() else {
        return None;
    };
    let payload = decoded(&envelope["payload"])?;
    let media_type = envelope["payloadType"].as_str()?;
    let head = format!(
        "DSSEv1 {} {media_type} {} ",
        media_type.len(),
        payload.len()
    );
    let message = [head.as_bytes(), &payload].concat();
    let valid = key(verifier)?.verifies(&message, &decoded(&signature["sig"])?);
    valid.then(|| {
        json!({
            "envelopeHash": sha256(text.as_bytes()),
            "payloadHash": sha256(&payload),
            "signatures": [{ "signature": signature["sig"], "verifier": verifier }],
        })
    })
}

fn hashedrekord(spec: &Value) -> Option<Value> {
    let (hash, signature) = (&spec["data"]["hash"], &spec["signature"]);
    let verifier = &signature["publicKey"]["content"];
    let algorithm = Hash::of_name(hash["algorithm"].as_str()?)?;
    let value = bytes(hash["value"].as_str()?)?;
    let content = decoded(&signature["content"])?;
    let key = key(verifier)?;
    // as Rekor does from 1.3.10 on
    let valid = key.is_hashed_by(algorithm) && key.verifies_digest(algorithm, &value, &content);
    valid.then(|| {
        json!({
            "data": { "hash": { "algorithm": hash["algorithm"], "value": hash["value"] } },
            "signature": {
                "content": signature["content"],
                "publicKey": { "content": verifier },
            },
        })
    })
}

/// The body of the entry of a proposal to version 2; an error if it is none, or its signature is not valid.
pub(super) fn body_v2(proposal: &Value) -> Result<String, &'static str> {
    let logged = hash_v2(&proposal["hashedRekordRequestV002"]);
    let logged = logged.ok_or("invalid hashedrekord request")?;
    let spec = json!({ "hashedRekordV002": logged });
    Ok(json!({ "apiVersion": "0.0.2", "kind": "hashedrekord", "spec": spec }).to_string())
}

fn hash_v2(request: &Value) -> Option<Value> {
    let signature = &request["signature"];
    let verifier = &signature["verifier"];
    let details = verifier["keyDetails"].as_str()?;
    let (name, hash) = match details {
        "PKIX_ECDSA_P256_SHA_256" => ("SHA2_256", "sha256"),
        "PKIX_ECDSA_P384_SHA_384" => ("SHA2_384", "sha384"),
        "PKIX_ECDSA_P521_SHA_512" | "PKIX_ED25519_PH" => ("SHA2_512", "sha512"),
        rsa if rsa.starts_with("PKIX_RSA_PKCS1V15_") => ("SHA2_256", "sha256"),
        _ => return None,
    };
    let holders = ["publicKey", "x509Certificate"].map(|name| &verifier[name]["rawBytes"]);
    let der = holders.into_iter().find_map(decoded)?;
    let (digest, content) = (
        decoded(&request["digest"])?,
        decoded(&signature["content"])?,
    );
    let key = Verifier::of_der(der);
    let valid = key.verifies_digest(Hash::of_name(hash)?, &digest, &content);
    valid.then(|| {
        json!({
            "data": { "algorithm": name, "digest": request["digest"] },
            "signature": signature,
        })
    })
}

fn key(encoded: &Value) -> Option<Verifier> {
    Verifier::of_pem(&String::from_utf8(decoded(encoded)?).ok()?)
}

fn decoded(text: &Value) -> Option<Vec<u8>> {
    STANDARD.decode(text.as_str()?).ok()
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = (0..digits.len()).step_by(2);
    let bytes = pairs.map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok());
    bytes.collect()
}

fn sha256(content: &[u8]) -> Value {
    json!({ "algorithm": "sha256", "value": hex(&Sha256::digest(content)) })
}
