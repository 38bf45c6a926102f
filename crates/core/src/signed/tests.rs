use super::*;
use crate::config::Config;
use crate::format::Format;
use crate::key::PrivateKey;

const RUN: &[u8] = br#"{"kind":"PipelineRun","metadata":{"uid":"u-1"}}"#;
const CERTIFICATE: &[u8] = include_bytes!("../../tests/fixtures/x509/p256-certificate.pem");
const CERTIFIED: &[u8] = include_bytes!("../../tests/fixtures/x509/p256.pem");

fn key() -> PrivateKey {
    PrivateKey::generate_p256(&[7; 32]).unwrap()
}

fn image() -> Image {
    Image::parse(&format!("r.io/app@sha256:{}", "2".repeat(64))).unwrap()
}

fn sign(key: &PrivateKey, identity: Identity, artifact: Artifact, payload: Payload) -> Signed {
    let signature = Signature {
        bytes: key.sign(&message(&payload)).unwrap(),
        identity: Arc::new(identity),
        repeatability: Repeatability::Repeatable,
    };
    Signed::new(artifact, payload, signature)
}

fn sign_with_key(artifact: Artifact, payload: Payload) -> Signed {
    let identity = Identity::Key(key().public_key().clone());
    sign(&key(), identity, artifact, payload)
}

fn statement() -> (Artifact, Payload) {
    let run = Run::parse(RUN).unwrap();
    let payload = Payload::of_run(&run, &Config::default(), Format::SlsaV1).unwrap();
    (Artifact::of_run(&run), payload)
}

#[test]
fn the_signature_of_a_statement_is_an_envelope_that_names_its_key() {
    let (artifact, payload) = statement();
    let signed = sign_with_key(artifact, payload);
    let envelope = Envelope::from_json(&signed.signature_text()).unwrap();
    assert_eq!(signed.envelope(), Some(&envelope));
    let verified = envelope.verify(signed.identity.public_key()).unwrap();
    assert_eq!(verified.payload, signed.payload.bytes);
    assert_eq!(envelope.signatures[0].keyid, key().public_key().key_id());
}

#[test]
fn an_envelope_is_the_one_that_is_signed_in_one_step() {
    let (artifact, payload) = statement();
    let expected = dsse::sign(&key(), IN_TOTO, &payload.bytes).unwrap();
    let signed = sign_with_key(artifact, payload);
    assert_eq!(signed.envelope(), Some(&expected));
}

#[test]
fn the_signature_of_an_image_is_over_the_payload_alone() {
    let payload = Payload::of_image(&image());
    let signed = sign_with_key(Artifact::Image(image()), payload);
    assert_eq!(signed.envelope(), None);
    let key = signed.identity.public_key();
    let text = signed.signature_text();
    assert!(key.verify(&signed.payload.bytes, &text).is_ok());
}

#[test]
fn an_image_is_a_statement_where_bundles_need_one() {
    let payload = Payload::image_statement(&image());
    let signed = sign_with_key(Artifact::Image(image()), payload);
    let envelope = signed.envelope().unwrap();
    assert!(envelope.verify(signed.identity.public_key()).is_ok());
}

#[test]
fn artifacts_have_the_keys_of_their_annotations() {
    let (artifact, _) = statement();
    assert_eq!(artifact.short_key(), "pipelinerun-u-1");
    assert_eq!(Artifact::Image(image()).short_key(), "222222222222");
}

#[test]
fn a_plain_key_has_no_certificate() {
    let identity = Identity::Key(key().public_key().clone());
    assert_eq!(identity.certificate_pem(), "");
    assert_eq!(identity.chain_pem(), "");
}

#[test]
fn a_certificate_is_kept_as_it_was_given_and_its_key_verifies() {
    let key = PrivateKey::from_x509_pem(CERTIFIED).unwrap();
    let identity = Identity::Certificate {
        leaf: Certificate::from_pem(CERTIFICATE).unwrap(),
        chain: "-----BEGIN CERTIFICATE-----\n…".to_owned(),
    };
    let (artifact, payload) = statement();
    let signed = sign(&key, identity, artifact, payload);
    let identity = &signed.identity;
    let verified = signed.envelope().unwrap().verify(identity.public_key());
    assert!(verified.is_ok());
    assert_eq!(identity.certificate_pem().as_bytes(), CERTIFICATE);
    assert!(identity.chain_pem().starts_with("-----BEGIN"));
    assert_eq!(identity.key_id(), key.public_key().key_id());
}

fn both_forms() -> [(Artifact, Payload); 2] {
    let image = (Artifact::Image(image()), Payload::of_image(&image()));
    [statement(), image]
}

#[test]
fn a_stored_signature_is_taken_up_with_the_same_bytes() {
    for (artifact, payload) in both_forms() {
        let first = sign_with_key(artifact.clone(), payload.clone());
        let stored = first.signature_text();
        let again = Signed::restore(
            &artifact,
            &payload,
            &stored,
            &first.identity,
            Repeatability::Repeatable,
        )
        .unwrap();
        assert_eq!(again, first);
    }
}

#[test]
fn a_stored_signature_of_another_payload_or_key_is_not_taken_up() {
    let other = PrivateKey::generate_p256(&[8; 32]).unwrap();
    let other = Arc::new(Identity::Key(other.public_key().clone()));
    for (artifact, payload) in both_forms() {
        let first = sign_with_key(artifact.clone(), payload.clone());
        let stored = first.signature_text().into_owned();
        assert!(
            Signed::restore(
                &artifact,
                &payload,
                &stored,
                &other,
                Repeatability::Repeatable
            )
            .is_none()
        );
        assert!(
            Signed::restore(
                &artifact,
                &payload,
                b"",
                &first.identity,
                Repeatability::Repeatable
            )
            .is_none()
        );
        let mut changed = payload.clone();
        changed.bytes.push(b' ');
        assert!(
            Signed::restore(
                &artifact,
                &changed,
                &stored,
                &first.identity,
                Repeatability::Repeatable
            )
            .is_none()
        );
    }
}

#[test]
fn an_envelope_that_holds_more_than_the_one_signature_is_not_taken_up() {
    let (artifact, payload) = statement();
    let first = sign_with_key(artifact.clone(), payload.clone());
    let mut envelope = first.envelope().unwrap().clone();
    let signature = envelope.signatures[0].clone();
    envelope.signatures.push(signature);
    let stored = envelope.to_json();
    let restored = Signed::restore(
        &artifact,
        &payload,
        stored.as_bytes(),
        &first.identity,
        Repeatability::Repeatable,
    );
    assert!(restored.is_none());
}
