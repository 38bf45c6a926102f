//! A signed image in a folder: an OCI layout as `cosign save` writes it.
//!
//! `index.json` lists the image and what is attached to it. The annotation `kind` says which is which;
//! what is attached to the images of an index has no kind, so that nobody takes it for something of the
//! index, and its tag in `org.opencontainers.image.ref.name`. Source: OCI image specification 1.1,
//! "Image Layout".

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use windlass_registry::manifest::{Descriptor, Index, StoredManifest};
use windlass_registry::{Digest, Tag};

use super::bounds::MANIFESTS;
use super::error::TransferError;
use super::item::{Item, Part};
use super::kind::{Attachment, Choice};
use super::place::{Sink, Source};
use super::reader::{FileParts, Reader};
use crate::local_file::{self, PUBLIC};

const KIND: &str = "kind";
const REF_NAME: &str = "org.opencontainers.image.ref.name";
const IMAGE: &str = "dev.cosignproject.cosign/image";
const IMAGE_INDEX: &str = "dev.cosignproject.cosign/imageIndex";
const SIGNATURES: &str = "dev.cosignproject.cosign/sigs";
const ATTESTATIONS: &str = "dev.cosignproject.cosign/atts";
/// The file that says that the folder is a layout.
const MARK: (&str, &str) = ("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
const INDEX: &str = "index.json";
/// Largest manifest that is read.
const LIMIT: u64 = 4 << 20;

/// A layout that is read.
pub(crate) struct Layout {
    folder: PathBuf,
    entries: Vec<Descriptor>,
    root: Descriptor,
}

impl Layout {
    /// Opens the layout in a folder.
    pub(crate) fn open(folder: &Path) -> Result<Self, TransferError> {
        let refuse = |why| TransferError::NoLayout {
            path: folder.to_owned(),
            why,
        };
        let path = folder.join(INDEX);
        if !path.exists() {
            return Err(refuse("it has no index.json; name the folder with --dir"));
        }
        let index: Index = serde_json::from_slice(&read(&path)?)
            .map_err(|_| refuse("its index.json is no index"))?;
        let entries = index.manifests;
        let kind = |entry: &Descriptor| annotation(entry, KIND).map(str::to_owned);
        let is_root =
            |entry: &&Descriptor| matches!(kind(entry).as_deref(), Some(IMAGE | IMAGE_INDEX));
        let root = match (entries.iter().find(is_root), &entries[..]) {
            (Some(root), _) => root.clone(),
            // a layout of any other tool, with one image
            (None, [only]) => only.clone(),
            (None, []) => return Err(refuse("its index.json lists nothing")),
            (None, _) => return Err(refuse("its index.json does not say which is the image")),
        };
        Ok(Self {
            folder: folder.to_owned(),
            entries,
            root,
        })
    }

    /// The image.
    pub(crate) fn root(&self) -> &Descriptor {
        &self.root
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

impl Source for Layout {
    async fn manifest(&self, descriptor: &Descriptor) -> Result<StoredManifest, TransferError> {
        let Descriptor {
            digest, media_type, ..
        } = descriptor;
        let path = blob_path(&self.folder, digest);
        if !path.exists() {
            return Err(TransferError::Missing {
                digest: digest.clone(),
                place: self.folder.display().to_string(),
            });
        }
        let bytes = read(&path)?;
        if !digest.names(&bytes) {
            let digest = digest.clone();
            return Err(TransferError::Damaged { path, digest });
        }
        Ok(StoredManifest {
            media_type: media_type.clone(),
            digest: digest.clone(),
            bytes: bytes.into(),
        })
    }

    async fn attached(&self, image: &Digest, _choice: &Choice) -> Result<Vec<Item>, TransferError> {
        let mut items = Vec::new();
        for entry in self.entries.iter().take(MANIFESTS) {
            if let Some(tag) = self.tag_of(entry, image) {
                let stored = self.manifest(entry).await?;
                let part = Part::Tagged(tag);
                items.push(Item { part, stored });
                continue;
            }
            if annotation(entry, KIND).is_some() || entry.digest == self.root.digest {
                continue;
            }
            let stored = self.manifest(entry).await?;
            let subject = stored.manifest().ok().and_then(|manifest| manifest.subject);
            if subject.is_some_and(|subject| subject.digest == *image) {
                let part = Part::Referrer;
                items.push(Item { part, stored });
            }
        }
        Ok(items)
    }

    fn open<'s>(&'s self, _part: &Part, blob: &Descriptor) -> Result<Reader<'s>, TransferError> {
        let path = blob_path(&self.folder, &blob.digest);
        FileParts::open(&path, blob).map(Reader::File)
    }
}

/// A layout that is written. Its index is written last, by [`Folder::finish`].
pub(crate) struct Folder {
    path: PathBuf,
    root: Digest,
    entries: Vec<Descriptor>,
}

impl Folder {
    /// Begins a layout for the image of this digest, in a folder that is made if it does not exist.
    pub(crate) fn create(folder: &Path, root: &Digest) -> Result<Self, TransferError> {
        if folder.is_file() {
            let path = folder.to_owned();
            return Err(TransferError::NoFolder { path });
        }
        fs::create_dir_all(folder).map_err(|source| failed("make the folder", folder, source))?;
        Ok(Self {
            path: folder.to_owned(),
            root: root.clone(),
            entries: Vec::new(),
        })
    }

    /// Writes the index, which makes the layout complete.
    pub(crate) fn finish(self) -> Result<(), TransferError> {
        let (root, mut entries) = (self.root, self.entries);
        // what belongs to the image itself first: others take the first of its kind
        entries.sort_by_key(|entry| (entry.digest != root, annotation(entry, KIND).is_none()));
        let index = Index {
            manifests: entries,
            ..Index::default()
        };
        let text = serde_json::to_vec_pretty(&index).unwrap_or_default();
        replace(&self.path.join(MARK.0), MARK.1.as_bytes())?;
        replace(&self.path.join(INDEX), &text)
    }

    fn entry(&self, item: &Item) -> Option<Descriptor> {
        let Item { part, stored } = item;
        let mut entry = stored.descriptor();
        let own = |suffix| Tag::of_digest(&self.root, suffix).ok();
        let note = match part {
            Part::Listed => return None,
            Part::Root if stored.is_index() => (KIND, IMAGE_INDEX.to_owned()),
            Part::Root => (KIND, IMAGE.to_owned()),
            Part::Tagged(tag) if own(".sig").as_ref() == Some(tag) => (KIND, SIGNATURES.to_owned()),
            Part::Tagged(tag) if own(".att").as_ref() == Some(tag) => {
                (KIND, ATTESTATIONS.to_owned())
            }
            Part::Tagged(tag) => (REF_NAME, tag.as_str().to_owned()),
            Part::Referrer => {
                let manifest = stored.manifest().ok()?;
                entry.artifact_type = Some(manifest.kind().to_owned());
                return Some(entry);
            }
        };
        entry.annotations = Some(BTreeMap::from([(note.0.to_owned(), note.1)]));
        Some(entry)
    }

    fn file_of(&self, digest: &Digest) -> Result<PathBuf, TransferError> {
        let path = blob_path(&self.path, digest);
        if let Some(folder) = path.parent() {
            let made = fs::create_dir_all(folder);
            made.map_err(|source| failed("make the folder", folder, source))?;
        }
        Ok(path)
    }
}

impl Sink for Folder {
    async fn blob(
        &mut self,
        part: &Part,
        blob: &Descriptor,
        source: &impl Source,
    ) -> Result<(), TransferError> {
        let path = self.file_of(&blob.digest)?;
        let mut reader = source.open(part, blob)?;
        let write_failed = |source| failed("write", &path, source);
        let mut file = local_file::prepare(&path, &[], PUBLIC).map_err(write_failed)?;
        while let Some(part) = reader.next().await? {
            file.write_all(&part).map_err(write_failed)?;
        }
        reader.finish()?;
        let kept = file.persist(&path);
        kept.map_err(|error| write_failed(error.error))?;
        Ok(())
    }

    async fn manifest(&mut self, item: &Item) -> Result<(), TransferError> {
        let digest = &item.stored.digest;
        replace(&self.file_of(digest)?, &item.stored.bytes)?;
        let entry = self.entry(item);
        self.entries.extend(entry);
        Ok(())
    }
}

fn blob_path(folder: &Path, digest: &Digest) -> PathBuf {
    // hex digits alone, so the path stays in the folder
    folder
        .join("blobs")
        .join(digest.algorithm())
        .join(digest.hex())
}

fn annotation<'d>(entry: &'d Descriptor, name: &str) -> Option<&'d str> {
    let annotations = entry.annotations.as_ref()?;
    annotations.get(name).map(String::as_str)
}

fn failed(doing: &'static str, path: &Path, source: std::io::Error) -> TransferError {
    let path = path.to_owned();
    TransferError::File {
        doing,
        path,
        source,
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TransferError> {
    use std::io::Read as _;
    let mut content = Vec::new();
    let file = fs::File::open(path).map_err(|source| failed("read", path, source))?;
    let read = file.take(LIMIT + 1).read_to_end(&mut content);
    read.map_err(|source| failed("read", path, source))?;
    if content.len() as u64 > LIMIT {
        let why = std::io::Error::other("it is larger than 4 MiB");
        return Err(failed("read", path, why));
    }
    Ok(content)
}

fn replace(path: &Path, content: &[u8]) -> Result<(), TransferError> {
    let written = local_file::replace(path, content, PUBLIC);
    written.map_err(|source| failed("write", path, source))?;
    Ok(())
}
