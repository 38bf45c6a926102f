//! Reads what is attached to an image, and hands over each thing as it comes.
//!
//! First the manifests of the referrers are read, which say where their bundles are; then each
//! content, once. Only the contents under way are in memory.

use futures::{StreamExt, stream};
use windlass_registry::Digest;

use super::bounds::{AT_ONCE, Budget};
use super::content::{Batch, ContentRef, batches, of_size};
use super::entry::Form;
use super::error::AttachedError;
use super::list::{Attached, list};
use super::place::Place;
use super::shelf::{Endpoint, Shelf};
use crate::store::evidence::{Evidence, Found};

/// Something listed, perhaps more than once.
struct Entry {
    place: Place,
    /// Digest of the layer or of the referrer's manifest.
    digest: Digest,
    form: Form,
    times: usize,
}

/// Reads everything that is attached to an image and hands it to `see`, several things in transfer
/// at a time. What is damaged is among it; an error is a registry that does not respond, or a bound
/// that is broken.
pub(crate) async fn read(
    shelf: Shelf<'_>,
    tags: Shelf<'_>,
    image: &Digest,
    mut see: impl FnMut(Found),
) -> Result<(), AttachedError> {
    let budget = &Budget::default();
    let attached = list(shelf, tags, image).await?;
    let (layers, referrers): (Vec<_>, Vec<_>) = attached
        .into_iter()
        .partition(|one| matches!(one.place, Place::Tag(_)));
    let layers = layers.into_iter().map(|one| {
        let (form, content) = Form::of_layer(&one.descriptor);
        (tags, content, entry(one, form))
    });
    let bundles = bundles(shelf, referrers, image, budget).await?;
    let mut wanted = batches(layers.chain(bundles));
    wanted.iter_mut().for_each(merge);
    let fetches = wanted.into_iter().map(|batch| async {
        let content = batch.fetch(Endpoint::Blobs, budget).await;
        (batch, content)
    });
    let mut fetches = stream::iter(fetches).buffered(AT_ONCE);
    while let Some((batch, content)) = fetches.next().await {
        let content = content?;
        for (entry, size) in batch.entries {
            see(entry.found(of_size(&content, size)));
            // what is judged takes a while, and whoever set a deadline has to get a turn
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

type Wanted<'a> = (Shelf<'a>, Option<ContentRef>, Entry);

/// The bundles of the referrers, found by their manifests.
async fn bundles<'a>(
    shelf: Shelf<'a>,
    referrers: Vec<Attached>,
    image: &Digest,
    budget: &Budget,
) -> Result<Vec<Wanted<'a>>, AttachedError> {
    let manifests = batches(referrers.into_iter().map(|one| {
        let content = ContentRef {
            digest: one.descriptor.digest.clone(),
            size: one.descriptor.size,
        };
        (shelf, Some(content), one)
    }));
    let fetches = manifests.into_iter().map(|batch| async {
        let manifest = batch.fetch(Endpoint::Manifests, budget).await;
        (batch, manifest)
    });
    let mut fetches = stream::iter(fetches).buffered(AT_ONCE);
    let mut found = Vec::new();
    while let Some((batch, manifest)) = fetches.next().await {
        let manifest = manifest?;
        for (one, size) in batch.entries {
            let listed = one.descriptor.artifact_type.clone();
            let (form, content) = match of_size(&manifest, size) {
                Ok(manifest) => Form::of_referrer(manifest, listed.as_deref(), image),
                Err(damage) => (Form::Damaged(damage), None),
            };
            found.push((shelf, content, entry(one, form)));
        }
    }
    Ok(found)
}

fn entry(attached: Attached, form: Form) -> Entry {
    Entry {
        place: attached.place,
        digest: attached.descriptor.digest,
        form,
        times: 1,
    }
}

/// Makes one of entries that are the same: they are judged once.
fn merge(batch: &mut Batch<'_, Entry>) {
    let mut merged: Vec<(Entry, u64)> = Vec::new();
    for (entry, size) in std::mem::take(&mut batch.entries) {
        let same = merged.iter_mut().find(|(known, of)| {
            (&known.place, &known.digest, &known.form, *of)
                == (&entry.place, &entry.digest, &entry.form, size)
        });
        match same {
            Some((known, _)) => known.times += 1,
            None => merged.push((entry, size)),
        }
    }
    batch.entries = merged;
}

impl Entry {
    fn found(self, content: Result<&bytes::Bytes, String>) -> Found {
        let mut place = format!("{}, {}", self.place, self.digest);
        if self.times > 1 {
            place = format!("{place}, listed {} times", self.times);
        }
        let evidence = match content {
            Ok(content) => self.form.read(content),
            Err(damage) => Evidence::Damaged(damage),
        };
        Found {
            place,
            key: None,
            evidence,
        }
    }
}
