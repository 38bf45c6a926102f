//! Timestamps of whole envelopes, as cosign puts them beside attestations under a tag.

use bytes::Bytes;
use windlass_core::dsse::{IN_TOTO, pae};

use super::stack::Party;
use super::times::{within_the_validity, without_log};
use super::*;

/// An attestation under a tag.
struct Layer {
    leaf: Leaf,
    envelope: Envelope,
    /// The entry of its signature.
    entry: Value,
}

impl Layer {
    fn new(stack: &Stack, request: &Request<'_>) -> Self {
        Self::of(stack, request, &statement(FILE))
    }

    fn of(stack: &Stack, request: &Request<'_>, statement: &str) -> Self {
        let leaf = stack.certificate(request);
        let signature = leaf.party.sign(&pae(IN_TOTO, statement.as_bytes()));
        let entry = stack::dsse(statement.as_bytes(), &signature, &leaf.pem());
        let keyid = String::new();
        let payload = statement.as_bytes();
        Self {
            envelope: Envelope::with_signature(IN_TOTO, payload, keyid, &signature),
            leaf,
            entry,
        }
    }

    fn content(&self) -> String {
        self.envelope.to_json()
    }

    fn signature(&self) -> Vec<u8> {
        self.envelope.signatures[0].decode().unwrap()
    }

    /// What is annotated to it, with a timestamp of some bytes.
    fn material(&self, stack: &Stack, of: &[u8], time: i64) -> Annotated {
        let stamp = json!({ "SignedRFC3161Timestamp": stack.stamp(of, time) });
        Annotated {
            certificate: self.leaf.pem(),
            timestamp: stamp.to_string(),
            envelope: Bytes::from(self.content()),
            ..Annotated::default()
        }
    }

    fn judge(&self, verifier: &Verifier, annotated: Annotated) -> Result<(), String> {
        let signatory = signatory();
        let who = Who::Certificate(&signatory);
        let material = Material::annotated(annotated);
        let signed = Signed::Envelope(&self.envelope);
        verifier.signed(who, signed, &material).map(drop)
    }

    /// The finding for it at a time, by a timestamp of its envelope alone.
    fn at(&self, stack: &Stack, verifier: &Verifier, time: i64) -> Result<(), String> {
        let material = self.material(stack, self.content().as_bytes(), time);
        self.judge(verifier, material)
    }
}

#[test]
fn a_certificate_counts_at_the_time_of_the_whole_envelope_with_a_log_and_without() {
    let stack = Stack::new();
    let layer = Layer::new(&stack, &Request::default());
    let content = layer.content();
    let (strict, waived) = (Policy::STRICT, without_log());
    for (policy, logged) in [(waived, None), (waived, Some(10)), (strict, Some(10))] {
        let verifier = verifier(&stack, policy);
        within_the_validity(|time| {
            let mut material = layer.material(&stack, content.as_bytes(), time);
            if let Some(after) = logged {
                material.entry = stack.annotation(&layer.entry, TIME + after);
            }
            layer.judge(&verifier, material)
        });
    }
    // a statement about nothing too
    let about_nothing =
        r#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"x:y","subject":[]}"#;
    let layer = Layer::of(&stack, &Request::default(), about_nothing);
    let verifier = verifier(&stack, waived);
    within_the_validity(|time| layer.at(&stack, &verifier, time));
}

#[test]
fn a_timestamp_beside_an_envelope_is_of_that_or_of_its_signature_and_of_nothing_else() {
    let stack = Stack::new();
    let layer = Layer::new(&stack, &Request::default());
    let verifier = verifier(&stack, without_log());
    let judged = |of: &[u8]| {
        let material = layer.material(&stack, of, TIME + 10);
        layer.judge(&verifier, material)
    };
    let content = layer.content();
    judged(content.as_bytes()).unwrap();
    judged(&layer.signature()).unwrap();
    let encoded = pae(IN_TOTO, statement(FILE).as_bytes());
    let other = format!("{content}\n");
    for of in [other.as_bytes(), statement(FILE).as_bytes(), &encoded, b""] {
        let found = judged(of).unwrap_err();
        let expected = "made the timestamp for this signature";
        assert!(found.ends_with(expected), "{found}");
    }
}

#[test]
fn the_time_of_an_envelope_stands_for_no_log_entry_and_for_no_other_check() {
    let stack = Stack::new();
    let usual = Layer::new(&stack, &Request::default());
    let strict = verifier(&stack, Policy::STRICT);
    let found = usual.at(&stack, &strict, TIME + 10).unwrap_err();
    assert!(found.starts_with("it has no log entry"), "{found}");
    let waived = verifier(&stack, without_log());
    usual.at(&stack, &waived, TIME + 10).unwrap();
    for (sct, expected) in [
        (Sct::Missing, "no signed certificate timestamp (SCT)"),
        (Sct::OfAnother, "(SCT) was made for another certificate"),
        (Sct::ByAnotherLog, "(SCT) is by another log of certificates"),
    ] {
        let request = Request {
            sct,
            ..Request::default()
        };
        let layer = Layer::new(&stack, &request);
        let found = layer.at(&stack, &waived, TIME + 10).unwrap_err();
        assert!(found.contains(expected), "{found}");
    }
    let other = Request {
        identity: "https://example.com/other",
        ..Request::default()
    };
    let found = Layer::new(&stack, &other).at(&stack, &waived, TIME + 10);
    let found = found.unwrap_err();
    assert!(
        found.starts_with("the certificate's identity is"),
        "{found}"
    );
    // issued by another authority, and by another authority of timestamps
    let elsewhere = Stack::new();
    let layer = Layer::new(&elsewhere, &Request::default());
    let found = layer.at(&stack, &waived, TIME + 10).unwrap_err();
    assert!(
        found.starts_with("the certificate does not lead"),
        "{found}"
    );
    let found = usual.at(&elsewhere, &waived, TIME + 10).unwrap_err();
    assert!(found.contains("no timestamp authority"), "{found}");
    // signed by somebody else than the certificate names
    let mut forged = Layer::new(&stack, &Request::default());
    forged.leaf = stack.certificate(&Request::default());
    let found = forged.at(&stack, &waived, TIME + 10).unwrap_err();
    assert!(found.starts_with("the signature does not match"), "{found}");
}

#[test]
fn the_authority_of_a_timestamp_of_an_envelope_counts_only_within_its_validity() {
    let stack = Stack::new();
    let layer = Layer::new(&stack, &Request::default());
    let mut root = stack.root();
    root["timestampAuthorities"][0]["validFor"] =
        json!({ "start": "2020-01-01T00:00:00Z", "end": "2021-01-01T00:00:00Z" });
    let verifier = Verifier::new(root.to_string().as_bytes(), without_log()).unwrap();
    let found = layer.at(&stack, &verifier, TIME + 10).unwrap_err();
    let expected = "when its authority was not valid by the trusted root";
    assert!(found.ends_with(expected), "{found}");
}

#[test]
fn a_timestamp_of_an_envelope_is_the_one_that_is_asked_for_with_a_key_too() {
    let stack = Stack::new();
    let party = Party::new();
    let key = PublicKey::from_pem(party.pem().as_bytes()).unwrap();
    let mut layer = Layer::new(&stack, &Request::default());
    let signature = party.sign(&pae(IN_TOTO, statement(FILE).as_bytes()));
    let (keyid, payload) = (String::new(), statement(FILE));
    layer.envelope = Envelope::with_signature(IN_TOTO, payload.as_bytes(), keyid, &signature);
    let policy = Policy {
        timestamp: Rule::Required,
        ..without_log()
    };
    let verifier = verifier(&stack, policy);
    let judged = |annotated: Annotated| {
        let material = Material::annotated(annotated);
        let signed = Signed::Envelope(&layer.envelope);
        verifier.signed(Who::Key(&key), signed, &material).map(drop)
    };
    let at = |time: i64| Annotated {
        certificate: String::new(),
        ..layer.material(&stack, layer.content().as_bytes(), time)
    };
    judged(at(TIME + 10)).unwrap();
    let now = jiff::Timestamp::now().as_second();
    let found = judged(at(now + 3600)).unwrap_err();
    assert!(found.ends_with(", which is in the future"), "{found}");
    let entry = stack::dsse(payload.as_bytes(), &signature, &party.pem());
    let none = Annotated {
        timestamp: String::new(),
        entry: stack.annotation(&entry, TIME),
        ..at(TIME + 10)
    };
    let found = judged(none).unwrap_err();
    assert!(found.starts_with("it has no timestamp"), "{found}");
}
