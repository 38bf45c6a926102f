//! What the registry contains: repositories of blobs, manifests and tags, and uploads under way.
//! Content lives in memory and ends with the process. Writing a tag twice keeps the later write.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::digest::Digest;
use super::route::Reference;

/// All repositories and uploads.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub repositories: BTreeMap<String, Repository>,
    pub uploads: BTreeMap<String, Upload>,
}

/// One repository.
#[derive(Debug, Default)]
pub(crate) struct Repository {
    pub blobs: BTreeMap<Digest, Bytes>,
    pub manifests: BTreeMap<Digest, Manifest>,
    pub tags: BTreeMap<String, Digest>,
}

/// A stored manifest and what later requests need of it.
#[derive(Debug, Clone)]
pub(crate) struct Manifest {
    pub media_type: String,
    pub bytes: Bytes,
    /// What the manifest refers to in its field `subject`.
    pub subject: Option<Digest>,
    /// Its entry in the list of referrers.
    pub descriptor: Value,
}

/// An upload under way.
#[derive(Debug)]
pub(crate) struct Upload {
    pub repository: String,
    pub received: Vec<u8>,
    /// What the query of the next request has to carry, if the last `Location` had a query.
    pub state: Option<String>,
}

impl Store {
    pub(crate) fn repository(&mut self, name: &str) -> &mut Repository {
        self.repositories.entry(name.to_owned()).or_default()
    }

    pub(crate) fn blob(&self, repository: &str, digest: &Digest) -> Option<&Bytes> {
        self.repositories.get(repository)?.blobs.get(digest)
    }

    pub(crate) fn manifest(
        &self,
        repository: &str,
        reference: &Reference,
    ) -> Option<(&Digest, &Manifest)> {
        let repository = self.repositories.get(repository)?;
        let digest = match reference {
            Reference::Tag(tag) => repository.tags.get(tag)?,
            Reference::Digest(digest) => digest,
        };
        repository.manifests.get_key_value(digest)
    }

    /// Takes a tag away, or a manifest and every tag on it. Whether there was something to take.
    pub(crate) fn delete_manifest(&mut self, repository: &str, reference: &Reference) -> bool {
        let Some(repository) = self.repositories.get_mut(repository) else {
            return false;
        };
        match reference {
            Reference::Tag(tag) => repository.tags.remove(tag).is_some(),
            Reference::Digest(digest) => {
                repository.tags.retain(|_, tagged| tagged != digest);
                repository.manifests.remove(digest).is_some()
            }
        }
    }
}

/// A copy of a body that keeps nothing else in memory: the body is a part of what was read from a
/// connection, and would keep all of that.
pub(crate) fn alone(body: &Bytes) -> Bytes {
    Bytes::copy_from_slice(body)
}

impl Manifest {
    /// Reads from a manifest what later requests need. Text that is not JSON has no subject.
    pub(crate) fn new(digest: &Digest, media_type: &str, bytes: Bytes) -> Self {
        let document: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let subject = document["subject"]["digest"].as_str();
        Self {
            media_type: media_type.to_owned(),
            subject: subject.and_then(Digest::parse),
            descriptor: descriptor(digest, media_type, bytes.len(), &document),
            bytes,
        }
    }
}

/// Source: OCI distribution specification 1.1, "Listing Referrers": the artifact type of an image
/// manifest without one is its configuration's media type; annotations are the manifest's.
fn descriptor(digest: &Digest, media_type: &str, size: usize, document: &Value) -> Value {
    let mut entry = Map::new();
    entry.insert("mediaType".into(), media_type.into());
    entry.insert("digest".into(), digest.as_str().into());
    entry.insert("size".into(), json!(size));
    let own = document["artifactType"]
        .as_str()
        .filter(|own| !own.is_empty());
    if let Some(kind) = own.or_else(|| document["config"]["mediaType"].as_str()) {
        entry.insert("artifactType".into(), kind.into());
    }
    if let Some(annotations) = document["annotations"].as_object() {
        entry.insert("annotations".into(), annotations.clone().into());
    }
    entry.into()
}
