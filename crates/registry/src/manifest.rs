//! Manifests, indexes and descriptors.
//!
//! Members are written in the order of Chains, without whitespace (docs/behaviour.md, "Tags" and
//! "Bundles"). Unknown members are kept and written last.
//! Source: OCI image specification 1.1, "Image Manifest", "Image Index", "Content Descriptors".

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use windlass_core::json::Flaw;

use crate::digest::Digest;

/// Media type of an image manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of an image index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Media type of Docker's image manifest.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Media type of Docker's manifest list.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Media type of the blob `{}`.
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// Media type of an image's config.
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// A descriptor: type, size and digest of some content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Media type.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// Digest.
    pub digest: Digest,
    /// Annotations, sorted by key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// The type of a manifest that is no image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Unknown members.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Descriptor {
    /// The descriptor of content.
    ///
    /// ```
    /// use windlass_registry::manifest::{Descriptor, EMPTY};
    ///
    /// let descriptor = Descriptor::of(EMPTY, b"{}");
    /// assert_eq!(descriptor.size, 2);
    /// assert!(descriptor.digest.names(b"{}"));
    /// ```
    pub fn of(media_type: &str, content: &[u8]) -> Self {
        Self::stating(media_type, &Digest::of(content), content.len())
    }

    /// The descriptor of content with this digest and of so many bytes.
    pub(crate) fn stating(media_type: &str, digest: &Digest, size: usize) -> Self {
        Self {
            media_type: media_type.to_owned(),
            size: size as u64,
            digest: digest.clone(),
            annotations: None,
            artifact_type: None,
            rest: Map::new(),
        }
    }
}

/// An image manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u64,
    /// Media type; older writers leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The config.
    pub config: Descriptor,
    /// The layers.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub layers: Vec<Descriptor>,
    /// Annotations, sorted by key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// The manifest this one refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// The type of a manifest that is no image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Unknown members.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Manifest {
    /// A manifest without layers.
    pub fn new(config: Descriptor) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(MANIFEST.to_owned()),
            config,
            layers: Vec::new(),
            annotations: None,
            subject: None,
            artifact_type: None,
            rest: Map::new(),
        }
    }

    /// The type of the manifest: its artifact type, else the media type of its config.
    pub fn kind(&self) -> &str {
        let own = self
            .artifact_type
            .as_deref()
            .filter(|kind| !kind.is_empty());
        own.unwrap_or(&self.config.media_type)
    }
}

/// An image index: a list of manifests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u64,
    /// Media type; older writers leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The manifests.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub manifests: Vec<Descriptor>,
    /// Annotations, sorted by key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// Unknown members.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            schema_version: 2,
            media_type: Some(INDEX.to_owned()),
            manifests: Vec::new(),
            annotations: None,
            rest: Map::new(),
        }
    }
}

/// A list that some writers write as `null` if it is empty.
fn null_is_empty<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Descriptor>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// A manifest or index as the registry stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredManifest {
    /// Media type, without parameters.
    pub media_type: String,
    /// Digest of the bytes.
    pub digest: Digest,
    /// The bytes.
    pub bytes: Bytes,
}

impl StoredManifest {
    /// Whether this is an index.
    pub fn is_index(&self) -> bool {
        matches!(self.media_type.as_str(), INDEX | DOCKER_LIST)
    }

    /// Its descriptor.
    pub fn descriptor(&self) -> Descriptor {
        let mut descriptor = Descriptor::of(&self.media_type, &self.bytes);
        descriptor.digest = self.digest.clone();
        descriptor
    }

    /// Reads it as an image manifest.
    pub fn manifest(&self) -> Result<Manifest, Flaw> {
        Ok(serde_json::from_slice(&self.bytes)?)
    }

    /// Reads it as an index.
    pub fn index(&self) -> Result<Index, Flaw> {
        Ok(serde_json::from_slice(&self.bytes)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A manifest that Chains wrote (docs/behaviour.md, "Worked examples").
    const SIGNATURES: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":233,"digest":"sha256:e8127407b4a6cdfebe0ee7354f188bb82cee8a68bf45d433c1bd9e6d5ea22816"},"layers":[{"mediaType":"application/vnd.dev.cosign.simplesigning.v1+json","size":238,"digest":"sha256:fc2cc1326ad4fb98fa002194ac3c4f0c72d733450c7068ea692c5d14776cafdb","annotations":{"dev.cosignproject.cosign/signature":"MEUC","dev.sigstore.cosign/certificate":"","dev.sigstore.cosign/chain":""}}]}"#;
    /// The shape of a referrer of Chains (docs/behaviour.md, "Bundles").
    const REFERRER: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","size":2,"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json"},"layers":[],"annotations":{"a":"b"},"subject":{"mediaType":"m","size":1,"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json"}"#;

    #[test]
    fn what_the_reference_wrote_is_written_again_byte_for_byte() {
        for text in [SIGNATURES, REFERRER] {
            let manifest: Manifest = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&manifest).unwrap(), text);
        }
    }

    #[test]
    fn members_that_are_not_known_survive_an_append() {
        let text = SIGNATURES
            .replacen(
                "\"schemaVersion\"",
                "\"x-top\":{\"a\":[1,2.5,null]},\"schemaVersion\"",
                1,
            )
            .replacen(
                "\"size\":238",
                "\"urls\":[\"u\"],\"data\":\"e30=\",\"size\":238",
                1,
            );
        let mut manifest: Manifest = serde_json::from_str(&text).unwrap();
        manifest.layers.push(Descriptor::of("text/plain", b"new"));
        let written = serde_json::to_value(&manifest).unwrap();
        assert_eq!(written["x-top"], serde_json::json!({"a": [1, 2.5, null]}));
        assert_eq!(written["layers"][0]["urls"][0], "u");
        assert_eq!(written["layers"][0]["data"], "e30=");
        assert_eq!(written["layers"][1]["size"], 3);
    }

    #[test]
    fn an_empty_list_may_be_null() {
        let index: Index = serde_json::from_str(r#"{"schemaVersion":2,"manifests":null}"#).unwrap();
        assert!(index.manifests.is_empty());
    }

    #[test]
    fn a_manifest_without_artifact_type_is_of_its_configs_kind() {
        let mut manifest = Manifest::new(Descriptor::of(CONFIG, b"{}"));
        assert_eq!(manifest.kind(), CONFIG);
        manifest.artifact_type = Some("text/x".to_owned());
        assert_eq!(manifest.kind(), "text/x");
    }
}
