//! The envelope in a Sigstore bundle.
//!
//! Certificates and log entries in it are not looked at: the key is given. Every parser has to
//! understand a bundle in the same way, so one with a member twice, of an unknown version, or with
//! two contents is refused. Source: Sigstore's `sigstore_bundle.proto`, in protobuf's JSON encoding,
//! which allows two spellings of a member and takes `null` for a member that is missing.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::dsse::{Envelope, Signature};
use crate::error::Chain;
use crate::json::{Flaw, strict};

/// Media types of bundles, versions 0.1 to 0.3. The last has two.
pub const BUNDLES: [&str; 4] = [
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
    "application/vnd.dev.sigstore.bundle.v0.3+json",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle<'a> {
    #[serde(default, alias = "media_type")]
    media_type: Option<String>,
    #[serde(borrow, default, alias = "dsse_envelope")]
    dsse_envelope: Option<&'a RawValue>,
    #[serde(default, alias = "message_signature")]
    message_signature: Option<IgnoredAny>,
}

/// The envelope of a bundle. A message of protobuf has no unknown members, and neither has one that
/// cosign reads.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BundledEnvelope {
    payload_type: String,
    payload: String,
    signatures: Vec<BundledSignature>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BundledSignature {
    #[serde(default)]
    keyid: Option<String>,
    sig: String,
}

impl From<BundledEnvelope> for Envelope {
    fn from(bundled: BundledEnvelope) -> Self {
        let signatures = bundled.signatures.into_iter();
        let signatures = signatures.map(|BundledSignature { keyid, sig }| Signature {
            keyid: keyid.unwrap_or_default(),
            sig,
        });
        Self {
            payload_type: bundled.payload_type,
            payload: bundled.payload,
            signatures: signatures.collect(),
        }
    }
}

/// The envelope in a Sigstore bundle; the error is the finding.
pub fn envelope_of_bundle(text: &[u8]) -> Result<Envelope, String> {
    let text = strict(text).map_err(|error| format!("the bundle is damaged: {}", Chain(&error)))?;
    let bundle: Bundle<'_> = serde_json::from_str(text)
        .map_err(|error| format!("it is not a bundle: {}", Flaw::from(error)))?;
    let media_type = bundle.media_type.unwrap_or_default();
    if !BUNDLES.contains(&media_type.as_str()) {
        return Err(format!(
            "its mediaType is `{media_type:.200}`, which is not a Sigstore bundle of version 0.1, \
             0.2 or 0.3"
        ));
    }
    match (bundle.dsse_envelope, bundle.message_signature) {
        (Some(envelope), None) => serde_json::from_str::<BundledEnvelope>(envelope.get())
            .map(Envelope::from)
            .map_err(|error| {
                format!(
                    "the dsseEnvelope of the bundle is damaged: {}",
                    Flaw::from(error)
                )
            }),
        (Some(_), Some(_)) => Err(
            "the bundle has both a dsseEnvelope and a messageSignature; exactly one is allowed"
                .to_owned(),
        ),
        (None, Some(_)) => Err(
            "the bundle has no dsseEnvelope; signatures over files are not supported".to_owned(),
        ),
        (None, None) => Err("the bundle has no dsseEnvelope".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dsse::{IN_TOTO, sign};
    use crate::key::PrivateKey;

    const V03: &str = BUNDLES[3];

    fn envelope() -> String {
        let key = PrivateKey::generate_p256(&[7; 32]).unwrap();
        sign(&key, IN_TOTO, b"{}").unwrap().to_json()
    }

    fn finding(text: &str) -> String {
        envelope_of_bundle(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn a_finding_repeats_no_more_than_the_beginning_of_a_long_value() {
        let long = "n".repeat(10_000);
        let parts = [
            format!("\"{long}\""),
            format!(r#"{{"mediaType":"{V03}","dsseEnvelope":"{long}"}}"#),
            format!(r#"{{"mediaType":"{long}"}}"#),
            format!(r#"{{"mediaType":"{V03}","{long}":1,"{long}":1}}"#),
            format!(r#"{{"mediaType":"{V03}","dsseEnvelope":{{"{long}":1}}}}"#),
        ];
        for text in parts {
            let text = finding(&text);
            assert!(text.len() < 400, "{text}");
        }
    }

    #[test]
    fn bundles_of_versions_0_1_to_0_3_are_read_and_no_others() {
        let envelope = envelope();
        let bundle = |kind: &str| format!(r#"{{"mediaType":"{kind}","dsseEnvelope":{envelope}}}"#);
        for kind in BUNDLES {
            envelope_of_bundle(bundle(kind).as_bytes()).unwrap();
        }
        for kind in [
            "",
            "application/vnd.dev.sigstore.bundle",
            "application/vnd.dev.sigstore.bundleEVIL",
            "application/vnd.dev.sigstore.bundle+json",
            "application/vnd.dev.sigstore.bundle+json;version=0.4",
            "application/vnd.dev.sigstore.bundle.v9.9+json",
            "application/vnd.dev.sigstore.bundle.v0.3+json ",
        ] {
            let finding = finding(&bundle(kind));
            assert!(
                finding.contains("of version 0.1, 0.2 or 0.3"),
                "{kind}: {finding}"
            );
        }
    }

    #[test]
    fn a_bundle_with_a_member_twice_is_refused_at_any_depth_and_in_either_spelling() {
        let envelope = envelope();
        let doubled = [
            format!(
                r#"{{"mediaType":"{V03}","dsseEnvelope":{envelope},"dsseEnvelope":{envelope}}}"#
            ),
            format!(
                r#"{{"mediaType":"{V03}","dsseEnvelope":{envelope},"dsse\u0045nvelope":{envelope}}}"#
            ),
            format!(
                r#"{{"mediaType":"{V03}","dsseEnvelope":{envelope},"dsse_envelope":{envelope}}}"#
            ),
            format!(r#"{{"mediaType":"x","mediaType":"{V03}","dsseEnvelope":{envelope}}}"#),
            format!(
                r#"{{"mediaType":"{V03}","dsseEnvelope":{}}}"#,
                envelope.replacen('{', r#"{"payload":"e30=","#, 1)
            ),
            format!(
                r#"{{"mediaType":"{V03}","verificationMaterial":{{"x":[{{"a":1,"a":2}}]}},"dsseEnvelope":{envelope}}}"#
            ),
        ];
        for text in doubled {
            let finding = finding(&text);
            let told = finding.contains("is there twice") || finding.contains("duplicate field");
            assert!(told, "{text}: {finding}");
        }
    }

    #[test]
    fn an_envelope_in_a_bundle_has_no_unknown_members() {
        for text in [
            envelope().replacen('{', r#"{"extra":1,"#, 1),
            envelope().replacen(r#"{"keyid""#, r#"{"cert":"x","keyid""#, 1),
        ] {
            Envelope::from_json(text.as_bytes()).unwrap();
            let bundle = format!(r#"{{"mediaType":"{V03}","dsseEnvelope":{text}}}"#);
            assert!(finding(&bundle).contains("unknown field"), "{text}");
        }
    }

    #[test]
    fn a_bundle_has_exactly_one_content() {
        let envelope = envelope();
        let with = |members: &str| format!(r#"{{"mediaType":"{V03}"{members}}}"#);
        let both = format!(r#","dsseEnvelope":{envelope},"messageSignature":{{}}"#);
        assert!(finding(&with(&both)).contains("exactly one"));
        let both = format!(r#","dsseEnvelope":{envelope},"message_signature":{{}}"#);
        assert!(finding(&with(&both)).contains("exactly one"));
        assert!(finding(&with(r#","messageSignature":{}"#)).contains("signatures over files"));
        assert!(finding(&with("")).contains("no dsseEnvelope"));
        assert!(finding(&with(r#","dsseEnvelope":null"#)).contains("no dsseEnvelope"));
        let unset = format!(r#","dsseEnvelope":{envelope},"messageSignature":null"#);
        envelope_of_bundle(with(&unset).as_bytes()).unwrap();
    }

    #[test]
    fn a_bundle_is_utf_8_throughout() {
        let mut text = format!(
            r#"{{"mediaType":"{V03}","dsseEnvelope":{},"note":"x"}}"#,
            envelope()
        )
        .into_bytes();
        let at = text.len() - 3;
        text[at] = 0xff;
        let finding = envelope_of_bundle(&text).unwrap_err();
        assert!(finding.contains("not valid UTF-8"), "{finding}");
    }
}
