//! Writes a layout: contents and manifests first, the index that makes it complete last.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use windlass_registry::manifest::{Descriptor, Index};
use windlass_registry::{Digest, Tag};

use super::files::failed;
use super::names::{
    ATTESTATIONS, IMAGE, IMAGE_INDEX, INDEX, KIND, MARK, REF_NAME, SIGNATURES, annotation,
    blob_path,
};
use crate::local_file::{self, PUBLIC};
use crate::transfer::error::TransferError;
use crate::transfer::item::{Item, Part};
use crate::transfer::place::{Sink, Source};

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

fn replace(path: &Path, content: &[u8]) -> Result<(), TransferError> {
    let written = local_file::replace(path, content, PUBLIC);
    written.map_err(|source| failed("write", path, source))?;
    Ok(())
}
