//! What `sign` and `attest` have in common: which images are signed, in which layout, and the files that
//! the result is written to.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::ValueHint;
use windlass_core::image::Image;
use windlass_core::payload::Payload;
use windlass_core::signed::{Artifact, Signed};
use windlass_registry::{Digest, Reference};

use super::access::Access;
use super::output;
use crate::inspect::image::ResolvedImage;
use crate::local_file;
use crate::signing::SigningMeans;
use crate::store::oci::{Layout, Target, attach, bundle_file, listed_at};

/// How and where something is attached.
#[derive(Debug, clap::Args)]
pub(super) struct AttachFlags {
    /// Attach a Sigstore bundle that refers to the image, instead of a layer under a tag
    #[arg(long)]
    new_bundle_format: bool,
    /// Write the signature, with what vouches for it, to this file as a bundle
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    bundle: Option<PathBuf>,
    /// Sign each manifest that an index lists, too
    #[arg(short, long)]
    recursive: bool,
    #[command(flatten)]
    pub(super) access: Access,
}

/// An image that is signed.
pub(super) struct Subject {
    /// The way to it.
    found: ResolvedImage,
    pub(super) image: Image,
}

impl Subject {
    /// The image, and the ways to what is attached to it.
    pub(super) fn target(&self) -> Target<'_> {
        Target {
            remote: &self.found.remote,
            tags: &self.found.tags,
            digest: &self.found.digest,
        }
    }
}

/// What is done with one image.
pub(super) struct Order {
    pub(super) payload: Payload,
    /// Whether it is attached to the image.
    pub(super) is_uploaded: bool,
    /// Whether it is needed even if it is attached already.
    pub(super) is_needed: bool,
    /// The layers that it replaces.
    pub(super) replaced: BTreeSet<Digest>,
}

impl AttachFlags {
    /// In which layout it is attached.
    pub(super) fn layout(&self) -> Layout {
        if self.new_bundle_format {
            Layout::Bundle
        } else {
            Layout::Tag
        }
    }

    /// Whether a file is written.
    pub(super) fn has_output(&self) -> bool {
        self.bundle.is_some()
    }

    /// The images, with what they list if that is asked for.
    pub(super) async fn subjects(&self, images: &[Reference]) -> anyhow::Result<Vec<Subject>> {
        let mut subjects = Vec::new();
        for reference in images {
            let found = self.access.resolve(reference).await?;
            let name = format!("{}@{}", reference.repository, found.digest);
            let image = Image::parse(&name)
                .with_context(|| format!("cannot sign {reference}: it is not named by SHA-256"))?;
            let listed = if self.recursive {
                listed_at(&found.remote, &image).await?
            } else {
                Vec::new()
            };
            for image in [image].into_iter().chain(listed) {
                let found = ResolvedImage {
                    remote: found.remote.clone(),
                    tags: found.tags.clone(),
                    digest: Digest::parse(&image.digest())?,
                };
                subjects.push(Subject { found, image });
            }
        }
        Ok(subjects)
    }

    /// Signs and attaches, unless the same signer did so before.
    pub(super) async fn carry_out(
        &self,
        means: &SigningMeans,
        subject: &Subject,
        order: Order,
    ) -> anyhow::Result<Option<Arc<Signed>>> {
        let image = &subject.image;
        let (target, layout) = (subject.target(), self.layout());
        let is_there = order.is_uploaded
            && means
                .has_attached(target, &order.payload, layout)
                .await
                .with_context(|| image.to_string())?;
        if is_there && !order.is_needed {
            let by = means.signer.key_id();
            output::note(&format!(
                "{image}: the same is attached already, signed by {by}"
            ));
            return Ok(None);
        }
        let signed = means
            .sign(Artifact::Image(image.clone()), order.payload)
            .await;
        let signed = signed.with_context(|| image.to_string())?;
        for entry in signed.entries() {
            output::note(&format!("{image}: logged at {}", entry.url));
        }
        if order.is_uploaded && !is_there {
            let attached = attach(target, &signed, layout, order.replaced).await;
            let place = attached.with_context(|| image.to_string())?;
            output::note(&format!("{image}: attached as {place}"));
        }
        Ok(Some(signed))
    }

    /// Writes the bundle, if it is asked for.
    pub(super) fn write_bundle(&self, signed: &Signed, name: &FileName<'_>) -> anyhow::Result<()> {
        match &self.bundle {
            Some(path) => write(&name.of(path), bundle_file(signed).as_bytes(), "bundle"),
            None => Ok(()),
        }
    }
}

/// How files are called: as they were typed, or with the digest at the end if several things are signed,
/// as cosign does.
pub(super) struct FileName<'a> {
    pub(super) image: &'a Image,
    pub(super) is_one_of_many: bool,
}

impl FileName<'_> {
    pub(super) fn of(&self, typed: &Path) -> PathBuf {
        if !self.is_one_of_many {
            return typed.to_owned();
        }
        let mut name = typed.as_os_str().to_owned();
        name.push(format!("-sha256-{}", self.image.hex()));
        name.into()
    }
}

/// Writes a file, and says so.
pub(super) fn write(path: &Path, content: &[u8], what: &str) -> anyhow::Result<()> {
    local_file::output(path, content)
        .with_context(|| format!("cannot write the {what} to {}", path.display()))?;
    output::note(&format!("Wrote {what} to file {}", path.display()));
    Ok(())
}
