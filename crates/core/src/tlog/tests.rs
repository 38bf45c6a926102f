//! Proposals for signatures of every scheme, and entries of logs that lie.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::merkle;
use super::*;
use crate::hex;
use crate::image::Image;
use crate::key::{PrivateKey, PublicKey};
use crate::payload::Payload;
use crate::signed::{Artifact, Identity, Repeatability, Signature, Signed, message};

const TIME: i64 = 1_800_000_000;

pub(super) fn key(seed: u8) -> PrivateKey {
    PrivateKey::generate_p256(&[seed; 32]).unwrap()
}

pub(super) fn image() -> Image {
    Image::parse(&format!("r.io/app@sha256:{:064x}", 7)).unwrap()
}

pub(super) fn signed(payload: Payload, key: &PrivateKey) -> Signed {
    let signature = Signature {
        bytes: key.sign(&message(&payload)).unwrap(),
        identity: Arc::new(Identity::Key(key.public_key().clone())),
        repeatability: Repeatability::Repeatable,
    };
    Signed::new(Artifact::Image(image()), payload, signature)
}

fn both(key: &PrivateKey) -> [Signed; 2] {
    [
        signed(Payload::image_statement(&image()), key),
        signed(Payload::of_image(&image()), key),
    ]
}

/// A log of two entries, of which the second is that of a proposal.
fn response(proposal: &Proposal, log: &PrivateKey) -> Value {
    let body = proposal.body.to_string();
    let encoded = STANDARD.encode(&body);
    let id = hex::digits(&Sha256::digest(log.public_key().der()));
    let promised =
        format!(r#"{{"body":"{encoded}","integratedTime":{TIME},"logID":"{id}","logIndex":41}}"#);
    let promise = log.sign(promised.as_bytes()).unwrap();
    let first = merkle::leaf(b"first");
    let root = merkle::node(&first, &merkle::leaf(body.as_bytes()));
    let text = format!("log.example - 1\n2\n{}\n", STANDARD.encode(root));
    let signature = log.sign(text.as_bytes()).unwrap();
    let line = STANDARD.encode([&[0; 4], &signature[..]].concat());
    json!({ "uuid": {
        "body": encoded,
        "integratedTime": TIME,
        "logID": id,
        "logIndex": 41,
        "verification": {
            "signedEntryTimestamp": STANDARD.encode(promise),
            "inclusionProof": {
                "logIndex": 1,
                "treeSize": 2,
                "rootHash": hex::digits(&root),
                "hashes": [hex::digits(&first)],
                "checkpoint": format!("{text}\n\u{2014} log.example {line}\n"),
            },
        },
    }})
}

fn now() -> Timestamp {
    Timestamp::from_second(TIME).unwrap()
}

fn checked(response: &Value, proposal: &Proposal, key: &PublicKey) -> Result<(), EntryError> {
    let entry = parse(response.to_string().as_bytes()).unwrap();
    entry.check(proposal, key, now())
}

#[test]
fn the_entry_of_a_signature_passes_every_check_and_is_written_as_verifiers_read_it() {
    let (ours, log) = (key(1), key(2));
    for (signed, kind) in both(&ours).iter().zip([Kind::Dsse, Kind::HashedRekord]) {
        let proposal = propose(signed).unwrap();
        assert_eq!(proposal.kind, kind);
        let response = response(&proposal, &log);
        let entry = parse(response.to_string().as_bytes()).unwrap();
        assert_eq!(entry.check(&proposal, log.public_key(), now()), Ok(()));
        let theirs = &response["uuid"];
        let annotation = entry.to_annotation().unwrap();
        let annotation: Value = serde_json::from_str(&annotation).unwrap();
        let verification = &theirs["verification"];
        assert_eq!(
            annotation,
            json!({
                "SignedEntryTimestamp": verification["signedEntryTimestamp"],
                "Payload": {
                    "body": theirs["body"], "integratedTime": TIME,
                    "logID": theirs["logID"], "logIndex": 41,
                },
            })
        );
        let bundle = entry.to_bundle();
        assert_eq!(bundle["logIndex"], "41");
        assert_eq!(bundle["inclusionProof"]["logIndex"], "1");
        assert_eq!(bundle["kindVersion"]["kind"], kind.name());
        assert_eq!(bundle["canonicalizedBody"], theirs["body"]);
    }
}

#[test]
fn an_envelope_is_proposed_as_it_is_stored_with_the_key_that_verifies_it() {
    let ours = key(1);
    let [statement, image] = both(&ours);
    let proposal = propose(&statement).unwrap();
    let request: Value = serde_json::from_str(&proposal.request).unwrap();
    let content = &request["spec"]["proposedContent"];
    let text = String::from_utf8(statement.signature_text().into_owned()).unwrap();
    assert_eq!(content["envelope"], text);
    let pem = STANDARD.encode(ours.public_key().to_pem());
    assert_eq!(content["verifiers"], json!([pem]));
    let proposal = propose(&image).unwrap();
    let request: Value = serde_json::from_str(&proposal.request).unwrap();
    let spec = &request["spec"];
    let hash = hex::digits(&Sha256::digest(&image.payload.bytes));
    assert_eq!(spec["data"]["hash"]["value"], hash);
    assert_eq!(spec["signature"]["publicKey"]["content"], pem);
}

#[test]
fn each_lie_of_a_log_is_named() {
    let (ours, log) = (key(1), key(2));
    let [statement, image] = both(&ours);
    let proposal = propose(&statement).unwrap();
    let other = response(&propose(&image).unwrap(), &log);
    let key_of_log = log.public_key();
    assert_eq!(
        checked(&other, &proposal, key_of_log),
        Err(EntryError::Other)
    );
    let right = response(&proposal, &log);
    let wrong_key = key(3);
    let of_other_log = checked(&right, &proposal, wrong_key.public_key());
    assert_eq!(of_other_log, Err(EntryError::LogId));
    let changed = |pointer: &str, value: Value| {
        let mut changed = right.clone();
        *changed.pointer_mut(&format!("/uuid{pointer}")).unwrap() = value;
        checked(&changed, &proposal, key_of_log)
    };
    for (pointer, value) in [
        ("/logIndex", json!(42)),
        ("/integratedTime", json!(TIME - 1)),
        ("/verification/signedEntryTimestamp", json!("AAAA")),
    ] {
        assert_eq!(
            changed(pointer, value),
            Err(EntryError::Promise),
            "{pointer}"
        );
    }
    let hash = json!("00".repeat(32));
    for (pointer, value) in [
        ("/logIndex", json!(0)),
        ("/logIndex", json!(2)),
        ("/treeSize", json!(3)),
        ("/rootHash", hash.clone()),
        ("/hashes", json!([hash])),
        ("/hashes", json!([])),
    ] {
        let pointer = format!("/verification/inclusionProof{pointer}");
        assert_eq!(
            changed(&pointer, value),
            Err(EntryError::Inclusion),
            "{pointer}"
        );
    }
    let checkpoint = |log: &PrivateKey, proposal: &Proposal| {
        let response = response(proposal, log);
        response["uuid"]["verification"]["inclusionProof"]["checkpoint"].clone()
    };
    let pointer = "/verification/inclusionProof/checkpoint";
    assert_eq!(
        changed(pointer, checkpoint(&wrong_key, &proposal)),
        Err(EntryError::Checkpoint(CheckpointError::Signature))
    );
    assert_eq!(
        changed(pointer, checkpoint(&log, &propose(&image).unwrap())),
        Err(EntryError::Tree)
    );
    assert_eq!(
        changed(pointer, json!("x")),
        Err(EntryError::Checkpoint(CheckpointError::Malformed))
    );
    let entry = parse(right.to_string().as_bytes()).unwrap();
    let early = Timestamp::from_second(TIME - 601).unwrap();
    assert_eq!(
        entry.check(&proposal, key_of_log, early),
        Err(EntryError::Time)
    );
}

#[test]
fn a_body_with_one_member_more_or_another_one_is_that_of_another_signature() {
    let (ours, log) = (key(1), key(2));
    for signed in both(&ours) {
        let right = propose(&signed).unwrap();
        for change in [
            |body: &mut Value| body["spec"]["extra"] = json!(1),
            |body: &mut Value| body["extra"] = json!(1),
            |body: &mut Value| body["spec"]["signature"]["content"] = json!("AAAA"),
            |body: &mut Value| body["spec"]["signatures"] = json!([]),
        ] {
            let mut lie = right.clone();
            change(&mut lie.body);
            let response = response(&lie, &log);
            assert_eq!(
                checked(&response, &right, log.public_key()),
                Err(EntryError::Other)
            );
        }
    }
}

#[test]
fn a_response_that_is_no_entry_is_refused_with_what_is_wrong() {
    let (ours, log) = (key(1), key(2));
    let [statement, _] = both(&ours);
    let right = response(&propose(&statement).unwrap(), &log);
    let changed = |pointer: &str, value: Value| {
        let mut changed = right.clone();
        *changed.pointer_mut(&format!("/uuid{pointer}")).unwrap() = value;
        changed.to_string()
    };
    let two = json!({ "a": right["uuid"], "b": right["uuid"] });
    let proof = "/verification/inclusionProof";
    for (text, why) in [
        ("{".to_owned(), "not JSON"),
        (r#"{"a":1,"a":1}"#.to_owned(), "not JSON"),
        ("{}".to_owned(), "exactly one"),
        (two.to_string(), "exactly one"),
        (changed("/logIndex", json!(-1)), "not an entry"),
        (changed("/body", json!("!")), "base64"),
        (changed("/body", json!("e30=")), "another kind"),
        (changed("/logID", json!("é".repeat(32))), "log ID"),
        (changed("/verification", Value::Null), "no verification"),
        (
            changed("/verification/signedEntryTimestamp", Value::Null),
            "no signed entry timestamp",
        ),
        (changed(proof, Value::Null), "no inclusion proof"),
        (
            changed(&format!("{proof}/hashes"), json!(vec!["00".repeat(32); 65])),
            "too long",
        ),
        (
            changed(&format!("{proof}/hashes"), json!(["00"])),
            "of hashes",
        ),
    ] {
        let error = parse(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(why), "{text:.80}: {error}");
    }
}

#[test]
fn only_a_whole_identifier_and_a_whole_number_are_read_from_addresses() {
    let uuid = "0a".repeat(32);
    let tree = format!("{}{uuid}", "0b".repeat(8));
    assert_eq!(
        uuid_in_location(&format!("/api/v1/log/entries/{uuid}")),
        Some(&*uuid)
    );
    assert_eq!(uuid_in_location(&format!("/{tree}")), Some(&*tree));
    for path in ["", "/", "/api/v1/log/entries/..", &uuid[1..], "/a?b"] {
        assert_eq!(uuid_in_location(path), None, "{path}");
    }
    for url in [
        "",
        "https://r.example/api/v1/log/entries",
        "https://r.example/api/v1/log/entries?logIndex=",
        "https://r.example/api/v1/log/entries?logIndex=-1",
        "https://r.example/api/v1/log/entries?logIndex=+1",
        "https://r.example/api/v1/log/entries?logIndex=1&x=2",
        "https://r.example/api/v1/log/entries?logIndex=18446744073709551616",
    ] {
        assert_eq!(index_in_url(url), None, "{url}");
    }
}
