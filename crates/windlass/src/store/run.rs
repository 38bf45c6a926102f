//! The store `tekton`: the run itself, with four annotations an artifact, written by the record in
//! the same patch as the `signed` mark (docs/behaviour.md, "Store tekton").

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use windlass_core::annotation;
use windlass_core::dsse::Envelope;
use windlass_core::error::Chain;
use windlass_core::payload::Payload;
use windlass_core::run::{Metadata, Run};
use windlass_core::signed::{Artifact, Signed};

use super::evidence::{Evidence, Found};
use crate::sigstore::{Annotated, Material};

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

/// The annotations that hold these artifacts, and a note on what had to be left out. Where everything
/// does not fit beside what the run has, the payloads that are in their envelope anyhow are left out.
pub(crate) fn annotations(
    artifacts: &[Arc<Signed>],
    metadata: &Metadata<'_>,
) -> Result<(Annotations, Option<String>), TooLarge> {
    let whole = written(artifacts, |_| true);
    let size = size_with(&whole, metadata);
    if size <= annotation::TOTAL_SIZE_LIMIT {
        return Ok((whole, None));
    }
    let lean = written(artifacts, |artifact| artifact.envelope().is_none());
    if size_with(&lean, metadata) > annotation::TOTAL_SIZE_LIMIT {
        return Err(TooLarge { size });
    }
    let note = "the payload annotation is left out, it would not fit; \
                the signature annotation is an envelope that holds the payload";
    Ok((lean, Some(note.to_owned())))
}

/// Size of all annotations of a run once these are written, with room for the mark, in bytes. An
/// earlier record is replaced and not added to.
pub(crate) fn size_with(annotations: &Annotations, metadata: &Metadata<'_>) -> usize {
    let stays = |name: &str| !annotations.contains_key(name);
    besides(metadata, stays) + size(annotations)
}

/// Size of the annotations of a run that nobody here wrote, with room for the mark, in bytes.
pub(crate) fn foreign_size(metadata: &Metadata<'_>) -> usize {
    besides(metadata, |name| !name.starts_with(annotation::PREFIX))
}

/// Bytes of the annotations of a run that stay, and of the mark, its seal, the retry counter and a
/// reason.
fn besides(metadata: &Metadata<'_>, stays: impl Fn(&str) -> bool) -> usize {
    let each = metadata.annotations.iter();
    let kept = each.filter(|(name, _)| &***name != annotation::REASON && stays(name));
    let sizes = kept.map(|(name, value)| name.len() + value.len());
    sizes.sum::<usize>() + MARKS
}

/// Room for the mark, its seal, the retry counter and a reason.
const MARKS: usize = 6144;

/// Everything of which the run carries a signature or a payload.
pub(crate) fn get(run: &Run<'_>) -> Vec<Found> {
    let signature = annotation::signature("");
    let payload = annotation::payload("");
    let names = run.metadata().annotations.keys();
    let keys = names.filter_map(|name| {
        let key = name.strip_prefix(&signature);
        key.or_else(|| name.strip_prefix(&payload))
    });
    let keys: BTreeSet<&str> = keys.collect();
    let found = keys.into_iter().map(|key| Found {
        place: format!("annotation {}", annotation::signature(key)),
        key: Some(key.to_owned()),
        evidence: parts(run, key).map_or_else(Evidence::Damaged, |parts| {
            evidence(parts, material(run, key))
        }),
    });
    found.collect()
}

/// The signature and the payload in the annotations of a key, or what is wrong with them.
fn parts(run: &Run<'_>, key: &str) -> Result<(Vec<u8>, Option<Vec<u8>>), String> {
    let decoded = |name: String| match run.metadata().annotation(&name) {
        None => Ok(None),
        Some(text) => STANDARD
            .decode(text)
            .map(Some)
            .map_err(|_| format!("the annotation {name} is not base64")),
    };
    let signature = decoded(annotation::signature(key))?;
    let payload = decoded(annotation::payload(key))?;
    let signature = signature.ok_or("there is a payload but no signature")?;
    Ok((signature, payload))
}

/// The certificate and the chain in the annotations of a key. One that is damaged counts as that.
fn material(run: &Run<'_>, key: &str) -> Material {
    let pem = |name: String| {
        let text = run.metadata().annotation(&name).unwrap_or_default();
        let decoded = STANDARD.decode(text).ok();
        let decoded = decoded.and_then(|pem| String::from_utf8(pem).ok());
        decoded.unwrap_or_else(|| "damaged".to_owned())
    };
    Material::annotated(Annotated {
        certificate: pem(annotation::certificate(key)),
        chain: pem(annotation::chain(key)),
        proof: proof(run, key),
        ..Annotated::default()
    })
}

/// The log entry and the timestamp in the annotation of a key.
fn proof(run: &Run<'_>, key: &str) -> String {
    let text = run.metadata().annotation(&annotation::proof(key));
    text.unwrap_or_default().to_owned()
}

fn evidence((signature, payload): (Vec<u8>, Option<Vec<u8>>), material: Material) -> Evidence {
    if !signature.trim_ascii_start().starts_with(b"{") {
        return Evidence::Signature {
            payload,
            signature,
            material,
        };
    }
    match Envelope::from_json(&signature) {
        Ok(envelope) => Evidence::Statement {
            envelope,
            payload,
            material,
        },
        Err(error) => Evidence::Damaged(Chain(&error).to_string()),
    }
}

/// Refuses artifacts that do not fit into the annotations of their run whatever their signatures are,
/// so that nothing is signed, logged or pushed for a run that cannot be recorded. Artifacts with one
/// name share their annotations.
pub(crate) fn check_room<'p>(
    artifacts: impl Iterator<Item = (&'p Artifact, &'p Payload)>,
    metadata: &Metadata<'_>,
) -> Result<(), TooLarge> {
    let encoded = |length: usize| length.div_ceil(3) * 4;
    let mut least: BTreeMap<&str, usize> = BTreeMap::new();
    for (artifact, payload) in artifacts {
        let text = encoded(payload.bytes.len());
        let is_statement = payload.format.is_statement();
        // a statement is in its envelope, which is encoded again
        let size = if is_statement { encoded(text) } else { text };
        least.insert(artifact.short_key(), size);
    }
    let replaced = |name: &str| {
        let key = name.strip_prefix(annotation::PREFIX);
        let key = key.and_then(|rest| Some(rest.split_once('-')?.1));
        key.is_some_and(|key| least.contains_key(key))
    };
    let size = besides(metadata, |name| !replaced(name)) + least.values().sum::<usize>();
    if size > annotation::TOTAL_SIZE_LIMIT {
        return Err(TooLarge { size });
    }
    Ok(())
}

/// Bytes that count towards Kubernetes' limit.
fn size(annotations: &Annotations) -> usize {
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
    use windlass_core::signed::{Identity, Repeatability, Signature, message};

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
        let (annotations, note) =
            annotations(std::slice::from_ref(&signed), &Metadata::default()).unwrap();
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

    /// The metadata of a run whose annotations have this many bytes besides the room for the mark.
    fn beside(size: usize, check: impl FnOnce(&Metadata<'_>)) {
        let name = "example.com/a";
        let value = "x".repeat(size - name.len());
        let run = serde_json::json!({
            "kind": "TaskRun",
            "metadata": { "uid": "u", "annotations": { name: value } },
        });
        let run = run.to_string();
        check(Run::parse(run.as_bytes()).unwrap().metadata());
    }

    #[test]
    fn a_payload_that_does_not_fit_beside_its_envelope_is_left_out_and_that_is_said() {
        let artifacts = [signed(50_000, Format::SlsaV2Alpha3)];
        let room = annotation::TOTAL_SIZE_LIMIT - MARKS - size(&written(&artifacts, |_| true));
        beside(room, |metadata| {
            assert!(annotations(&artifacts, metadata).unwrap().1.is_none());
        });
        beside(room + 1, |metadata| {
            let (annotations, note) = annotations(&artifacts, metadata).unwrap();
            assert!(!annotations.contains_key("chains.tekton.dev/payload-taskrun-u"));
            assert!(annotations.contains_key("chains.tekton.dev/signature-taskrun-u"));
            assert!(note.unwrap().contains("left out"));
            assert!(size_with(&annotations, metadata) <= annotation::TOTAL_SIZE_LIMIT);
        });
    }

    #[test]
    fn a_payload_without_envelope_that_does_not_fit_is_an_error() {
        let artifacts = [signed(250_000, Format::Tekton)];
        let error = annotations(&artifacts, &Metadata::default()).unwrap_err();
        assert!(
            error.to_string().contains("Kubernetes allows 262144"),
            "{error}"
        );
    }

    #[test]
    fn other_annotations_of_the_run_count() {
        let artifacts = [signed(3, Format::Tekton)];
        beside(annotation::TOTAL_SIZE_LIMIT - MARKS, |metadata| {
            assert!(annotations(&artifacts, metadata).is_err());
        });
    }

    #[test]
    fn what_an_earlier_record_wrote_is_replaced_and_not_counted_twice() {
        let one = signed(60_000, Format::Tekton);
        let artifacts = [Arc::clone(&one)];
        let written = written(&artifacts, |_| true);
        let run = serde_json::json!({
            "kind": "TaskRun",
            "metadata": { "uid": "u", "annotations": written },
        });
        let run = run.to_string();
        let run = Run::parse(run.as_bytes()).unwrap();
        let (metadata, item) = (run.metadata(), (&one.artifact, &one.payload));
        assert_eq!(size_with(&written, metadata), size(&written) + MARKS);
        for times in [1, 2] {
            let items = std::iter::repeat_n(item, times);
            assert!(check_room(items, metadata).is_ok(), "{times}");
        }
        let large = signed(250_000, Format::Tekton);
        let item = (&large.artifact, &large.payload);
        assert!(check_room(std::iter::once(item), metadata).is_err());
    }
}
