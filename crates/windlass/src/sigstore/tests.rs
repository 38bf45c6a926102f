//! What is judged, and what is said of what is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use windlass_core::dsse::Envelope;
use windlass_core::key::PublicKey;

use self::stack::{IDENTITY, ISSUER, Leaf, Request, Sct, Stack, TIME, rekord, statement};
use super::*;

pub(crate) mod der;
mod envelopes;
mod intoto;
pub(crate) mod stack;
mod times;

const FILE: &[u8] = b"what was built\n";

fn verifier(stack: &Stack, policy: Policy) -> Verifier {
    Verifier::new(stack.root().to_string().as_bytes(), policy).unwrap()
}

fn signatory() -> Signatory {
    Signatory {
        identity: Matcher::Exact(IDENTITY.to_owned()),
        issuer: Matcher::Exact(ISSUER.to_owned()),
        workflow: Vec::new(),
    }
}

/// What is found of a bundle of the file.
fn judge(stack: &Stack, policy: Policy, bundle: &Value) -> Result<(), String> {
    judge_text(stack, policy, bundle.to_string().as_bytes())
}

fn judge_text(stack: &Stack, policy: Policy, bundle: &[u8]) -> Result<(), String> {
    let signatory = signatory();
    let who = Who::Certificate(&signatory);
    let judged = verifier(stack, policy).blob(who, bundle, Blob::Bytes(FILE));
    judged.map(drop)
}

fn finding(stack: &Stack, bundle: &Value) -> String {
    judge(stack, Policy::STRICT, bundle).unwrap_err()
}

/// What is found by another trusted root.
fn finding_by(root: &Value, bundle: &Value) -> String {
    let verifier = Verifier::new(root.to_string().as_bytes(), Policy::STRICT).unwrap();
    let signatory = signatory();
    let (who, text) = (Who::Certificate(&signatory), bundle.to_string());
    let judged = verifier.blob(who, text.as_bytes(), Blob::Bytes(FILE));
    judged.unwrap_err()
}

fn usual(stack: &Stack) -> (Leaf, Value) {
    let leaf = stack.certificate(&Request::default());
    let bundle = stack.file_bundle(&leaf, FILE, TIME + 10);
    (leaf, bundle)
}

fn stamped(stack: &Stack, bundle: &mut Value, time: i64) {
    let signature = bundle["messageSignature"]["signature"].as_str().unwrap();
    let stamp = stack.stamp(&STANDARD.decode(signature).unwrap(), time);
    bundle["verificationMaterial"]["timestampVerificationData"] =
        json!({ "rfc3161Timestamps": [{ "signedTimestamp": stamp }] });
}

#[test]
fn a_file_is_verified_by_whom_its_certificate_names() {
    let stack = Stack::new();
    let (_, mut bundle) = usual(&stack);
    judge(&stack, Policy::STRICT, &bundle).unwrap();
    stamped(&stack, &mut bundle, TIME + 20);
    judge(&stack, Policy::STRICT, &bundle).unwrap();
    let digest = sha2::Digest::finalize(<sha2::Sha256 as sha2::Digest>::new_with_prefix(FILE));
    let text = bundle.to_string();
    let signatory = signatory();
    let judged = verifier(&stack, Policy::STRICT).blob(
        Who::Certificate(&signatory),
        text.as_bytes(),
        Blob::Digest(&digest.into()),
    );
    assert_eq!(judged.unwrap().identity.as_deref(), Some(IDENTITY));
}

#[test]
fn another_name_or_issuer_in_a_certificate_is_named() {
    let stack = Stack::new();
    let leaf = stack.certificate(&Request {
        identity: "https://example.com/other",
        ..Request::default()
    });
    let found = finding(&stack, &stack.file_bundle(&leaf, FILE, TIME + 10));
    assert!(
        found.starts_with("the certificate's identity is `https://example.com/other`"),
        "{found}"
    );
    let leaf = stack.certificate(&Request {
        issuer: "https://other.example.com",
        ..Request::default()
    });
    let found = finding(&stack, &stack.file_bundle(&leaf, FILE, TIME + 10));
    assert!(
        found.starts_with("the certificate's OIDC issuer is"),
        "{found}"
    );
}

#[test]
fn a_user_name_of_a_certificate_is_an_identity() {
    let stack = Stack::new();
    let leaf = stack.certificate(&Request {
        identity: "builder!ci.example.com",
        ..Request::default()
    });
    let bundle = stack.file_bundle(&leaf, FILE, TIME + 10).to_string();
    let judge = |identity: &str| {
        let signatory = Signatory {
            identity: Matcher::Exact(identity.to_owned()),
            ..signatory()
        };
        let who = Who::Certificate(&signatory);
        let verifier = verifier(&stack, Policy::STRICT);
        let judged = verifier.blob(who, bundle.as_bytes(), Blob::Bytes(FILE));
        judged.map(|subject| subject.identity)
    };
    let named = judge("builder!ci.example.com").unwrap();
    assert_eq!(named.as_deref(), Some("builder!ci.example.com"));
    let found = judge("other!ci.example.com").unwrap_err();
    assert!(
        found.contains("identity is `builder!ci.example.com`"),
        "{found}"
    );
}

#[test]
fn a_trusted_root_of_others_vouches_for_nothing() {
    let (stack, other) = (Stack::new(), Stack::new());
    let (_, bundle) = usual(&stack);
    let found = finding(&other, &bundle);
    assert_eq!(
        found,
        "the log entry is by a transparency log that the trusted root does not have"
    );
    // of all others, only the authority is another
    let mut root = stack.root();
    root["certificateAuthorities"] = other.root()["certificateAuthorities"].clone();
    let found = finding_by(&root, &bundle);
    assert!(
        found.contains("does not lead to an authority of the trusted root"),
        "{found}"
    );
}

#[test]
fn an_sct_counts_for_its_certificate_and_by_a_log_of_the_trusted_root() {
    let stack = Stack::new();
    for (sct, expected) in [
        (Sct::Missing, "has no signed certificate timestamp (SCT)"),
        (Sct::OfAnother, "(SCT) was made for another certificate"),
        (Sct::ByAnotherLog, "(SCT) is by another log of certificates"),
    ] {
        let leaf = stack.certificate(&Request {
            sct,
            ..Request::default()
        });
        let bundle = stack.file_bundle(&leaf, FILE, TIME + 10);
        let found = finding(&stack, &bundle);
        assert!(found.contains(expected), "{found}");
        let policy = Policy {
            sct: Rule::Waived,
            ..Policy::STRICT
        };
        judge(&stack, policy, &bundle).unwrap();
    }
}

#[test]
fn an_entry_of_another_artifact_signature_or_certificate_is_refused() {
    let stack = Stack::new();
    let (leaf, bundle) = usual(&stack);
    let signature = bundle["messageSignature"]["signature"].as_str().unwrap();
    let signature = STANDARD.decode(signature).unwrap();
    let other = stack.certificate(&Request::default());
    for (body, expected) in [
        (
            rekord(b"other", &signature, &leaf.pem()),
            "about another artifact",
        ),
        (
            rekord(FILE, b"other", &leaf.pem()),
            "about another signature",
        ),
        (
            rekord(FILE, &signature, &other.pem()),
            "about another signature, or about another certificate",
        ),
    ] {
        let mut bundle = bundle.clone();
        bundle["verificationMaterial"]["tlogEntries"] = json!([stack.entry(&body, TIME + 10)]);
        let found = finding(&stack, &bundle);
        assert!(found.contains(expected), "{found}");
        // also where no log is asked for: its time is believed
        let policy = Policy {
            log: Rule::Waived,
            ..Policy::STRICT
        };
        assert!(judge(&stack, policy, &bundle).is_err());
    }
}

#[test]
fn a_log_that_lies_is_named_by_its_lie() {
    let stack = Stack::new();
    let (_, bundle) = usual(&stack);
    let zeros = STANDARD.encode([0; 32]);
    let other = Stack::new();
    let elsewhere = other.entry(&json!({ "kind": "x", "apiVersion": "0.0.1" }), TIME);
    let checkpoint = &elsewhere["inclusionProof"]["checkpoint"]["envelope"];
    let own = bundle["verificationMaterial"]["tlogEntries"][0].clone();
    let signed = own["inclusionProof"]["checkpoint"]["envelope"]
        .as_str()
        .unwrap();
    let relabelled = {
        let (note, _) = signed.split_once("\n\n").unwrap();
        let (_, signature) = checkpoint.as_str().unwrap().split_once("\n\n").unwrap();
        json!(format!("{note}\n\n{signature}"))
    };
    for (pointer, value, expected) in [
        (
            "/inclusionProof/hashes/0",
            json!(zeros),
            "the inclusion proof does not lead from the log entry to the checkpoint's root",
        ),
        (
            "/inclusionProof/rootHash",
            json!(zeros),
            "the root of the inclusion proof is not that of its checkpoint",
        ),
        (
            "/inclusionProof/checkpoint/envelope",
            relabelled,
            "no log of the trusted root signed the checkpoint of the inclusion proof",
        ),
        (
            "/inclusionPromise/signedEntryTimestamp",
            json!(zeros),
            "the promise of the log (SET) does not match its entry",
        ),
        (
            "/integratedTime",
            json!((TIME + 11).to_string()),
            "the promise of the log (SET) does not match its entry",
        ),
    ] {
        let mut bundle = bundle.clone();
        let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
        *entry.pointer_mut(pointer).unwrap() = value;
        assert_eq!(finding(&stack, &bundle), expected, "{pointer}");
    }
}

#[test]
fn an_entry_that_is_there_twice_or_proves_nothing_is_refused() {
    let stack = Stack::new();
    let (_, bundle) = usual(&stack);
    let entries = "verificationMaterial";
    let mut twice = bundle.clone();
    let entry = twice[entries]["tlogEntries"][0].clone();
    twice[entries]["tlogEntries"] = json!([entry, entry]);
    assert_eq!(
        finding(&stack, &twice),
        "the bundle has the same log entry twice"
    );
    let mut bare = bundle.clone();
    let entry = bare[entries]["tlogEntries"][0].as_object_mut().unwrap();
    entry.remove("inclusionProof");
    entry.remove("inclusionPromise");
    let found = finding(&stack, &bare);
    assert_eq!(
        found,
        "a log entry of the bundle has neither proof nor promise"
    );
    let mut none = bundle;
    none[entries]["tlogEntries"] = json!([]);
    let found = finding(&stack, &none);
    assert!(found.contains("--insecure-ignore-tlog"), "{found}");
}

#[test]
fn a_log_is_done_without_only_where_a_timestamp_tells_the_time() {
    let stack = Stack::new();
    let (_, mut bundle) = usual(&stack);
    bundle["verificationMaterial"]["tlogEntries"] = json!([]);
    let policy = Policy {
        log: Rule::Waived,
        ..Policy::STRICT
    };
    let found = judge(&stack, policy, &bundle).unwrap_err();
    assert_eq!(found, "it has neither a log entry nor a timestamp");
    stamped(&stack, &mut bundle, TIME + 20);
    judge(&stack, policy, &bundle).unwrap();
    assert!(judge(&stack, Policy::STRICT, &bundle).is_err());
}

#[test]
fn a_timestamp_is_there_where_it_is_asked_for() {
    let stack = Stack::new();
    let (_, mut bundle) = usual(&stack);
    let policy = Policy {
        timestamp: Rule::Required,
        ..Policy::STRICT
    };
    let found = judge(&stack, policy, &bundle).unwrap_err();
    assert!(found.contains("--use-signed-timestamps"), "{found}");
    stamped(&stack, &mut bundle, TIME + 20);
    judge(&stack, policy, &bundle).unwrap();
}

#[test]
fn a_bundle_beyond_its_bounds_is_refused_before_it_is_built() {
    let stack = Stack::new();
    let (_, bundle) = usual(&stack);
    let large = vec![b' '; MAX_BUNDLE + 1];
    let found = judge_text(&stack, Policy::STRICT, &large).unwrap_err();
    assert!(found.contains("bytes, and at most"), "{found}");

    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let text = bundle
        .to_string()
        .replacen('{', &format!("{{\"x\":{deep},"), 1);
    let found = judge_text(&stack, Policy::STRICT, text.as_bytes()).unwrap_err();
    assert!(found.starts_with("the bundle is damaged"), "{found}");

    for (entries, timestamps) in [(100_000, 0), (1, 100_000), (33, 0)] {
        let mut bundle = bundle.clone();
        let material = &mut bundle["verificationMaterial"];
        material["tlogEntries"] = json!(vec![json!({}); entries]);
        material["timestampVerificationData"] =
            json!({ "rfc3161Timestamps": vec![json!({}); timestamps] });
        let found = finding(&stack, &bundle);
        assert!(found.ends_with("and at most 32 are read"), "{found}");
    }
}

#[test]
fn a_bundle_that_two_readers_could_understand_differently_is_refused() {
    let stack = Stack::new();
    let (leaf, bundle) = usual(&stack);
    let attestation = stack.attestation_bundle(&leaf, &statement(FILE), TIME + 10);
    let mut both = bundle.clone();
    both["dsseEnvelope"] = attestation["dsseEnvelope"].clone();
    assert!(finding(&stack, &both).contains("either a messageSignature or a dsseEnvelope"));
    let mut keys = bundle.clone();
    keys["verificationMaterial"]["publicKey"] = json!({ "hint": "" });
    assert!(finding(&stack, &keys).contains("one of certificate, x509CertificateChain"));
    let twice = bundle.to_string().replacen('{', "{\"mediaType\":\"x\",", 1);
    let found = judge_text(&stack, Policy::STRICT, twice.as_bytes()).unwrap_err();
    assert!(found.contains("is there twice"), "{found}");
}

#[test]
fn nothing_that_a_bundle_says_is_repeated_but_the_beginning_of_a_name() {
    let stack = Stack::new();
    let (_, bundle) = usual(&stack);
    let long = "\u{1b}[31m".repeat(2000);
    for pointer in [
        "/mediaType",
        "/verificationMaterial/tlogEntries/0/kindVersion/kind",
        "/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope",
        "/verificationMaterial/tlogEntries/0/canonicalizedBody",
        "/verificationMaterial/certificate/rawBytes",
        "/messageSignature/signature",
        "/messageSignature/messageDigest/algorithm",
    ] {
        let mut bundle = bundle.clone();
        *bundle.pointer_mut(pointer).unwrap() = json!(long);
        let found = finding(&stack, &bundle);
        assert!(found.len() < 400, "{pointer}: {found}");
        if pointer != "/mediaType" {
            assert!(!found.contains('\u{1b}'), "{pointer}: {found}");
        }
    }
}

#[test]
fn a_signature_over_another_file_is_refused() {
    let stack = Stack::new();
    let leaf = stack.certificate(&Request::default());
    let bundle = stack.file_bundle(&leaf, b"other", TIME + 10);
    let found = finding(&stack, &bundle);
    assert!(found.contains("another artifact"), "{found}");
}

#[test]
fn an_attestation_is_verified_whatever_it_is_about_and_not_as_a_file() {
    let stack = Stack::new();
    let leaf = stack.certificate(&Request::default());
    let signatory = signatory();
    let who = Who::Certificate(&signatory);
    let verifier = verifier(&stack, Policy::STRICT);
    let bundle = stack.attestation_bundle(&leaf, &statement(FILE), TIME + 10);
    let text = bundle.to_string();
    let envelope = verifier.envelope(who, text.as_bytes()).unwrap();
    assert_eq!(
        envelope.decode_payload().unwrap(),
        statement(FILE).as_bytes()
    );
    let found = verifier
        .blob(who, text.as_bytes(), Blob::Bytes(FILE))
        .unwrap_err();
    assert!(found.contains("verify-blob-attestation"), "{found}");
    let mut changed = bundle;
    changed["dsseEnvelope"]["payload"] = json!(STANDARD.encode(statement(b"other")));
    let found = verifier
        .envelope(who, changed.to_string().as_bytes())
        .unwrap_err();
    assert!(found.starts_with("the signature does not match"), "{found}");
}

#[test]
fn annotations_are_judged_like_the_bundle_of_the_same_signature() {
    let stack = Stack::new();
    let leaf = stack.certificate(&Request::default());
    let signature = leaf.party.sign(FILE);
    let body = rekord(FILE, &signature, &leaf.pem());
    let annotated = |entry: String, certificate: String| {
        Material::annotated(Annotated {
            certificate,
            entry,
            ..Annotated::default()
        })
    };
    let signatory = signatory();
    let judge = |message: &[u8], material: &Material| {
        let signed = Signed::Message {
            message,
            signature: &signature,
        };
        let who = Who::Certificate(&signatory);
        let verifier = verifier(&stack, Policy::STRICT);
        verifier.signed(who, signed, material).map(drop)
    };
    let entry = stack.annotation(&body, TIME + 10);
    let good = annotated(entry.clone(), leaf.pem());
    judge(FILE, &good).unwrap();
    assert!(judge(b"other", &good).is_err());
    let late = annotated(stack.annotation(&body, TIME + 900), leaf.pem());
    let found = judge(FILE, &late).unwrap_err();
    assert!(
        found.starts_with("the certificate was not valid at the time of the log entry"),
        "{found}"
    );
    let found = judge(FILE, &annotated(String::new(), leaf.pem())).unwrap_err();
    assert!(
        found.contains("neither a log entry nor a timestamp") || found.contains("no log entry"),
        "{found}"
    );
    let found = judge(FILE, &annotated(entry.clone(), String::new())).unwrap_err();
    assert!(found.contains("give that with --key"), "{found}");
    let found = judge(FILE, &annotated("{".to_owned(), leaf.pem())).unwrap_err();
    assert!(
        found.starts_with("the annotated log entry is damaged"),
        "{found}"
    );
    let found = judge(FILE, &Material::None).unwrap_err();
    assert!(found.contains("give that with --key"), "{found}");
    let other = stack.certificate(&Request::default());
    let found = judge(FILE, &annotated(entry, other.pem())).unwrap_err();
    assert!(found.starts_with("the signature does not match"), "{found}");
}

#[test]
fn an_envelope_with_annotations_is_judged_also_if_its_statement_has_no_subject() {
    let stack = Stack::new();
    let leaf = stack.certificate(&Request::default());
    let signatory = signatory();
    let verifier = verifier(&stack, Policy::STRICT);
    for statement in [
        statement(FILE),
        r#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"x:y","subject":null}"#
            .to_owned(),
    ] {
        let pae = windlass_core::dsse::pae("application/vnd.in-toto+json", statement.as_bytes());
        let signature = leaf.party.sign(&pae);
        let payload = statement.as_bytes();
        let envelope = Envelope::with_signature(
            "application/vnd.in-toto+json",
            payload,
            String::new(),
            &signature,
        );
        let has_subject = statement.contains("sha256");
        let body = if has_subject {
            stack::dsse(payload, &signature, &leaf.pem())
        } else {
            rekord(&pae, &signature, &leaf.pem())
        };
        let material = Material::annotated(Annotated {
            certificate: leaf.pem(),
            entry: stack.annotation(&body, TIME + 10),
            ..Annotated::default()
        });
        let who = Who::Certificate(&signatory);
        verifier
            .signed(who, Signed::Envelope(&envelope), &material)
            .unwrap();
    }
}

#[test]
fn a_key_is_vouched_for_by_a_log_entry_of_its_signature() {
    let stack = Stack::new();
    let (party, other) = (stack::Party::new(), stack::Party::new());
    let signature = party.sign(FILE);
    let body = rekord(FILE, &signature, &party.pem());
    let mut bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "publicKey": { "hint": "" },
            "tlogEntries": [stack.entry(&body, TIME)],
        },
        "messageSignature": {
            "messageDigest": {
                "algorithm": "SHA2_256",
                "digest": STANDARD.encode(<sha2::Sha256 as sha2::Digest>::digest(FILE)),
            },
            "signature": STANDARD.encode(&signature),
        },
    });
    let key = PublicKey::from_der(&party.spki()).unwrap();
    let judge = |key: &PublicKey, bundle: &Value| {
        let verifier = verifier(&stack, Policy::STRICT);
        let text = bundle.to_string();
        verifier
            .blob(Who::Key(key), text.as_bytes(), Blob::Bytes(FILE))
            .map(drop)
    };
    judge(&key, &bundle).unwrap();
    assert!(finding(&stack, &bundle).contains("give that with --key"));
    let (_, certified) = usual(&stack);
    assert!(
        judge(&key, &certified).is_err(),
        "the key of a certificate is not taken for one that was given"
    );
    assert!(judge(&PublicKey::from_der(&other.spki()).unwrap(), &bundle).is_err());
    let foreign = rekord(FILE, &signature, &other.pem());
    bundle["verificationMaterial"]["tlogEntries"] = json!([stack.entry(&foreign, TIME)]);
    assert!(
        judge(&key, &bundle).unwrap_err().contains("another"),
        "{bundle}"
    );
    bundle["verificationMaterial"]["tlogEntries"] = json!([]);
    assert!(
        judge(&key, &bundle)
            .unwrap_err()
            .contains("--insecure-ignore-tlog")
    );
    let text = bundle.to_string();
    verifier::blob_by_key(&key, text.as_bytes(), Blob::Bytes(FILE)).unwrap();
    assert!(verifier::blob_by_key(&key, text.as_bytes(), Blob::Bytes(b"x")).is_err());
}

#[test]
fn the_bundle_that_cosign_2_writes_for_a_file_is_judged_alike() {
    let stack = Stack::new();
    let leaf = stack.certificate(&Request::default());
    let signature = leaf.party.sign(FILE);
    let body = rekord(FILE, &signature, &leaf.pem());
    let entry: Value = serde_json::from_str(&stack.annotation(&body, TIME + 10)).unwrap();
    let mut bundle = json!({
        "base64Signature": STANDARD.encode(&signature),
        "cert": STANDARD.encode(leaf.pem()),
        "rekorBundle": entry,
    });
    judge(&stack, Policy::STRICT, &bundle).unwrap();
    bundle["rekorBundle"]["Payload"]["integratedTime"] = json!(TIME + 11);
    let found = finding(&stack, &bundle);
    assert_eq!(
        found,
        "the promise of the log (SET) does not match its entry"
    );
    bundle.as_object_mut().unwrap().remove("rekorBundle");
    assert!(judge(&stack, Policy::STRICT, &bundle).is_err());
}

#[test]
fn a_bundle_with_any_byte_changed_is_judged_without_a_panic() {
    let stack = Stack::new();
    let (_, mut bundle) = usual(&stack);
    stamped(&stack, &mut bundle, TIME + 20);
    let text = bundle.to_string().into_bytes();
    let mut random: u64 = 7;
    let mut next = |below: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(random >> 33).unwrap() % below
    };
    let verifier = verifier(&stack, Policy::STRICT);
    let signatory = signatory();
    for _ in 0..600 {
        let mut changed = text.clone();
        let (at, by) = (next(text.len()), next(255));
        changed[at] ^= u8::try_from(by + 1).unwrap();
        let who = Who::Certificate(&signatory);
        let _ = verifier.blob(who, &changed, Blob::Bytes(FILE));
        let _ = verifier.blob(who, &changed[..at], Blob::Bytes(FILE));
    }
}

#[test]
fn a_damaged_trusted_root_is_refused() {
    let stack = Stack::new();
    let root = stack.root();
    let mut twice = root.clone();
    let log = twice["tlogs"][0].clone();
    twice["tlogs"] = json!([log, log]);
    let mut cut = root.clone();
    cut["certificateAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"] = json!("AAAA");
    let texts = [
        String::new(),
        "[]".to_owned(),
        "x".repeat(MAX_ROOT + 1),
        twice.to_string(),
        cut.to_string(),
    ];
    for text in texts {
        let error = Verifier::new(text.as_bytes(), Policy::STRICT).unwrap_err();
        let error = error.to_string();
        assert!(error.starts_with("the trusted root is damaged"), "{error}");
        assert!(error.len() < 300, "{error}");
    }
}
