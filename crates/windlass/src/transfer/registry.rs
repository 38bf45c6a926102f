//! A signed image in a registry.

use bytes::Bytes;
use windlass_registry::manifest::{Descriptor, StoredManifest};
use windlass_registry::{Digest, Name, Remote, Repository, Tag};

use super::bounds::MANIFESTS;
use super::error::TransferError;
use super::item::{Item, Part};
use super::kind::{Choice, Scope};
use super::place::{Sink, Source};
use super::reader::Reader;

/// The repository of the image, and that with the tags of what is attached.
pub(crate) struct Registry {
    pub(crate) image: Remote,
    pub(crate) tags: Remote,
}

impl Registry {
    /// Where a part is.
    fn remote(&self, part: &Part) -> &Remote {
        match part {
            Part::Tagged(_) => &self.tags,
            Part::Root | Part::Listed | Part::Referrer => &self.image,
        }
    }
}

impl Source for Registry {
    async fn manifest(&self, descriptor: &Descriptor) -> Result<StoredManifest, TransferError> {
        let digest = &descriptor.digest;
        let found = self
            .image
            .get_manifest(&Name::Digest(digest.clone()))
            .await?;
        found.ok_or_else(|| TransferError::Missing {
            digest: digest.clone(),
            place: self.image.repository().to_string(),
        })
    }

    async fn attached(&self, image: &Digest, choice: &Choice) -> Result<Vec<Item>, TransferError> {
        let mut items = Vec::new();
        for attachment in &choice.attachments {
            // a digest that is too long for a tag has none
            let Ok(tag) = Tag::of_digest(image, attachment.suffix()) else {
                continue;
            };
            if let Some(stored) = self.tags.get_manifest(&Name::Tag(tag.clone())).await? {
                let part = Part::Tagged(tag);
                items.push(Item { part, stored });
            }
        }
        if choice.scope == Scope::AttachmentsOnly {
            return Ok(items);
        }
        let (referrers, _) = self.image.referrers(image, None).await?;
        for referrer in referrers.into_iter().take(MANIFESTS) {
            let stored = self.manifest(&referrer).await?;
            let part = Part::Referrer;
            items.push(Item { part, stored });
        }
        Ok(items)
    }

    fn open<'s>(&'s self, part: &Part, blob: &Descriptor) -> Result<Reader<'s>, TransferError> {
        Ok(Reader::Registry(self.remote(part).blob_parts(blob)))
    }
}

/// Where an image is pushed to.
pub(crate) struct Destination {
    pub(crate) remote: Remote,
    /// The tag, or the digest, that the image gets.
    pub(crate) name: Name,
    pub(crate) existing: Existing,
    /// A repository of the same registry that may have the blobs.
    pub(crate) from: Option<Repository>,
}

/// What becomes of a tag that names something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    Keep,
    Replace,
}

impl Existing {
    /// What `--force` means.
    pub(crate) fn from_flag(force: bool) -> Self {
        if force { Self::Replace } else { Self::Keep }
    }
}

impl Destination {
    /// The name under which an item is written.
    fn name_of(&self, item: &Item) -> Name {
        match &item.part {
            Part::Root => self.name.clone(),
            Part::Tagged(tag) => Name::Tag(tag.clone()),
            Part::Listed | Part::Referrer => Name::Digest(item.stored.digest.clone()),
        }
    }

    /// Refuses to write over anything else, before anything is written.
    pub(crate) async fn check(&self, items: &[Item]) -> Result<(), TransferError> {
        if self.existing == Existing::Replace {
            return Ok(());
        }
        for item in items {
            let name = self.name_of(item);
            if !matches!(name, Name::Tag(_)) {
                continue;
            }
            let known = self.remote.head_manifest(&name).await?;
            if known.is_some_and(|known| known.digest != item.stored.digest) {
                let repository = self.remote.repository().clone();
                return Err(TransferError::Exists { repository, name });
            }
        }
        Ok(())
    }
}

impl Sink for Destination {
    async fn blob(
        &mut self,
        part: &Part,
        blob: &Descriptor,
        source: &impl Source,
    ) -> Result<(), TransferError> {
        let remote = &self.remote;
        if remote
            .has_or_mounts(&blob.digest, self.from.as_ref())
            .await?
        {
            return Ok(());
        }
        let mut reader = source.open(part, blob)?;
        let next = async |_| {
            let part = reader.next().await?;
            Ok::<_, TransferError>(part.unwrap_or_else(Bytes::new))
        };
        remote.push_parts(&blob.digest, blob.size, next).await?;
        reader.finish()
    }

    async fn manifest(&mut self, item: &Item) -> Result<(), TransferError> {
        let Item { part, stored } = item;
        if *part == Part::Referrer {
            return Ok(self.remote.push_stored_referrer(stored).await?);
        }
        let (name, bytes) = (self.name_of(item), stored.bytes.clone());
        self.remote
            .put_manifest(&name, &stored.media_type, bytes)
            .await?;
        Ok(())
    }
}
