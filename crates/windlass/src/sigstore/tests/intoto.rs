//! Entries `intoto` of version 1, as Chains before 0.29 and cosign have made them of attestations.

use windlass_core::dsse::{IN_TOTO, pae};
use windlass_core::key::PrivateKey;

use super::stack::{hex, intoto};
use super::*;

const P256: &[u8] = include_bytes!("../../../../core/tests/fixtures/x509/p256.pem");
const P384: &[u8] = include_bytes!("../../../../core/tests/fixtures/x509/p384.pem");
const P521: &[u8] = include_bytes!("../../../../core/tests/fixtures/x509/p521.pem");

/// An attestation by a key, with what is said of it.
struct Attestation {
    key: PrivateKey,
    envelope: Envelope,
    signature: Vec<u8>,
}

impl Attestation {
    /// A statement about a file.
    fn of(key: &[u8], file: &[u8]) -> Self {
        let key = PrivateKey::from_x509_pem(key).unwrap();
        let statement = statement(file);
        let signature = key.sign(&pae(IN_TOTO, statement.as_bytes())).unwrap();
        let id = "SHA256:of-the-key".to_owned();
        let envelope = Envelope::with_signature(IN_TOTO, statement.as_bytes(), id, &signature);
        Self {
            key,
            envelope,
            signature,
        }
    }

    fn payload(&self) -> Vec<u8> {
        self.envelope.decode_payload().unwrap()
    }

    /// Its entry in a log.
    fn entry(&self) -> Value {
        let pem = self.key.public_key().to_pem();
        intoto(&self.payload(), &self.signature, &pem)
    }

    /// What is found of it with an entry, under a tag and in a bundle.
    fn judge(&self, stack: &Stack, body: &Value) -> [Result<(), String>; 2] {
        self.judge_by(stack, stack, body)
    }

    /// The same by the trusted root of others.
    fn judge_by(&self, root: &Stack, stack: &Stack, body: &Value) -> [Result<(), String>; 2] {
        let verifier = verifier(root, Policy::STRICT);
        let who = Who::Key(self.key.public_key());
        let annotated = Material::annotated(Annotated {
            entry: stack.annotation(body, TIME),
            ..Annotated::default()
        });
        let bundle = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "publicKey": { "hint": "" },
                "tlogEntries": [stack.entry(body, TIME)],
            },
            "dsseEnvelope": {
                "payload": STANDARD.encode(self.payload()),
                "payloadType": IN_TOTO,
                "signatures": [{ "sig": STANDARD.encode(&self.signature) }],
            },
        });
        let under_tag = verifier.signed(who, Signed::Envelope(&self.envelope), &annotated);
        let in_bundle = verifier.envelope(who, bundle.to_string().as_bytes());
        [under_tag.map(drop), in_bundle.map(drop)]
    }
}

#[test]
fn entries_that_chains_made_of_attestations_are_judged_with_keys_of_every_curve() {
    let stack = Stack::new();
    for key in [P256, P384, P521] {
        let attestation = Attestation::of(key, FILE);
        let algorithm = attestation.key.public_key().algorithm();
        let judged = attestation.judge(&stack, &attestation.entry());
        assert_eq!(judged, [Ok(()), Ok(())], "{algorithm}");
    }
}

#[test]
fn an_entry_that_chains_made_of_another_attestation_or_by_another_key_is_refused_by_name() {
    let stack = Stack::new();
    for key in [P384, P521] {
        let attestation = Attestation::of(key, FILE);
        let algorithm = attestation.key.public_key().algorithm();
        let other = Attestation::of(key, b"another file").entry();
        let pem = Attestation::of(P256, FILE).key.public_key().to_pem();
        let of_another_key = intoto(&attestation.payload(), &attestation.signature, &pem);
        let mut of_another_type = attestation.entry();
        of_another_type["spec"]["content"]["envelope"]["payloadType"] = json!("text/plain");
        let mut by_two = attestation.entry();
        let signatures = &mut by_two["spec"]["content"]["envelope"]["signatures"];
        *signatures = json!([signatures[0], signatures[0]]);
        for body in [other, of_another_key, of_another_type, by_two] {
            for judged in attestation.judge(&stack, &body) {
                let found = judged.unwrap_err();
                assert!(
                    found.contains("is the entry of another signature"),
                    "{algorithm}: {found}"
                );
            }
        }
        // nor by a log that is not trusted
        for judged in attestation.judge_by(&Stack::new(), &stack, &attestation.entry()) {
            let found = judged.unwrap_err();
            assert!(found.contains("the trusted root does not have"), "{found}");
        }
    }
}

/// The first form of these entries, as Rekor writes it.
fn first(attestation: &Attestation) -> Value {
    let pem = attestation.key.public_key().to_pem();
    let envelope = attestation.envelope.to_json();
    json!({
        "apiVersion": "0.0.1",
        "kind": "intoto",
        "spec": {
            "content": {
                "hash": { "algorithm": "sha256", "value": hex(envelope.as_bytes()) },
                "payloadHash": { "algorithm": "sha256", "value": hex(&attestation.payload()) },
            },
            "publicKey": STANDARD.encode(pem),
        },
    })
}

#[test]
fn an_entry_of_the_first_form_is_not_read_and_the_finding_says_so_and_what_to_do() {
    let stack = Stack::new();
    for key in [P256, P384] {
        let attestation = Attestation::of(key, FILE);
        for judged in attestation.judge(&stack, &first(&attestation)) {
            let found = judged.unwrap_err();
            assert!(found.contains("of the kind intoto 0.0.1"), "{found}");
            assert!(found.contains("verified by its key alone"), "{found}");
        }
        // a kind that nobody has is not repeated
        let mut unknown = first(&attestation);
        unknown["apiVersion"] = json!("planted");
        for judged in attestation.judge(&stack, &unknown) {
            let found = judged.unwrap_err();
            assert!(found.contains("of a kind that is not read"), "{found}");
            assert!(!found.contains("planted"), "{found}");
        }
    }
}
