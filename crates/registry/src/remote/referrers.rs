//! Referrers: manifests with a subject, and the list of those of one subject.
//!
//! If a registry has no such list (404, or 400 from some), the list is an index under the tag
//! `sha256-HEX`, which the clients that push maintain.
//! Source: OCI distribution specification 1.1, "Listing Referrers", "Pushing Manifests with
//! Subject", "Referrers Tag Schema".

use bytes::Bytes;
use http::Method;

use super::append::Append;
use super::append::change::{Change, EncodedManifest, Merge, Write};
use super::call::{Call, Target};
use super::send::Remote;
use crate::digest::Digest;
use crate::error::Error;
use crate::http::Response;
use crate::manifest::{Descriptor, INDEX, Index, MANIFEST, Manifest, StoredManifest};
use crate::reference::{Name, Tag};

/// Who maintains the list of referrers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListedBy {
    /// The registry.
    Registry,
    /// The index under a tag.
    Tag,
}

/// The result of pushing a referrer.
#[derive(Debug, Clone, PartialEq)]
pub struct PushedReferrer {
    /// Its descriptor in the list of referrers.
    pub descriptor: Descriptor,
    /// Who maintains that list.
    pub listed_by: ListedBy,
}

impl Remote {
    /// The referrers of a subject, of one artifact type or of all, and who maintains the list.
    pub async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<(Vec<Descriptor>, ListedBy), Error> {
        let (mut found, listed_by) = match self.native_referrers(subject, artifact_type).await? {
            Some(found) => (found, ListedBy::Registry),
            None => (self.tagged_referrers(subject).await?, ListedBy::Tag),
        };
        // Registries need not filter, and the tag cannot.
        if let Some(wanted) = artifact_type {
            found.retain(|entry| entry.artifact_type.as_deref() == Some(wanted));
        }
        Ok((found, listed_by))
    }

    /// The list of the registry; none if it has no such list.
    async fn native_referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Option<Vec<Descriptor>>, Error> {
        let limits = &self.session.options.limits;
        let mut path = format!("referrers/{subject}");
        if let Some(wanted) = artifact_type {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("artifactType", wanted);
            path = format!("{path}?{}", query.finish());
        }
        let mut call = Call::new(Method::GET, path, format!("list referrers of {subject}"))
            .expect(&[200, 400, 404, 405, 501])
            .limit(limits.manifest);
        let mut found = Vec::new();
        let mut bytes = 0;
        loop {
            let response = self.send(&call).await?;
            let Some(page) = page(&response) else {
                if matches!(call.to, Target::Path(_)) {
                    return Ok(None);
                }
                return Err(Error::Malformed {
                    at: self.at(&call.doing),
                    what: "a further page is not an index".to_owned(),
                });
            };
            let is_empty = page.manifests.is_empty();
            found.extend(page.manifests);
            bytes += response.body.len();
            self.check_extent(&call.doing, found.len(), bytes)?;
            match self.next_page(&call.doing, &response)? {
                Some(next) if !is_empty => call = call.at(next),
                _ => return Ok(Some(found)),
            }
        }
    }

    async fn tagged_referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        let tag = self.fallback_tag(subject)?;
        let Some(stored) = self.get_manifest(&Name::Tag(tag.clone())).await? else {
            return Ok(Vec::new());
        };
        let doing = format!("list referrers of {subject}");
        let index = stored.index().map_err(|_| Error::Malformed {
            at: self.at(&doing),
            what: format!("{tag} is no index"),
        })?;
        self.check_extent(&doing, index.manifests.len(), stored.bytes.len())?;
        Ok(index.manifests)
    }

    fn fallback_tag(&self, subject: &Digest) -> Result<Tag, Error> {
        Tag::of_digest(subject, "").map_err(|_| Error::Refused {
            at: self.at(&format!("list referrers of {subject}")),
            why: "the digest of the subject is too long for a tag".to_owned(),
        })
    }

    /// Writes a manifest with a subject and makes sure that it is listed. Its config and layers must
    /// exist in the repository.
    pub async fn push_referrer(&self, manifest: &Manifest) -> Result<PushedReferrer, Error> {
        let (pushed, listing) = self.put_referrer(manifest).await?;
        if let Some(listing) = listing {
            listing.finish().await?;
        }
        Ok(pushed)
    }

    /// Writes a manifest with a subject, byte for byte as it was read elsewhere, and makes sure that
    /// it is listed.
    pub async fn push_stored_referrer(&self, stored: &StoredManifest) -> Result<(), Error> {
        let manifest = stored.manifest().map_err(|_| Error::Refused {
            at: self.at("push a referrer"),
            why: format!("{} is no manifest", stored.digest),
        })?;
        let bytes = stored.bytes.clone();
        let (_, listing) = self.put_encoded(&manifest, bytes).await?;
        if let Some(listing) = listing {
            listing.finish().await?;
        }
        Ok(())
    }

    /// Writes a manifest with a subject. Where the registry keeps no list of referrers, the append
    /// to the list under a tag comes with it and has yet to be carried on.
    pub async fn put_referrer(
        &self,
        manifest: &Manifest,
    ) -> Result<(PushedReferrer, Option<Append>), Error> {
        let bytes = serde_json::to_vec(manifest).map_err(|error| Error::Refused {
            at: self.at("push a referrer"),
            why: error.to_string(),
        })?;
        self.put_encoded(manifest, bytes.into()).await
    }

    async fn put_encoded(
        &self,
        manifest: &Manifest,
        bytes: Bytes,
    ) -> Result<(PushedReferrer, Option<Append>), Error> {
        let subject = manifest.subject.as_ref();
        let subject = subject.ok_or_else(|| Error::Refused {
            at: self.at("push a referrer"),
            why: "it has no subject".to_owned(),
        })?;
        let media_type = manifest.media_type.as_deref().unwrap_or(MANIFEST);
        let mut descriptor = Descriptor::of(media_type, &bytes);
        descriptor.artifact_type = Some(manifest.kind().to_owned());
        descriptor.annotations.clone_from(&manifest.annotations);
        let name = Name::Digest(descriptor.digest.clone());
        let pushed = self.put_manifest(&name, media_type, bytes).await?;
        let writing = self.writing();
        let is_listed = pushed.is_listed
            || writing
                .native_referrers(&subject.digest, None)
                .await?
                .is_some();
        let (listed_by, listing) = if is_listed {
            (ListedBy::Registry, None)
        } else {
            let listing = writing.append_referrer(&subject.digest, &descriptor)?;
            (ListedBy::Tag, Some(listing))
        };
        let pushed = PushedReferrer {
            descriptor,
            listed_by,
        };
        Ok((pushed, listing))
    }

    /// Adds the descriptor of a referrer that exists to the index under the tag of its subject, for a registry that
    /// keeps no list. Entries are sorted by digest, as Chains sorts them.
    pub fn append_referrer(&self, subject: &Digest, entry: &Descriptor) -> Result<Append, Error> {
        let tag = self.fallback_tag(subject)?;
        let (name, entry) = (tag.clone(), entry.clone());
        let merge = move |stored: Option<&StoredManifest>| {
            let read = stored.map(StoredManifest::index).transpose();
            let read = read.map_err(|_| format!("{name} is no index"))?;
            let mut index = read.unwrap_or_default();
            if index
                .manifests
                .iter()
                .any(|known| known.digest == entry.digest)
            {
                return Ok(Merge::Present);
            }
            index.manifests.push(entry.clone());
            index
                .manifests
                .sort_by(|one, other| one.digest.cmp(&other.digest));
            let bytes = serde_json::to_vec(&index).map_err(|error| error.to_string())?;
            Ok(Merge::Write(Write {
                manifest: EncodedManifest {
                    media_type: index.media_type.unwrap_or_else(|| INDEX.to_owned()),
                    bytes: bytes.into(),
                },
                blobs: Vec::new(),
            }))
        };
        Ok(Append::new(self, tag, Change(Box::new(merge))))
    }
}

/// A page of the list. Registries without the list respond with 404, 400, or something else.
fn page(response: &Response) -> Option<Index> {
    if response.status != 200 {
        return None;
    }
    let index: Index = serde_json::from_slice(&response.body).ok()?;
    (index.schema_version == 2).then_some(index)
}
