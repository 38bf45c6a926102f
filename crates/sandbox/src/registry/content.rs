//! The content of a registry, as a test puts it in place and looks at it.

use std::sync::Arc;

use bytes::Bytes;

use super::digest::Digest;
use super::route::Reference;
use super::{Manifest, Registry, store};
use crate::images::Digests;

impl Registry {
    /// Puts a blob in place and gives back its digest.
    pub fn put_blob(&self, repository: &str, content: impl Into<Bytes>) -> String {
        let content = content.into();
        let digest = Digest::of(&content);
        let name = digest.to_string();
        let mut store = self.state.store();
        store.repository(repository).blobs.insert(digest, content);
        name
    }

    /// Puts a manifest in place unchecked and gives back its digest. `reference` is a tag, or
    /// anything else for none.
    pub fn put_manifest(
        &self,
        repository: &str,
        reference: &str,
        media_type: &str,
        content: impl Into<Bytes>,
    ) -> String {
        let content = content.into();
        let digest = Digest::of(&content);
        let manifest = store::Manifest::new(&digest, media_type, content);
        let mut store = self.state.store();
        let repository = store.repository(repository);
        if let Ok(Reference::Tag(tag)) = Reference::parse(reference) {
            repository.tags.insert(tag, digest.clone());
        }
        let name = digest.to_string();
        repository.manifests.insert(digest, manifest);
        name
    }

    /// Finds the digests of tags in this registry, for those who run steps.
    pub fn digests(&self) -> Digests {
        let state = Arc::clone(&self.state);
        let host = self.host();
        Arc::new(move |asked, repository, tag| {
            if asked != host {
                return None;
            }
            let store = state.store();
            let found = store.manifest(repository, &Reference::Tag(tag.to_owned()));
            Some(found.map(|(digest, _)| digest.to_string()))
        })
    }

    /// The blob of a digest.
    pub fn blob(&self, repository: &str, digest: &str) -> Option<Bytes> {
        let digest = Digest::parse(digest)?;
        self.state.store().blob(repository, &digest).cloned()
    }

    /// Takes away a blob, as a registry does that collects what nothing refers to. Whether it existed.
    pub fn delete_blob(&self, repository: &str, digest: &str) -> bool {
        let digest = Digest::parse(digest);
        let mut store = self.state.store();
        digest.is_some_and(|digest| store.repository(repository).blobs.remove(&digest).is_some())
    }

    /// The manifest of a tag or digest.
    pub fn manifest(&self, repository: &str, reference: &str) -> Option<Manifest> {
        let reference = Reference::parse(reference).ok()?;
        let store = self.state.store();
        let (digest, manifest) = store.manifest(repository, &reference)?;
        Some(Manifest {
            digest: digest.to_string(),
            media_type: manifest.media_type.clone(),
            bytes: manifest.bytes.clone(),
        })
    }

    /// Takes away a tag, or a manifest with its tags. Whether it existed.
    pub fn delete_manifest(&self, repository: &str, reference: &str) -> bool {
        let reference = Reference::parse(reference);
        reference.is_ok_and(|reference| self.state.store().delete_manifest(repository, &reference))
    }

    /// The digests of all manifests of a repository, in order.
    pub fn manifests(&self, repository: &str) -> Vec<String> {
        let store = self.state.store();
        let repository = store.repositories.get(repository).into_iter();
        repository
            .flat_map(|found| found.manifests.keys().map(Digest::to_string))
            .collect()
    }

    /// The tags of a repository, in order of their bytes.
    pub fn tags(&self, repository: &str) -> Vec<String> {
        let store = self.state.store();
        let repository = store.repositories.get(repository).into_iter();
        repository
            .flat_map(|found| found.tags.keys().cloned())
            .collect()
    }

    /// The names of all repositories, in order.
    pub fn repositories(&self) -> Vec<String> {
        self.state.store().repositories.keys().cloned().collect()
    }

    /// How many uploads are neither finished nor cancelled.
    pub fn open_uploads(&self) -> usize {
        self.state.store().uploads.len()
    }
}
