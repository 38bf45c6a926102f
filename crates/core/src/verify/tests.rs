use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;
use crate::dsse::{self, IN_TOTO};
use crate::key::PrivateKey;

const HEX: &str = "2222222222222222222222222222222222222222222222222222222222222222";
const V02: &str = "https://slsa.dev/provenance/v0.2";
const V1: &str = "https://slsa.dev/provenance/v1";

fn key() -> PrivateKey {
    PrivateKey::generate_p256(&[7; 32]).unwrap()
}

fn provenance_v02() -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v0.1",
        "subject": [{"name": "r.io/app", "digest": {"sha256": HEX}}],
        "predicateType": V02,
        "predicate": {
            "builder": {"id": "https://tekton.dev/chains/v2"},
            "materials": [
                {"uri": "git+https://g.io/r.git", "digest": {"sha1": "33"}},
                {"uri": "git+https://g.io/other.git", "digest": {"sha1": "44"}},
            ],
            "invocation": {"configSource": {
                "uri": "git+https://g.io/tasks.git", "digest": {"sha1": "55"}, "entryPoint": "t",
            }},
            "buildType": "tekton.dev/v1/TaskRun",
            "buildConfig": {"steps": []},
        },
    })
}

fn provenance_v1() -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "r.io/app", "digest": {"sha256": HEX}}],
        "predicateType": V1,
        "predicate": {
            "buildDefinition": {
                "externalParameters": {"runSpec": {"taskRef": {"name": "build"}}},
                "resolvedDependencies": [
                    {"uri": "git+https://g.io/tasks.git", "digest": {"sha1": "55"}, "name": "task"},
                    {"uri": "git+https://g.io/r.git", "digest": {"sha1": "33"}, "name": "inputs/result"},
                    {"uri": "git+https://g.io/other.git", "digest": {"sha1": "44"}},
                ],
            },
            "runDetails": {"builder": {"id": "https://tekton.dev/chains/v2"}},
        },
    })
}

fn signed(key: &PrivateKey, statement: &Value) -> Envelope {
    dsse::sign(key, IN_TOTO, statement.to_string().as_bytes()).unwrap()
}

fn findings(statement: &Value, expected: &Expected) -> Vec<String> {
    let key = key();
    attestation(&signed(&key, statement), key.public_key(), expected).findings
}

fn of_type(uri: &str) -> Expected {
    Expected {
        predicate_type: Some(uri.to_owned()),
        subject: Some(Claim::sha256(HEX)),
        ..Expected::default()
    }
}

#[test]
fn what_is_signed_and_says_all_that_is_expected_holds() {
    let key = key();
    let outcome = attestation(
        &signed(&key, &provenance_v02()),
        key.public_key(),
        &of_type(V02),
    );
    assert_eq!(outcome.findings, Vec::<String>::new());
    assert_eq!(outcome.predicate_type.as_deref(), Some(V02));
}

/// GHSA-vjxv-45g9-9296: a good attestation of another type was taken for one of the type asked for.
#[test]
fn a_good_attestation_of_another_type_does_not_hold() {
    let findings = findings(&provenance_v02(), &of_type(V1));
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].contains("predicateType"), "{findings:?}");
}

/// GHSA-w6c6-c85g-mmv6: a signed payload that is no statement was taken for verified.
#[test]
fn a_signed_payload_that_is_no_statement_never_holds() {
    let key = key();
    for payload in [
        "",
        "{",
        "[]",
        "null",
        "\"text\"",
        "{\"a\":1} trailing",
        "{\"subject\":7}",
    ] {
        let envelope = dsse::sign(&key, IN_TOTO, payload.as_bytes()).unwrap();
        let outcome = attestation(&envelope, key.public_key(), &Expected::default());
        assert!(!outcome.holds(), "{payload}");
    }
    let outcome = attestation(
        &signed(&key, &json!({})),
        key.public_key(),
        &Expected::default(),
    );
    assert!(outcome.findings[0].contains("_type"), "{outcome:?}");
}

#[test]
fn another_payload_type_does_not_hold_though_it_is_signed() {
    let key = key();
    let text = provenance_v02().to_string();
    let envelope = dsse::sign(&key, "text/plain", text.as_bytes()).unwrap();
    let outcome = attestation(&envelope, key.public_key(), &of_type(V02));
    assert!(outcome.findings[0].contains("payloadType"), "{outcome:?}");
}

#[test]
fn a_statement_about_something_else_does_not_hold() {
    let mut expected = of_type(V02);
    expected.subject = Some(Claim::sha256("11".repeat(32)));
    let findings = findings(&provenance_v02(), &expected);
    assert!(findings[0].contains("it is about r.io/app"), "{findings:?}");
}

#[test]
fn a_statement_changed_after_signing_does_not_hold() {
    let key = key();
    let mut envelope = signed(&key, &provenance_v02());
    envelope.payload = STANDARD.encode(provenance_v1().to_string());
    assert!(!attestation(&envelope, key.public_key(), &of_type(V1)).holds());
}

#[test]
fn a_predicate_that_is_no_provenance_makes_no_claim() {
    let mut statement = provenance_v1();
    statement["predicateType"] = json!("https://spdx.dev/Document");
    let mut expected = Expected::default();
    expected.provenance.builder_id = Some("https://tekton.dev/chains/v2".to_owned());
    let findings = findings(&statement, &expected);
    assert!(findings[0].contains("says nothing"), "{findings:?}");
}

#[test]
fn the_signature_of_an_image_is_for_its_digest_and_nothing_else() {
    let key = key();
    let image = crate::image::Image::parse(&format!("r.io/app@sha256:{HEX}")).unwrap();
    let payload = crate::payload::Payload::of_image(&image).bytes;
    let signature = key.sign(&payload).unwrap();
    let public = key.public_key();
    let digest = image.digest();
    let check = |payload: &[u8], digest: &str| {
        image_signature(payload, &signature, public, Some(digest)).findings
    };
    assert_eq!(check(&payload, &digest), Vec::<String>::new());
    let other = format!("sha256:{}", "11".repeat(32));
    assert!(check(&payload, &other)[0].contains("another image"));
    let text = String::from_utf8(payload.clone()).unwrap();
    let changed = text.replace(HEX, &"11".repeat(32));
    assert!(check(changed.as_bytes(), &other)[0].contains("does not match this payload and key"));
    // signed by the key, but no signature of an image
    for text in [
        "{}".to_owned(),
        text.replace(
            "cosign container image signature",
            "atomic container signature",
        ),
    ] {
        let signature = key.sign(text.as_bytes()).unwrap();
        let outcome = image_signature(text.as_bytes(), &signature, public, Some(&digest));
        assert_eq!(outcome.findings.len(), 1, "{text}: {outcome:?}");
    }
}

#[test]
fn bare_json_with_members_that_an_image_signature_does_not_have_is_none() {
    let key = key();
    let image = crate::image::Image::parse(&format!("r.io/app@sha256:{HEX}")).unwrap();
    let good: Value =
        serde_json::from_slice(&crate::payload::Payload::of_image(&image).bytes).unwrap();
    let findings = |document: &Value| {
        let text = document.to_string();
        let signature = key.sign(text.as_bytes()).unwrap();
        image_signature(text.as_bytes(), &signature, key.public_key(), None).findings
    };
    assert_eq!(findings(&good), Vec::<String>::new());
    let mut annotated = good.clone();
    annotated["optional"] = json!({ "creator": "x", "timestamp": 1, "nested": { "a": [] } });
    assert_eq!(findings(&annotated), Vec::<String>::new());
    // the status of a run that somebody wrote so that it looks like an image's signature
    for place in ["", "/critical", "/critical/image", "/critical/identity"] {
        let mut status = good.clone();
        let object = status.pointer_mut(place).unwrap();
        object["conditions"] = json!([]);
        assert_eq!(findings(&status).len(), 1, "{place}");
    }
    for missing in ["identity", "image", "type"] {
        let mut status = good.clone();
        status["critical"].as_object_mut().unwrap().remove(missing);
        assert_eq!(findings(&status).len(), 1, "{missing}");
    }
}

#[test]
fn the_envelope_of_a_bundle_is_read_and_nothing_else_is_taken_for_one() {
    let key = key();
    let envelope = signed(&key, &provenance_v1());
    let inner: Value = serde_json::from_str(&envelope.to_json()).unwrap();
    let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let bundle = json!({"mediaType": kind, "verificationMaterial": {}, "dsseEnvelope": inner});
    assert_eq!(
        envelope_of_bundle(bundle.to_string().as_bytes()),
        Ok(envelope)
    );
    for text in [
        "{".to_owned(),
        inner.to_string(),
        json!({"mediaType": kind, "messageSignature": {}}).to_string(),
        json!({"mediaType": kind, "dsseEnvelope": []}).to_string(),
    ] {
        assert!(envelope_of_bundle(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn a_statement_that_parsers_may_understand_differently_does_not_hold() {
    let key = key();
    let text = provenance_v1().to_string();
    let mut bytes = text.clone().into_bytes();
    // in a member that nothing here reads
    bytes.splice(1..1, b"\"note\":\"\xff\",".iter().copied());
    let twice = text.replacen('{', &format!(r#"{{"predicateType":"{V02}","#), 1);
    let deep = text.replacen(r#""name":"build""#, r#""name":"build","name":"other""#, 1);
    for (payload, finding) in [
        (bytes, "not valid UTF-8"),
        (twice.into_bytes(), "predicateType"),
        (deep.into_bytes(), "is there twice"),
    ] {
        let envelope = dsse::sign(&key, IN_TOTO, &payload).unwrap();
        let outcome = attestation(&envelope, key.public_key(), &Expected::default());
        assert_eq!(outcome.findings.len(), 1, "{outcome:?}");
        assert!(outcome.findings[0].contains(finding), "{outcome:?}");
    }
}

mod claims;
