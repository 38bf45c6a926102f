//! When something was signed, as logs and timestamp authorities tell it.

use windlass_core::dsse::{IN_TOTO, pae};

use super::*;

#[test]
fn a_certificate_counts_only_within_its_validity() {
    let stack = Stack::new();
    for (time, is_valid) in [
        (TIME - 1, false),
        (TIME, true),
        (TIME + 600, true),
        (TIME + 601, false),
    ] {
        let leaf = stack.certificate(&Request::default());
        let bundle = stack.file_bundle(&leaf, FILE, time);
        match judge(&stack, Policy::STRICT, &bundle) {
            Ok(()) => assert!(is_valid, "{time}"),
            Err(found) => {
                assert!(!is_valid, "{time}: {found}");
                let begin =
                    "the certificate was not valid at the time of the log entry, 2025-06-15T";
                assert!(found.starts_with(begin), "{found}");
            }
        }
    }
}

#[test]
fn every_time_that_is_stated_has_to_be_within_the_validity_of_the_certificate() {
    let stack = Stack::new();
    let (_, mut bundle) = usual(&stack);
    stamped(&stack, &mut bundle, TIME + 1000);
    let found = finding(&stack, &bundle);
    let begin = "the certificate was not valid at the time of the timestamp, ";
    assert!(found.starts_with(begin), "{found}");
}

#[test]
fn a_time_in_the_future_is_refused() {
    let stack = Stack::new();
    let now = jiff::Timestamp::now().as_second();
    let leaf = stack.certificate(&Request {
        from: now,
        until: now + 7200,
        ..Request::default()
    });
    let found = finding(&stack, &stack.file_bundle(&leaf, FILE, now + 3600));
    assert!(found.starts_with("the time of the log entry, "), "{found}");
    assert!(found.ends_with(" is in the future"), "{found}");
    let mut bundle = stack.file_bundle(&leaf, FILE, now);
    stamped(&stack, &mut bundle, now + 3600);
    let found = finding(&stack, &bundle);
    assert!(found.ends_with(", which is in the future"), "{found}");
}

#[test]
fn the_key_of_a_log_counts_only_within_its_validity() {
    let stack = Stack::new();
    let (_, bundle) = usual(&stack);
    let mut root = stack.root();
    root["tlogs"][0]["publicKey"]["validFor"] =
        json!({ "start": "2020-01-01T00:00:00Z", "end": "2021-01-01T00:00:00Z" });
    let found = finding_by(&root, &bundle);
    let begin = "the key of the log was not valid at the time of the log entry, ";
    assert!(found.starts_with(begin), "{found}");
}

#[test]
fn a_timestamp_authority_counts_only_within_its_validity_and_for_its_signature() {
    let stack = Stack::new();
    let (_, mut bundle) = usual(&stack);
    stamped(&stack, &mut bundle, TIME + 20);
    let mut root = stack.root();
    root["timestampAuthorities"][0]["validFor"] =
        json!({ "start": "2020-01-01T00:00:00Z", "end": "2021-01-01T00:00:00Z" });
    let found = finding_by(&root, &bundle);
    assert!(
        found.ends_with("when its authority was not valid by the trusted root"),
        "{found}"
    );

    let stamp = stack.stamp(b"another signature", TIME + 20);
    bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"][0]["signedTimestamp"] =
        json!(stamp);
    let found = finding(&stack, &bundle);
    assert!(
        found.contains("made the timestamp for this signature"),
        "{found}"
    );
}

/// Times of signing, and whether the usual certificate was valid then.
const TIMES: [(i64, bool); 4] = [
    (TIME - 1, false),
    (TIME, true),
    (TIME + 600, true),
    (TIME + 601, false),
];

/// Checks that only a timestamp outside the validity of the certificate is refused, as just that.
pub(super) fn within_the_validity(judge: impl Fn(i64) -> Result<(), String>) {
    for (time, is_valid) in TIMES {
        let judged = judge(time);
        let Err(found) = judged else {
            assert!(is_valid, "{time}");
            continue;
        };
        assert!(!is_valid, "{time}: {found}");
        let when = jiff::Timestamp::from_second(time).unwrap();
        let (from, until) = (TIME, TIME + 600);
        let [from, until] = [from, until].map(|at| jiff::Timestamp::from_second(at).unwrap());
        let expected = format!(
            "the certificate was not valid at the time of the timestamp, {when}; it is valid from \
             {from} to {until}"
        );
        assert_eq!(found, expected);
    }
}

pub(super) fn without_log() -> Policy {
    Policy {
        log: Rule::Waived,
        ..Policy::STRICT
    }
}

#[test]
fn a_timestamp_outside_the_validity_of_the_signing_certificate_is_named_in_bundles() {
    let stack = Stack::new();
    let (_, logged) = usual(&stack);
    let mut unlogged = logged.clone();
    unlogged["verificationMaterial"]["tlogEntries"] = json!([]);
    for (policy, bundle) in [(Policy::STRICT, &logged), (without_log(), &unlogged)] {
        within_the_validity(|time| {
            let mut bundle = bundle.clone();
            stamped(&stack, &mut bundle, time);
            judge(&stack, policy, &bundle)
        });
    }
    // one that is within it makes up for nothing
    within_the_validity(|time| {
        let mut bundle = unlogged.clone();
        stamped(&stack, &mut bundle, time);
        let pointer = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps";
        let other = bundle.pointer(pointer).unwrap()[0].clone();
        stamped(&stack, &mut bundle, TIME + 10);
        let stamps = bundle.pointer_mut(pointer).unwrap().as_array_mut();
        stamps.unwrap().push(other);
        judge(&stack, without_log(), &bundle)
    });
}

#[test]
fn a_timestamp_outside_the_validity_of_the_signing_certificate_is_named_in_annotations() {
    let stack = Stack::new();
    let leaf = stack.certificate(&Request::default());
    let signatory = signatory();
    let annotated = |signature: &[u8], entry: String, time: i64| {
        let stamp = json!({ "SignedRFC3161Timestamp": stack.stamp(signature, time) });
        Material::annotated(Annotated {
            certificate: leaf.pem(),
            entry,
            timestamp: stamp.to_string(),
            ..Annotated::default()
        })
    };
    let judge = |policy: Policy, signed: Signed<'_>, material: &Material| {
        let who = Who::Certificate(&signatory);
        verifier(&stack, policy)
            .signed(who, signed, material)
            .map(drop)
    };

    let signature = leaf.party.sign(FILE);
    let message = || Signed::Message {
        message: FILE,
        signature: &signature,
    };
    let entry = stack.annotation(&rekord(FILE, &signature, &leaf.pem()), TIME + 10);
    for (policy, entry) in [(Policy::STRICT, entry), (without_log(), String::new())] {
        within_the_validity(|time| {
            let material = annotated(&signature, entry.clone(), time);
            judge(policy, message(), &material)
        });
    }

    let statement = statement(FILE);
    let signature = leaf.party.sign(&pae(IN_TOTO, statement.as_bytes()));
    let envelope =
        Envelope::with_signature(IN_TOTO, statement.as_bytes(), String::new(), &signature);
    within_the_validity(|time| {
        let material = annotated(&signature, String::new(), time);
        judge(without_log(), Signed::Envelope(&envelope), &material)
    });
}
