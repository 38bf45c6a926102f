//! Reads a layout. Whoever made the folder chooses what is in it: each manifest and each content is
//! compared with its digest, and the image with the one that the index lists.

use std::fmt;
use std::path::Path;

use bytes::Bytes;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use windlass_registry::manifest::{Descriptor, Index, StoredManifest};
use windlass_registry::{Digest, Tag};

use super::files::{Files, MANIFEST};
use super::names::{
    ATTESTATIONS, IMAGE, IMAGE_INDEX, INDEX, KIND, REF_NAME, SIGNATURES, annotation,
};
use super::referrers::{self, Referrer};
use crate::transfer::bounds::MANIFESTS;
use crate::transfer::error::TransferError;
use crate::transfer::item::{Item, Part};
use crate::transfer::kind::{Attachment, Choice};
use crate::transfer::place::Source;
use crate::transfer::reader::{FileParts, Reader};

/// A layout that is read.
pub(crate) struct Layout {
    files: Files,
    entries: Vec<Descriptor>,
    root: Descriptor,
    /// Those that the index lists, and then those that it does not.
    referrers: Vec<Referrer>,
}

impl Layout {
    /// Opens the layout in a folder.
    pub(crate) async fn open(folder: &Path) -> Result<Self, TransferError> {
        let files = Files::of(folder)?;
        let entries = entries(&files)?;
        let root = root(&entries).map_err(|why| TransferError::NoLayout {
            path: folder.to_owned(),
            why,
        })?;
        let mut layout = Self {
            files,
            entries,
            root,
            referrers: Vec::new(),
        };
        layout.referrers = layout.listed()?;
        let mut unlisted = referrers::among_blobs(&layout.files).await?;
        unlisted.retain(|found| !layout.lists(&found.descriptor.digest));
        layout.referrers.append(&mut unlisted);
        Ok(layout)
    }

    /// The referrers that the index lists. What is neither one, nor the image, nor attached by a tag could
    /// be taken for the image by another tool, and is refused.
    fn listed(&self) -> Result<Vec<Referrer>, TransferError> {
        let mut found = Vec::new();
        for entry in &self.entries {
            let kind = annotation(entry, KIND);
            if entry.digest == self.root.digest || matches!(kind, Some(SIGNATURES | ATTESTATIONS)) {
                continue;
            }
            let manifest = self.stored(entry)?.manifest().ok();
            match manifest.and_then(|manifest| manifest.subject) {
                Some(subject) if kind.is_none() => found.push(Referrer {
                    subject: subject.digest,
                    descriptor: entry.clone(),
                }),
                Some(_) => {}
                None if has_tag(entry) => {}
                None => {
                    return Err(TransferError::NoLayout {
                        path: self.files.folder.clone(),
                        why: several(&self.root, entry),
                    });
                }
            }
        }
        Ok(found)
    }

    fn lists(&self, digest: &Digest) -> bool {
        self.entries.iter().any(|entry| entry.digest == *digest)
    }

    /// The image.
    pub(crate) fn root(&self) -> &Descriptor {
        &self.root
    }

    /// The folder, for people.
    pub(crate) fn name(&self) -> String {
        self.files.folder.display().to_string()
    }

    /// A content of at most `limit` bytes.
    pub(crate) fn content(&self, digest: &Digest, limit: usize) -> Result<Bytes, TransferError> {
        let bound = format!("the {limit} bytes that are stated of it");
        let content = self.files.content(digest, limit, &bound)?;
        Ok(content.into())
    }

    /// What a tag attaches to an image, if the folder has it. Of several, the first counts, as for
    /// cosign.
    pub(crate) fn tagged(
        &self,
        image: &Digest,
        tag: &Tag,
    ) -> Result<Option<StoredManifest>, TransferError> {
        let is_meant = |entry: &&Descriptor| self.tag_of(entry, image).as_ref() == Some(tag);
        let entry = self.entries.iter().find(is_meant);
        entry.map(|entry| self.stored(entry)).transpose()
    }

    /// The manifests whose subject is an image, without those that are a tag of it.
    pub(crate) fn referrers(&self, image: &Digest) -> Vec<Descriptor> {
        let found = self.referrers.iter().filter(|found| {
            found.subject == *image && self.tag_of(&found.descriptor, image).is_none()
        });
        found.map(|found| found.descriptor.clone()).collect()
    }

    fn stored(&self, descriptor: &Descriptor) -> Result<StoredManifest, TransferError> {
        let digest = &descriptor.digest;
        let bytes = self.files.content(digest, MANIFEST, "4 MiB")?;
        if bytes.len() as u64 != descriptor.size {
            return Err(TransferError::Damaged {
                path: self.files.path_of(digest),
                why: format!(
                    "it has {} bytes and is listed with {}",
                    bytes.len(),
                    descriptor.size
                ),
            });
        }
        let stored = StoredManifest {
            media_type: descriptor.media_type.clone(),
            digest: digest.clone(),
            bytes: bytes.into(),
        };
        if is_of_its_type(&stored) {
            return Ok(stored);
        }
        Err(TransferError::Damaged {
            path: self.files.path_of(digest),
            why: "it is another kind of manifest than it is listed as".to_owned(),
        })
    }

    fn tag_of(&self, entry: &Descriptor, image: &Digest) -> Option<Tag> {
        let is_root = *image == self.root.digest;
        let attachment = match annotation(entry, KIND) {
            Some(SIGNATURES) if is_root => Attachment::Signatures,
            Some(ATTESTATIONS) if is_root => Attachment::Attestations,
            Some(_) => return None,
            None => {
                let name = annotation(entry, REF_NAME)?;
                let tags = Attachment::ALL.iter();
                let mut tags = tags.filter_map(|kind| Tag::of_digest(image, kind.suffix()).ok());
                return tags.find(|tag| tag.as_str() == name);
            }
        };
        Tag::of_digest(image, attachment.suffix()).ok()
    }
}

/// What the index lists.
fn entries(files: &Files) -> Result<Vec<Descriptor>, TransferError> {
    let refuse = |why: &str| TransferError::NoLayout {
        path: files.folder.clone(),
        why: why.to_owned(),
    };
    let path = files.folder.join(INDEX);
    let text = match files.read(&path, MANIFEST, "4 MiB") {
        Err(TransferError::NoFile { .. }) => {
            return Err(refuse(
                "it has no index.json; name a folder that `save` has written",
            ));
        }
        read => read?,
    };
    let index: Index = serde_json::from_slice(&text)
        .map_err(|_| refuse("its index.json is no index; save the image again"))?;
    let count = index.manifests.len();
    if count > MANIFESTS {
        return Err(refuse(&format!(
            "its index.json lists {count} manifests, and at most {MANIFESTS} are read; save the image \
             in a folder of its own"
        )));
    }
    Ok(index.manifests)
}

/// The image among what the index lists.
fn root(entries: &[Descriptor]) -> Result<Descriptor, String> {
    let is_root =
        |entry: &&Descriptor| matches!(annotation(entry, KIND), Some(IMAGE | IMAGE_INDEX));
    let mut roots = entries.iter().filter(is_root);
    let Some(root) = roots.next() else {
        return only_image(entries);
    };
    match roots.find(|other| other.digest != root.digest) {
        None => Ok(root.clone()),
        Some(other) => Err(several(root, other)),
    }
}

fn several(root: &Descriptor, other: &Descriptor) -> String {
    format!(
        "its index.json has several images, {} and {}; save each in a folder of its own",
        root.digest, other.digest
    )
}

/// The image in a layout of another tool, which has one besides what is attached.
fn only_image(entries: &[Descriptor]) -> Result<Descriptor, String> {
    let images: Vec<_> = entries.iter().filter(|entry| !is_attached(entry)).collect();
    match (&images[..], entries) {
        (_, []) => Err("its index.json lists nothing; save the image again".to_owned()),
        ([image], _) => Ok((*image).clone()),
        // whatever it is
        (_, [only]) => Ok(only.clone()),
        _ => Err(
            "its index.json does not say which is the image; save one with `windlass save`"
                .to_owned(),
        ),
    }
}

/// Whether an entry is something attached, by the type or the tag that it is listed with.
fn is_attached(entry: &Descriptor) -> bool {
    entry.artifact_type.is_some() || has_tag(entry)
}

/// Whether an entry has a tag of something attached.
fn has_tag(entry: &Descriptor) -> bool {
    annotation(entry, REF_NAME).is_some_and(|name| {
        let suffixes = Attachment::ALL.map(Attachment::suffix);
        name.starts_with("sha256-") && suffixes.iter().any(|suffix| name.ends_with(suffix))
    })
}

/// Whether a manifest is of the type that it is listed with. What is an image for one reader and an
/// index for another could be signed as one and used as the other. The class of bug is CVE-2021-41190.
fn is_of_its_type(stored: &StoredManifest) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Shape {
        media_type: Option<String>,
        config: Option<IgnoredAny>,
        layers: Option<IgnoredAny>,
        manifests: Option<IgnoredAny>,
    }
    // what is no manifest at all is noticed by whoever reads it
    let Ok(Members(names)) = serde_json::from_slice(&stored.bytes) else {
        return true;
    };
    // some readers take the last of two members, and some one in any case of letters
    let is_clear = |member: &&str| {
        let mut meant = names
            .iter()
            .filter(|name| name.eq_ignore_ascii_case(member));
        meant.next().is_none_or(|name| name == member) && meant.next().is_none()
    };
    if !["mediaType", "config", "layers", "manifests"]
        .iter()
        .all(is_clear)
    {
        return false;
    }
    let Ok(shape) = serde_json::from_slice::<Shape>(&stored.bytes) else {
        return true;
    };
    let is_same = |own: &String| own.is_empty() || *own == stored.media_type;
    let has_other_members = if stored.is_index() {
        shape.config.is_some() || shape.layers.is_some()
    } else {
        shape.manifests.is_some()
    };
    shape.media_type.as_ref().is_none_or(is_same) && !has_other_members
}

/// The names of the members of an object, as often as each is there.
struct Members(Vec<String>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self(Vec::new()))
    }
}

impl<'de> Visitor<'de> for Members {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some((name, IgnoredAny)) = map.next_entry()? {
            self.0.push(name);
        }
        Ok(self)
    }
}

impl Source for Layout {
    async fn manifest(&self, descriptor: &Descriptor) -> Result<StoredManifest, TransferError> {
        self.stored(descriptor)
    }

    async fn attached(&self, image: &Digest, choice: &Choice) -> Result<Vec<Item>, TransferError> {
        let mut items = Vec::new();
        for attachment in &choice.attachments {
            // a digest that is too long for a tag has none
            let Ok(tag) = Tag::of_digest(image, attachment.suffix()) else {
                continue;
            };
            if let Some(stored) = self.tagged(image, &tag)? {
                let part = Part::Tagged(tag);
                items.push(Item { part, stored });
            }
        }
        for referrer in self.referrers(image).iter().take(MANIFESTS) {
            let stored = self.stored(referrer)?;
            let part = Part::Referrer;
            items.push(Item { part, stored });
        }
        Ok(items)
    }

    fn open<'s>(&'s self, _part: &Part, blob: &Descriptor) -> Result<Reader<'s>, TransferError> {
        let path = self.files.path_of(&blob.digest);
        let file = self.files.open(&path)?;
        FileParts::of(path, file, blob).map(Reader::File)
    }
}
