use super::{Envelope, EnvelopeError, IN_TOTO, pae, sign};
use crate::key::{PrivateKey, PublicKey};

/// See docs/behaviour.md, "Worked examples".
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
    MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEzs0jP2bDhtuPq8LpejgDo3YAl6qe\n\
    rZNm/GacPPa7KFce6R8y7w/MDHbs6uIQRhd8WD1xYGq9Wsur5i/se8hq0w==\n\
    -----END PUBLIC KEY-----\n";
const ENVELOPE: &str = r#"{"payloadType":"application/vnd.in-toto+json","payload":"eyJhIjoxfQ==","signatures":[{"keyid":"SHA256:MP4Qhgpk9JxE+f5bvzF8aRWpF1UI68CY7lvM1JbIYjc","sig":"MEUCIBb5vEeLTA1M0L11lStHBdAiIl3Mncz9BfLWprjazHTlAiEAjPPR48aNgL+CvzyohuZBpQivyyqreQ2NDWqNRxc6WQU="}]}"#;

fn public() -> PublicKey {
    PublicKey::from_pem(PUBLIC.as_bytes()).unwrap()
}

fn key() -> PrivateKey {
    PrivateKey::generate_p256(&[7; 32]).unwrap()
}

fn refusal(text: &str) -> EnvelopeError {
    Envelope::from_json(text.as_bytes())
        .unwrap()
        .verify(&public())
        .unwrap_err()
}

#[test]
fn the_reference_envelope_verifies_and_is_written_back_unchanged() {
    let envelope = Envelope::from_json(ENVELOPE.as_bytes()).unwrap();
    assert_eq!(envelope.verify(&public()).unwrap().payload, br#"{"a":1}"#);
    assert_eq!(envelope.to_json(), ENVELOPE);
    assert_eq!(serde_json::to_string(&envelope).unwrap(), ENVELOPE);
}

#[test]
fn lengths_in_the_signed_bytes_count_bytes() {
    assert_eq!(
        pae(IN_TOTO, br#"{"a":1}"#),
        b"DSSEv1 28 application/vnd.in-toto+json 7 {\"a\":1}"
    );
    assert_eq!(pae("é", b""), "DSSEv1 2 é 0 ".as_bytes());
}

#[test]
fn a_new_envelope_verifies_and_names_its_key() {
    let envelope = sign(&key(), IN_TOTO, b"{}").unwrap();
    assert_eq!(envelope.signatures[0].keyid, key().public_key().key_id());
    assert_eq!(envelope.verify(key().public_key()).unwrap().payload, b"{}");
}

#[test]
fn each_changed_part_is_named() {
    let changed = [
        (
            "eyJhIjoxfQ==",
            "eyJhIjoyfQ==",
            "does not match its payload and payloadType",
        ),
        (
            "eyJhIjoxfQ==",
            "eyJhIjox*Q==",
            "payload is not valid base64",
        ),
        (
            "in-toto+json",
            "in-toto+jsoo",
            "payloadType was changed after signing: it is `application/vnd.in-toto+jsoo`",
        ),
        ("MEUCIBb5", "MEUCIBb6", "does not match its payload"),
        ("MEUCIBb5", "MFUCIBb5", "signature is damaged"),
        ("MEUCIBb5", "MEUCIBb*", "signature is not valid base64"),
        ("SHA256:MP4", "SHA256:MP5", "keyid was changed"),
    ];
    for (from, to, expected) in changed {
        let error = refusal(&ENVELOPE.replace(from, to)).to_string();
        assert!(error.contains(expected), "{to}: {error}");
    }
}

#[test]
fn another_key_is_named_beside_the_key_given() {
    let error = Envelope::from_json(ENVELOPE.as_bytes())
        .unwrap()
        .verify(key().public_key());
    let text = error.unwrap_err().to_string();
    assert!(text.contains("SHA256:MP4Qhgpk9JxE"), "{text}");
    assert!(text.contains(&key().public_key().key_id()), "{text}");
}

#[test]
fn an_envelope_without_signatures_is_refused() {
    let text = r#"{"payloadType":"t","payload":"","signatures":[]}"#;
    assert!(matches!(refusal(text), EnvelopeError::NoSignatures));
}

#[test]
fn a_signature_without_a_key_id_verifies() {
    let text = ENVELOPE.replace("SHA256:MP4Qhgpk9JxE+f5bvzF8aRWpF1UI68CY7lvM1JbIYjc", "");
    Envelope::from_json(text.as_bytes())
        .unwrap()
        .verify(&public())
        .unwrap();
}

#[test]
fn one_good_signature_among_others_is_enough() {
    let mut envelope = Envelope::from_json(ENVELOPE.as_bytes()).unwrap();
    let other = sign(&key(), IN_TOTO, br#"{"a":1}"#)
        .unwrap()
        .signatures
        .remove(0);
    envelope.signatures.insert(0, other);
    envelope.verify(&public()).unwrap();
    envelope.verify(key().public_key()).unwrap();
}

#[test]
fn no_bit_of_an_envelope_can_be_changed() {
    let key = public();
    let payload = Envelope::from_json(ENVELOPE.as_bytes()).unwrap().payload;
    // a member of another name is ignored, and a key id may be left out
    let name = ENVELOPE.find(r#"keyid":"#).unwrap();
    for bit in 0..ENVELOPE.len() * 8 {
        let mut text = ENVELOPE.as_bytes().to_vec();
        text[bit / 8] ^= 1 << (bit % 8);
        let read = Envelope::from_json(&text);
        if (name..name + 5).contains(&(bit / 8)) {
            assert!(read.is_err() || read.unwrap().payload == payload);
            continue;
        }
        let verified = read.and_then(|envelope| envelope.verify(&key));
        assert!(
            verified.is_err(),
            "bit {bit}: {}",
            String::from_utf8_lossy(&text)
        );
    }
}

#[test]
fn an_envelope_with_more_signatures_than_are_tried_is_refused_untried() {
    let mut envelope = sign(&key(), IN_TOTO, b"{}").unwrap();
    let good = envelope.signatures[0].clone();
    envelope.signatures = vec![good; super::MOST_SIGNATURES];
    envelope.verify(key().public_key()).unwrap();
    envelope.signatures.push(envelope.signatures[0].clone());
    let error = envelope.verify(key().public_key()).unwrap_err();
    assert!(error.to_string().contains("at most 32"), "{error}");
}

#[test]
fn members_that_the_specification_does_not_know_are_ignored() {
    let key = public();
    let extra = [
        ENVELOPE.replacen('{', r#"{"extra":{"a":[1]},"#, 1),
        ENVELOPE.replacen(r#"{"keyid""#, r#"{"cert":"x","keyid""#, 1),
        ENVELOPE.replacen(r#""sig""#, r#""signingTime":null,"sig""#, 1),
        ENVELOPE.replacen('{', "{ \"$schema\": \"x\",\n", 1) + "\n",
    ];
    for text in extra {
        let envelope = Envelope::from_json(text.as_bytes()).unwrap();
        envelope.verify(&key).unwrap();
        assert_eq!(envelope.to_json(), ENVELOPE.trim_end(), "{text}");
    }
}

#[test]
fn a_member_that_is_there_twice_is_refused_whether_it_is_known_or_not() {
    for member in [
        r#""payload":"e30=","#,
        r#""x":1,"x":2,"#,
        r#""x":{"y":1,"y":2},"#,
    ] {
        let text = ENVELOPE.replacen('{', &format!("{{{member}"), 1);
        let refused = Envelope::from_json(text.as_bytes()).unwrap_err();
        assert!(matches!(refused, EnvelopeError::Json(_)), "{text}");
    }
}

#[test]
fn a_key_id_that_is_null_is_none() {
    let key_id = r#""SHA256:MP4Qhgpk9JxE+f5bvzF8aRWpF1UI68CY7lvM1JbIYjc""#;
    let text = ENVELOPE.replace(key_id, "null");
    assert_ne!(text, ENVELOPE);
    let envelope = Envelope::from_json(text.as_bytes()).unwrap();
    envelope.verify(&public()).unwrap();
}

#[test]
fn base64_may_be_url_safe_and_not_a_mixture() {
    let text = |payload: &str| {
        let mut envelope = sign(&key(), "t", b"\xfb\xff\xfe?>").unwrap();
        envelope.payload = payload.to_owned();
        envelope.signatures[0].sig = envelope.signatures[0]
            .sig
            .replace('+', "-")
            .replace('/', "_");
        envelope.verify(key().public_key())
    };
    text("+//+Pz4=").unwrap();
    text("-__-Pz4=").unwrap();
    for mixed in ["-//+Pz4=", "+__+Pz4=", "-__-Pz4"] {
        let refused = text(mixed).unwrap_err();
        assert!(matches!(refused, EnvelopeError::PayloadBase64), "{mixed}");
    }
}
