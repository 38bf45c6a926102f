//! Pushing one thing to where its image is.

use std::time::Duration;

use windlass_core::signed::Signed;
use windlass_registry::manifest::{Descriptor, Manifest};
use windlass_registry::{Advance, Append, Digest, Error, ListedBy, Merge, Remote, Repository, Tag};

use super::access::{Access, Owner};
use super::bundle::Bundle;
use super::equivalent;
use super::error::UploadError;
use super::layer::Layer;
use super::place::{digest_of, override_of, repository_of};
use super::upload::{Content, Upload};

/// Largest entry of a list of referrers that is taken for one of ours, in bytes of JSON.
const ENTRY: usize = 4 << 10;

/// What came of a push.
#[derive(Debug)]
pub(super) enum Pushed {
    /// It was there already.
    Present,
    Written,
    /// It was written, or waits to be, and is looked at again after this time.
    Settling(Box<Append>, Duration),
}

impl Pushed {
    /// What came of an append that has come so far.
    pub(super) fn by(append: Append, advanced: Advance) -> Self {
        match advanced {
            Advance::Done(update) if update.writes == 0 => Self::Present,
            Advance::Done(_) => Self::Written,
            Advance::Rest(time) => Self::Settling(Box::new(append), time),
        }
    }
}

/// Pushes an upload, and tells what people should know of it.
pub(super) async fn push(
    access: &Access,
    owner: &Owner<'_>,
    signed: &Signed,
    upload: &Upload,
    warnings: &mut Vec<String>,
) -> Result<Pushed, UploadError> {
    let own = repository_of(&upload.image)?;
    let other = override_of(owner.storage)?;
    let digest = digest_of(&upload.image)?;
    match &upload.content {
        Content::Layer(layer) => {
            let repository = other.unwrap_or(own);
            let remote = access.remote(owner, repository, warnings).await?;
            attach(&remote, &digest, layer, signed).await
        }
        Content::Bundle(bundle) => {
            let place = Place { own, other, digest };
            let (remote, subject) = place.find(access, owner, warnings).await?;
            refer(&remote, subject, bundle, signed).await
        }
    }
}

/// Adds a layer under the tag of its kind, unless it or one that says the same is there.
async fn attach(
    remote: &Remote,
    digest: &Digest,
    layer: &Layer,
    signed: &Signed,
) -> Result<Pushed, UploadError> {
    let tag = Tag::of_digest(digest, layer.suffix).map_err(|source| UploadError::Image {
        image: digest.to_string(),
        source,
    })?;
    let equal = equivalent::under_tag(remote, &tag, layer, signed).await?;
    let layer = layer.clone();
    let Some(equal) = equal else {
        let merge = move |stored| layer.merged_into(stored);
        return begun(remote.append(&tag, merge)).await;
    };
    let merge = move |stored: Option<Manifest>| {
        let mut layers = stored.iter().flat_map(|stored| &stored.layers);
        if layers.any(|other| other.digest == equal && layer.is_vouched_in(other)) {
            return Ok(Merge::Present);
        }
        layer.merged_into(stored)
    };
    begun(remote.append(&tag, merge).of_known_tag()).await
}

/// How far an append comes at once.
async fn begun(mut append: Append) -> Result<Pushed, UploadError> {
    let advanced = append.advance().await?;
    Ok(Pushed::by(append, advanced))
}

/// Pushes a bundle that refers to an image.
pub(super) async fn refer(
    remote: &Remote,
    subject: Descriptor,
    bundle: &Bundle,
    signed: &Signed,
) -> Result<Pushed, UploadError> {
    match equivalent::among_referrers(remote, &subject.digest, bundle, signed).await? {
        Some((_, ListedBy::Registry)) => return Ok(Pushed::Present),
        Some((other, ListedBy::Tag)) if is_small(&other) => {
            let listing = remote.append_referrer(&subject.digest, &other)?;
            return begun(listing.of_known_tag()).await;
        }
        Some(_) | None => {}
    }
    let (manifest, [config, bundle]) = bundle.manifest(subject);
    remote.push_new_blob(&bundle).await?;
    let is_checked = remote.push_common_blob(&config).await?;
    let mut put = remote.put_referrer(&manifest).await;
    if !is_checked && put.as_ref().is_err_and(is_about_content) {
        // it may have been removed since
        remote.forget_common_blob(&config);
        remote.push_common_blob(&config).await?;
        put = remote.put_referrer(&manifest).await;
    }
    let (_, listing) = put?;
    match listing {
        Some(listing) => begun(listing).await,
        None => Ok(Pushed::Written),
    }
}

/// Whether the entry of a list is as small as those of ours, which are kept in memory until they have settled.
fn is_small(entry: &Descriptor) -> bool {
    serde_json::to_string(entry).is_ok_and(|text| text.len() <= ENTRY)
}

/// Whether a registry refused a manifest, perhaps for what it lists.
fn is_about_content(error: &Error) -> bool {
    matches!(error, Error::Status { status, .. } if (400..500).contains(status))
}

/// Where the image of a bundle may be.
pub(super) struct Place {
    pub(super) own: Repository,
    /// The repository of the settings.
    pub(super) other: Option<Repository>,
    pub(super) digest: Digest,
}

impl Place {
    /// The repository with the image: that of the settings if the image is there.
    pub(super) async fn find(
        self,
        access: &Access,
        owner: &Owner<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<(Remote, Descriptor), UploadError> {
        let Self { own, other, digest } = self;
        if let Some(other) = other {
            let remote = access.remote(owner, other.clone(), warnings).await?;
            if let Some(found) = subject(&remote, &digest).await? {
                return Ok((remote, found));
            }
            warnings.push(format!(
                "storage.oci.repository is not used: {digest} is not in {other}, and a bundle must \
                 be in the repository of its image, {own}"
            ));
        }
        let repository = own.to_string();
        let remote = access.remote(owner, own, warnings).await?;
        match subject(&remote, &digest).await? {
            Some(found) => Ok((remote, found)),
            None => Err(UploadError::NoSubject { digest, repository }),
        }
    }
}

/// What a referrer refers to, if it is there.
pub(super) async fn subject(
    remote: &Remote,
    digest: &Digest,
) -> Result<Option<Descriptor>, UploadError> {
    let found = remote.known_manifest(digest).await?;
    // only what names the manifest: some registries answer with more
    Ok(found.map(|found| Descriptor {
        annotations: None,
        artifact_type: None,
        rest: serde_json::Map::new(),
        ..found
    }))
}
