//! The store `tekton`: the run itself, with four annotations an artifact, written by the record in
//! the same patch as the `signed` mark (docs/behaviour.md, "Store tekton").

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use windlass_core::annotation;
use windlass_core::payload::Payload;
use windlass_core::signed::Signed;

/// Annotations by name.
pub(crate) type Annotations = BTreeMap<String, String>;

/// Why artifacts do not fit into the annotations of their run.
#[derive(Debug, thiserror::Error)]
#[error(
    "the annotations would have {size} bytes and Kubernetes allows {limit}; \
     store these runs elsewhere or make their params and results smaller",
    limit = annotation::TOTAL_SIZE_LIMIT
)]
pub(crate) struct TooLarge {
    size: usize,
}

/// The annotations that hold these artifacts, and a note on what had to be left out.
///
/// `others` is the size of the annotations the run has besides, keys and values, in bytes. Where
/// everything does not fit, the payloads that stand in their envelope anyhow are left out.
pub(crate) fn annotations(
    artifacts: &[Arc<Signed>],
    others: usize,
) -> Result<(Annotations, Option<String>), TooLarge> {
    let whole = written(artifacts, |_| true);
    if others + size(&whole) <= annotation::TOTAL_SIZE_LIMIT {
        return Ok((whole, None));
    }
    let lean = written(artifacts, |artifact| artifact.envelope().is_none());
    let needed = others + size(&lean);
    if needed > annotation::TOTAL_SIZE_LIMIT {
        return Err(TooLarge {
            size: others + size(&whole),
        });
    }
    let note = "the payload annotation is left out because it would not fit; the envelope in the \
                signature annotation contains the payload";
    Ok((lean, Some(note.to_owned())))
}

/// Refuses payloads that do not fit into the annotations of their run whatever their signatures are,
/// so that nothing is signed, logged or pushed for a run that cannot be recorded.
pub(crate) fn check_room<'p>(
    payloads: impl Iterator<Item = &'p Payload>,
    others: usize,
) -> Result<(), TooLarge> {
    let encoded = |length: usize| length.div_ceil(3) * 4;
    let least = payloads.map(|payload| match payload.format.is_statement() {
        // it is in its envelope, which is encoded again
        true => encoded(encoded(payload.bytes.len())),
        false => encoded(payload.bytes.len()),
    });
    let size = others + least.sum::<usize>();
    if size > annotation::TOTAL_SIZE_LIMIT {
        return Err(TooLarge { size });
    }
    Ok(())
}

/// Bytes that count towards Kubernetes' limit.
pub(crate) fn size(annotations: &Annotations) -> usize {
    annotations
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum()
}

fn written(artifacts: &[Arc<Signed>], with_payload: impl Fn(&Signed) -> bool) -> Annotations {
    let mut annotations = Annotations::new();
    for signed in artifacts {
        let key = signed.artifact.short_key();
        if with_payload(signed) {
            let payload = STANDARD.encode(&signed.payload.bytes);
            annotations.insert(annotation::payload(key), payload);
        }
        let signature = STANDARD.encode(signed.signature_text());
        annotations.insert(annotation::signature(key), signature);
        let pem = signed.identity.certificate_pem();
        annotations.insert(annotation::certificate(key), encoded(&pem));
        let pem = signed.identity.chain_pem();
        annotations.insert(annotation::chain(key), encoded(pem));
    }
    annotations
}

/// Base64, of nothing too.
fn encoded(pem: &str) -> String {
    STANDARD.encode(pem)
}

#[cfg(test)]
mod tests {
    use windlass_core::config::Config;
    use windlass_core::format::Format;
    use windlass_core::key::PrivateKey;
    use windlass_core::payload::Payload;
    use windlass_core::run::Run;
    use windlass_core::signed::{Artifact, Identity, Repeatability, Signature, message};

    use super::*;

    /// The run itself, with a result of this size, in one format.
    fn signed(size: usize, format: Format) -> Arc<Signed> {
        let run = serde_json::json!({
            "kind": "TaskRun",
            "metadata": { "uid": "u" },
            "status": { "results": [{ "name": "r", "value": "p".repeat(size) }] },
        });
        let run = run.to_string();
        let run = Run::parse(run.as_bytes()).unwrap();
        let payload = Payload::of_run(&run, &Config::default(), format).unwrap();
        let key = PrivateKey::generate_p256(&[7; 32]).unwrap();
        let signature = Signature {
            bytes: key.sign(&message(&payload)).unwrap(),
            identity: Arc::new(Identity::Key(key.public_key().clone())),
            repeatability: Repeatability::Repeatable,
        };
        Arc::new(Signed::new(Artifact::of_run(&run), payload, signature))
    }

    #[test]
    fn an_artifact_takes_four_annotations() {
        let signed = signed(3, Format::Tekton);
        let (annotations, note) = annotations(std::slice::from_ref(&signed), 0).unwrap();
        let names: Vec<_> = annotations.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "chains.tekton.dev/cert-taskrun-u",
                "chains.tekton.dev/chain-taskrun-u",
                "chains.tekton.dev/payload-taskrun-u",
                "chains.tekton.dev/signature-taskrun-u",
            ]
        );
        let payload = STANDARD.encode(&signed.payload.bytes);
        assert_eq!(annotations["chains.tekton.dev/payload-taskrun-u"], payload);
        assert_eq!(annotations["chains.tekton.dev/cert-taskrun-u"], "");
        assert_eq!(note, None);
    }

    #[test]
    fn a_payload_that_does_not_fit_beside_its_envelope_is_left_out_and_that_is_said() {
        let signed = signed(50_000, Format::SlsaV2Alpha3);
        let others =
            annotation::TOTAL_SIZE_LIMIT - size(&written(std::slice::from_ref(&signed), |_| true));
        assert!(
            annotations(std::slice::from_ref(&signed), others)
                .unwrap()
                .1
                .is_none()
        );
        let (annotations, note) = annotations(&[signed], others + 1).unwrap();
        assert!(!annotations.contains_key("chains.tekton.dev/payload-taskrun-u"));
        assert!(annotations.contains_key("chains.tekton.dev/signature-taskrun-u"));
        assert!(note.unwrap().contains("left out"));
        assert!(size(&annotations) <= annotation::TOTAL_SIZE_LIMIT);
    }

    #[test]
    fn a_payload_without_envelope_that_does_not_fit_is_an_error() {
        let error = annotations(&[signed(250_000, Format::Tekton)], 0).unwrap_err();
        assert!(
            error.to_string().contains("Kubernetes allows 262144"),
            "{error}"
        );
    }

    #[test]
    fn other_annotations_of_the_run_count() {
        let signed = signed(3, Format::Tekton);
        assert!(annotations(&[signed], annotation::TOTAL_SIZE_LIMIT).is_err());
    }
}
