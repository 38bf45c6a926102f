//! Proposals to logs of version 2, their entries, and logs that lie.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::checkpoint::key_id;
use super::merkle;
use super::tests::{image, key, signed};
use super::*;
use crate::dsse::{IN_TOTO, pae};
use crate::key::{PrivateKey, PublicKey};
use crate::payload::Payload;
use crate::signed::{LogEntry, Signed, StoredProof};

const ORIGIN: &str = "log.example";

/// A key of Ed25519 as logs have them.
fn ed25519() -> PrivateKey {
    PrivateKey::from_x509_pem(include_bytes!("../../tests/fixtures/x509/ed25519.pem")).unwrap()
}

fn statement() -> Signed {
    signed(Payload::image_statement(&image()), &key(1))
}

/// The second entry of a log of two, that of a proposal.
fn response(proposal: &Proposal, log: &PrivateKey, origin: &str) -> Value {
    let body = proposal.canonical_body();
    let first = merkle::leaf(b"first");
    let root = merkle::node(&first, &merkle::leaf(&body));
    let text = format!("{origin}\n2\n{}\n", STANDARD.encode(root));
    let signature = log.sign(text.as_bytes()).unwrap();
    let id = key_id(log.public_key(), origin);
    let line = STANDARD.encode([&id[..4], &signature[..]].concat());
    json!({
        "logIndex": "1",
        "logId": { "keyId": STANDARD.encode(id) },
        "kindVersion": { "kind": "hashedrekord", "version": "0.0.2" },
        "integratedTime": "0",
        "inclusionPromise": null,
        "inclusionProof": {
            "logIndex": "1", "treeSize": "2",
            "rootHash": STANDARD.encode(root),
            "hashes": [STANDARD.encode(first)],
            "checkpoint": { "envelope": format!("{text}\n\u{2014} {origin} {line}\n") },
        },
        "canonicalizedBody": STANDARD.encode(body),
    })
}

fn checked(response: &Value, proposal: &Proposal, key: &PublicKey) -> Result<(), EntryError> {
    let entry = parse_bundled(response.to_string().as_bytes()).unwrap();
    entry.check_v2(proposal, key, ORIGIN)
}

#[test]
fn an_envelope_is_proposed_as_the_hash_of_its_encoding_with_its_own_signature() {
    let signed = statement();
    let proposal = propose_v2(&signed).unwrap();
    let request: Value = serde_json::from_str(&proposal.request).unwrap();
    let request = &request["hashedRekordRequestV002"];
    let encoding = pae(IN_TOTO, &signed.payload.bytes);
    assert_eq!(request["digest"], STANDARD.encode(Sha256::digest(encoding)));
    let signature = &request["signature"];
    let own = &signed.envelope().unwrap().signatures[0].sig;
    assert_eq!(signature["content"], **own);
    let verifier = &signature["verifier"];
    assert_eq!(verifier["keyDetails"], "PKIX_ECDSA_P256_SHA_256");
    let der = STANDARD.encode(key(1).public_key().der());
    assert_eq!(verifier["publicKey"]["rawBytes"], der);
}

#[test]
fn an_entry_passes_every_check_in_logs_of_both_kinds_of_keys_and_survives_being_stored() {
    for log in [key(2), ed25519()] {
        let proposal = propose_v2(&statement()).unwrap();
        let response = response(&proposal, &log, ORIGIN);
        assert_eq!(checked(&response, &proposal, log.public_key()), Ok(()));
        let entry = parse_bundled(response.to_string().as_bytes()).unwrap();
        assert_eq!(entry.to_annotation(), None, "it has no promise");
        let logged = statement();
        let url = String::new();
        let in_log = entry.clone();
        logged.entry.get_or_init(|| LogEntry { url, entry: in_log });
        logged.timestamp.get_or_init(|| vec![1, 2, 3]);
        // what was kept before there were timestamps of envelopes is read too
        for of_envelope in [None, Some(vec![4, 5])] {
            if let Some(timestamp) = &of_envelope {
                logged.envelope_timestamp.get_or_init(|| timestamp.clone());
            }
            let stored = StoredProof::read(&Value::Object(logged.stored_proof()).to_string());
            assert_eq!(stored.entry.as_ref(), Some(&entry));
            assert_eq!(stored.timestamp, Some(vec![1, 2, 3]));
            assert_eq!(stored.envelope_timestamp, of_envelope);
        }
        // no bundle has a place for it
        assert!(!logged.proof().contains_key("envelopeTimestamp"));
    }
}

#[test]
fn each_lie_of_a_log_of_version_2_is_named() {
    let log = key(2);
    let proposal = propose_v2(&statement()).unwrap();
    let other = propose_v2(&signed(Payload::of_image(&image()), &key(1))).unwrap();
    let right = response(&proposal, &log, ORIGIN);
    let public = log.public_key();
    let of_other = response(&other, &log, ORIGIN);
    assert_eq!(
        checked(&of_other, &proposal, public),
        Err(EntryError::Other)
    );
    let wrong = key(3);
    let by_other = checked(&right, &proposal, wrong.public_key());
    assert_eq!(by_other, Err(EntryError::LogId));
    let elsewhere = response(&proposal, &log, "other.example");
    assert_eq!(
        checked(&elsewhere, &proposal, public),
        Err(EntryError::Checkpoint(CheckpointError::Origin))
    );
    let changed = |pointer: &str, value: Value| {
        let mut changed = right.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        checked(&changed, &proposal, public)
    };
    let hash = json!(STANDARD.encode([0; 32]));
    let checkpoint = |response: Value| response["inclusionProof"]["checkpoint"].clone();
    let proof = "/inclusionProof";
    for (pointer, value, error) in [
        ("/logIndex", json!("0"), EntryError::LogId),
        ("/logId/keyId", hash.clone(), EntryError::LogId),
        ("/rootHash", hash.clone(), EntryError::Inclusion),
        ("/hashes", json!([hash]), EntryError::Inclusion),
        ("/treeSize", json!("3"), EntryError::Inclusion),
        (
            "/checkpoint",
            checkpoint(response(&other, &log, ORIGIN)),
            EntryError::Tree,
        ),
        (
            "/checkpoint",
            checkpoint(response(&proposal, &wrong, ORIGIN)),
            EntryError::Checkpoint(CheckpointError::Signature),
        ),
    ] {
        let of_entry = pointer.starts_with("/log");
        let pointer = if of_entry {
            pointer.to_owned()
        } else {
            format!("{proof}{pointer}")
        };
        assert_eq!(changed(&pointer, value), Err(error), "{pointer}");
    }
}

/// In signed notes the hint is part of who signed: one key may sign for several logs.
#[test]
fn a_signature_under_another_name_is_not_that_of_the_log() {
    let log = key(2);
    let proposal = propose_v2(&statement()).unwrap();
    let mut right = response(&proposal, &log, ORIGIN);
    let envelope = &mut right["inclusionProof"]["checkpoint"]["envelope"];
    let text = envelope
        .as_str()
        .unwrap()
        .replace("\u{2014} log.example", "\u{2014} log");
    *envelope = json!(text);
    assert_eq!(
        checked(&right, &proposal, log.public_key()),
        Err(EntryError::Checkpoint(CheckpointError::Signature))
    );
}

#[test]
fn what_a_log_of_version_2_does_not_take_is_refused_with_what_to_sign_with() {
    let pure = signed(Payload::image_statement(&image()), &ed25519());
    let error = propose_v2(&pure).unwrap_err().to_string();
    assert!(error.contains("Ed25519 with a key of Ed25519"), "{error}");
    assert!(error.contains("use a key of ECDSA"), "{error}");
    let p256 = key(1);
    for scheme in [
        crate::key::Scheme::EcdsaSha384,
        crate::key::Scheme::RsaPssSha256,
        crate::key::Scheme::Ed25519,
    ] {
        assert_eq!(p256.public_key().details(scheme), None);
    }
}

#[test]
fn a_response_that_is_no_entry_of_version_2_is_refused_with_what_is_wrong() {
    let proposal = propose_v2(&statement()).unwrap();
    let right = response(&proposal, &key(2), ORIGIN);
    let changed = |pointer: &str, value: Value| {
        let mut changed = right.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed.to_string()
    };
    for (text, why) in [
        ("{".to_owned(), "not JSON"),
        (r#"{"a":1,"a":1}"#.to_owned(), "not JSON"),
        ("{}".to_owned(), "not an entry"),
        (changed("/inclusionProof", Value::Null), "not an entry"),
        (changed("/logIndex", json!(1)), "not an entry"),
        (changed("/logIndex", json!("-1")), "is none"),
        (
            changed("/logIndex", json!("18446744073709551616")),
            "too large",
        ),
        (
            changed("/kindVersion/version", json!("0.0.3")),
            "another kind",
        ),
        (changed("/canonicalizedBody", json!("!")), "base64"),
        (changed("/logId/keyId", json!("AAAA")), "log ID"),
        (
            changed("/inclusionPromise", json!({"signedEntryTimestamp": "!"})),
            "promise",
        ),
        (
            changed(
                "/inclusionProof/hashes",
                json!(vec![STANDARD.encode([0; 32]); 65]),
            ),
            "too long",
        ),
    ] {
        let error = parse_bundled(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(why), "{text:.80}: {error}");
    }
}
