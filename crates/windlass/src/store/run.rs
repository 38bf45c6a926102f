//! The store `tekton`: the run itself, with four annotations an artifact, written by the record in
//! the same patch as the `signed` mark (behaviour reference, section 6.2).

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use windlass_core::annotation;

/// Annotations by name.
pub(crate) type Annotations = BTreeMap<String, String>;

/// An artifact with its signature, ready to be stored.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    /// What names it within its run: `taskrun-<uid>`, or twelve digits of an image's digest.
    pub(crate) short_key: String,
    /// The bytes that were signed, before any envelope.
    pub(crate) payload: Vec<u8>,
    /// The signature, or the envelope that holds it.
    pub(crate) signature: Vec<u8>,
    /// The signature is an envelope, so the payload is in it too.
    pub(crate) enveloped: bool,
}

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
    artifacts: &[Signed],
    others: usize,
) -> Result<(Annotations, Option<String>), TooLarge> {
    let whole = written(artifacts, |_| true);
    if others + size(&whole) <= annotation::TOTAL_SIZE_LIMIT {
        return Ok((whole, None));
    }
    let lean = written(artifacts, |artifact| !artifact.enveloped);
    let needed = others + size(&lean);
    if needed > annotation::TOTAL_SIZE_LIMIT {
        return Err(TooLarge {
            size: others + size(&whole),
        });
    }
    let note = "the payload annotation is left out, it would not fit; \
                the signature annotation is an envelope that holds the payload";
    Ok((lean, Some(note.to_owned())))
}

/// Bytes that count towards Kubernetes' limit.
pub(crate) fn size(annotations: &Annotations) -> usize {
    annotations
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum()
}

fn written(artifacts: &[Signed], with_payload: impl Fn(&Signed) -> bool) -> Annotations {
    let mut annotations = Annotations::new();
    for artifact in artifacts {
        let key = artifact.short_key.as_str();
        if with_payload(artifact) {
            annotations.insert(annotation::payload(key), STANDARD.encode(&artifact.payload));
        }
        annotations.insert(
            annotation::signature(key),
            STANDARD.encode(&artifact.signature),
        );
        annotations.insert(annotation::certificate(key), String::new());
        annotations.insert(annotation::chain(key), String::new());
    }
    annotations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(payload: usize, enveloped: bool) -> Signed {
        let signature = vec![b's'; if enveloped { payload * 4 / 3 + 200 } else { 72 }];
        let short_key = "taskrun-u".to_owned();
        Signed {
            short_key,
            payload: vec![b'p'; payload],
            signature,
            enveloped,
        }
    }

    #[test]
    fn an_artifact_takes_four_annotations() {
        let (annotations, note) = annotations(&[artifact(3, true)], 0).unwrap();
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
        assert_eq!(annotations["chains.tekton.dev/payload-taskrun-u"], "cHBw");
        assert_eq!(note, None);
    }

    #[test]
    fn a_payload_that_does_not_fit_beside_its_envelope_is_left_out_and_that_is_said() {
        let (annotations, note) = annotations(&[artifact(100_000, true)], 0).unwrap();
        assert!(!annotations.contains_key("chains.tekton.dev/payload-taskrun-u"));
        assert!(annotations.contains_key("chains.tekton.dev/signature-taskrun-u"));
        assert!(note.unwrap().contains("left out"));
        assert!(size(&annotations) <= annotation::TOTAL_SIZE_LIMIT);
    }

    #[test]
    fn a_payload_without_envelope_that_does_not_fit_is_an_error() {
        let error = annotations(&[artifact(250_000, false)], 0).unwrap_err();
        assert!(
            error.to_string().contains("Kubernetes allows 262144"),
            "{error}"
        );
    }

    #[test]
    fn other_annotations_of_the_run_count() {
        assert!(annotations(&[artifact(3, false)], annotation::TOTAL_SIZE_LIMIT).is_err());
    }
}
