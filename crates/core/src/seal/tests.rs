use serde_json::json;

use super::*;
use crate::key::PrivateKey;
use crate::run::Run;

fn key(seed: u8) -> PrivateKey {
    PrivateKey::generate_p256(&[seed; 32]).unwrap()
}

/// What becomes of the seal of a run once the run is changed.
fn checked(
    change: impl FnOnce(&mut serde_json::Value),
    keys: &[PrivateKey],
) -> Result<(), SealError> {
    let payload = payload_digest(b"signed");
    let mut run = json!({
        "kind": "TaskRun",
        "metadata": { "namespace": "a", "name": "n", "uid": "u", "annotations": {} },
    });
    let text = run.to_string();
    let read = Run::parse(text.as_bytes()).unwrap();
    let key = key(7);
    let signature = key
        .sign(&message(
            Kind::Task,
            read.metadata(),
            "true",
            Some(&payload),
        ))
        .unwrap();
    run["metadata"]["annotations"] = json!({
        annotation::SIGNED: "true",
        annotation::SEAL: annotation(&key.public_key().key_id(), &signature, "u", Some(&payload)),
    });
    change(&mut run);
    let text = run.to_string();
    let read = Run::parse(text.as_bytes()).unwrap();
    let keys = keys.iter().map(PrivateKey::public_key);
    let seal = verify(read.kind(), read.metadata(), keys)?;
    assert!(seal.is_of(b"signed") && !seal.is_of(b"other"));
    Ok(())
}

#[test]
fn a_seal_is_for_one_mark_of_one_run() {
    let keys = [key(9), key(7)];
    assert_eq!(checked(|_| {}, &keys), Ok(()));
    for (pointer, value) in [
        ("/kind", "PipelineRun"),
        ("/metadata/namespace", "b"),
        ("/metadata/name", "m"),
        ("/metadata/uid", "v"),
        ("/metadata/annotations/chains.tekton.dev~1signed", "failed"),
    ] {
        let change =
            |run: &mut serde_json::Value| *run.pointer_mut(pointer).unwrap() = json!(value);
        assert_eq!(
            checked(change, &keys),
            Err(SealError::Mismatch),
            "{pointer}"
        );
    }
}

#[test]
fn a_seal_is_for_the_payload_that_was_signed() {
    let change = |to: fn(&str) -> String| {
        checked(
            |run| {
                let seal = &mut run["metadata"]["annotations"][annotation::SEAL];
                *seal = json!(to(seal.as_str().unwrap()));
            },
            &[key(7)],
        )
    };
    let without = |seal: &str| seal.rsplit_once(' ').unwrap().0.to_owned();
    assert_eq!(change(without), Err(SealError::Mismatch));
    let other = |seal: &str| {
        let digest = payload_digest(b"other");
        format!("{} {digest}", seal.rsplit_once(' ').unwrap().0)
    };
    assert_eq!(change(other), Err(SealError::Mismatch));
    for damage in [
        |seal: &str| seal.replace("sha256:", "sha512:"),
        |seal: &str| format!("{seal}0"),
        |seal: &str| format!("{seal} "),
    ] {
        assert_eq!(change(damage), Err(SealError::Malformed));
    }
}

#[test]
fn what_is_no_seal_of_a_known_key_is_told_apart() {
    let sealed_as = |text: serde_json::Value| {
        checked(
            |run| run["metadata"]["annotations"][annotation::SEAL] = text,
            &[key(7)],
        )
    };
    assert_eq!(checked(|_| {}, &[key(9)]), Err(SealError::UnknownKey));
    for text in ["", "x", "SHA256:x MEUC", "SHA256:x % u", &"x ".repeat(4000)] {
        assert_eq!(
            sealed_as(json!(text)),
            Err(SealError::Malformed),
            "{text:.20}"
        );
    }
    let own = key(7).public_key().key_id();
    assert_eq!(
        sealed_as(json!(format!("{own} MEUC u"))),
        Err(SealError::Mismatch)
    );
    let unsealed = |run: &mut serde_json::Value| {
        run["metadata"]["annotations"] = json!({ annotation::SIGNED: "true" });
    };
    assert_eq!(checked(unsealed, &[key(7)]), Err(SealError::Missing));
}

#[test]
fn a_known_seal_holds_for_its_mark_of_its_run_and_its_key_alone() {
    let run = |mark: &str, uid: &str, seal: &str| {
        json!({ "kind": "TaskRun", "metadata": { "name": "n", "uid": uid, "annotations": {
            annotation::SIGNED: mark, annotation::SEAL: seal,
        } } })
        .to_string()
    };
    // not one that a signature would be found to hold for
    let key_id = key(7).public_key().key_id();
    let seal = annotation(&key_id, b"made here", "u", None);
    let known = Known::default();
    let judge = |text: &str, keys: &[PrivateKey]| {
        let run = Run::parse(text.as_bytes()).unwrap();
        let keys = keys.iter().map(PrivateKey::public_key);
        verify_unless_known(run.kind(), run.metadata(), keys, Some(&known)).map(drop)
    };
    let other = annotation(&key_id, b"made there", "u", None);
    let own = run("true", "u", &seal);
    assert_eq!(judge(&own, &[key(7)]), Err(SealError::Mismatch));
    let read = Run::parse(own.as_bytes()).unwrap();
    known.add(digest(read.kind(), read.metadata(), "true", &seal));
    assert_eq!(judge(&own, &[key(7)]), Ok(()));
    assert_eq!(judge(&own, &[key(9)]), Err(SealError::UnknownKey));
    for changed in [
        run("failed", "u", &seal),
        run("true", "v", &seal),
        run("true", "u", &other),
    ] {
        assert!(judge(&changed, &[key(7)]).is_err(), "{changed}");
    }
}

#[test]
fn a_seal_that_holds_is_known_from_then_on() {
    let run = Run::parse(br#"{"kind":"TaskRun","metadata":{"uid":"u"}}"#).unwrap();
    let signature = key(7).sign(&message(Kind::Task, run.metadata(), "true", None));
    let seal = annotation(
        &key(7).public_key().key_id(),
        &signature.unwrap(),
        "u",
        None,
    );
    let text = json!({ "kind": "TaskRun", "metadata": { "uid": "u", "annotations": {
        annotation::SIGNED: "true", annotation::SEAL: seal,
    } } })
    .to_string();
    let run = Run::parse(text.as_bytes()).unwrap();
    let known = Known::default();
    let digest = digest(Kind::Task, run.metadata(), "true", &seal);
    assert!(!known.has(&digest));
    let verified = verify_unless_known(
        Kind::Task,
        run.metadata(),
        [key(7).public_key()],
        Some(&known),
    );
    assert_eq!(verified, Ok(Seal { payload: None }));
    assert!(known.has(&digest));
}

#[test]
fn a_seal_names_the_run_by_its_uid() {
    let seal = annotation("SHA256:x", b"signature", "u-1", None);
    assert!(names(&seal, "u-1"));
    assert!(!names(&seal, "u-2"));
    for text in ["", "x", "SHA256:x u-1", "SHA256:x % u-1"] {
        assert!(!names(text, "u-1"), "{text}");
    }
    let nameless = annotation("SHA256:x", b"signature", "", None);
    assert!(!names(&nameless, ""));
}

#[test]
fn a_seal_is_never_an_attestation() {
    let run = Run::parse(br#"{"kind":"TaskRun"}"#).unwrap();
    let message = message(Kind::Task, run.metadata(), "true", None);
    assert!(message.starts_with(b"DSSEv1 34 application/vnd.windlass.seal+json "));
}
