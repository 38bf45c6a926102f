//! Contents that entries refer to: each is fetched once, however many entries name it.

use std::collections::HashMap;

use bytes::Bytes;
use windlass_registry::Digest;

use super::bounds::{Budget, CONTENT};
use super::error::AttachedError;
use super::shelf::{Endpoint, Shelf};

/// A content, as a descriptor refers to it.
#[derive(Debug, Clone)]
pub(super) struct ContentRef {
    pub(super) digest: Digest,
    /// Its size, as the descriptor states it.
    pub(super) size: u64,
}

/// Entries that refer to one content on one shelf.
pub(super) struct Batch<'a, E> {
    pub(super) shelf: Shelf<'a>,
    /// None if its one entry refers to nothing.
    digest: Option<Digest>,
    /// The entries, each with the size that its descriptor states.
    pub(super) entries: Vec<(E, u64)>,
}

/// Collects entries by the content they refer to, in the order of the first of each.
pub(super) fn batches<'a, E>(
    entries: impl IntoIterator<Item = (Shelf<'a>, Option<ContentRef>, E)>,
) -> Vec<Batch<'a, E>> {
    let mut batches: Vec<Batch<'a, E>> = Vec::new();
    let mut known: HashMap<(String, Digest), usize> = HashMap::new();
    for (shelf, content, entry) in entries {
        let size = content.as_ref().map_or(0, |content| content.size);
        let digest = content.map(|content| content.digest);
        let at = match &digest {
            None => batches.len(),
            Some(digest) => *known
                .entry((shelf.name(), digest.clone()))
                .or_insert(batches.len()),
        };
        match batches.get_mut(at) {
            Some(batch) => batch.entries.push((entry, size)),
            None => batches.push(Batch {
                shelf,
                digest,
                entries: vec![(entry, size)],
            }),
        }
    }
    batches
}

impl<E> Batch<'_, E> {
    /// Fetches the content, no more of it than a descriptor states. What is wrong with it is an
    /// outcome; an error is a registry that does not respond, or a bound that is broken.
    pub(super) async fn fetch(
        &self,
        endpoint: Endpoint,
        budget: &Budget,
    ) -> Result<Result<Bytes, String>, AttachedError> {
        let Some(digest) = &self.digest else {
            return Ok(Ok(Bytes::new()));
        };
        let sizes = self.entries.iter().map(|(_, size)| *size);
        let Some(size) = sizes.filter(|size| *size <= CONTENT as u64).max() else {
            return Ok(Err(format!("it is larger than {} MiB", CONTENT >> 20)));
        };
        budget.take(size).ok_or(AttachedError::TooLarge)?;
        let limit = usize::try_from(size).unwrap_or(CONTENT);
        self.shelf.fetch(endpoint, digest, limit).await
    }
}

/// The content as the descriptor of one entry has it: of the size that is stated.
pub(super) fn of_size(content: &Result<Bytes, String>, stated: u64) -> Result<&Bytes, String> {
    if stated > CONTENT as u64 {
        return Err(format!("it is larger than {} MiB", CONTENT >> 20));
    }
    let content = content.as_ref().map_err(Clone::clone)?;
    let size = content.len();
    if size as u64 == stated {
        return Ok(content);
    }
    Err(format!(
        "it has {size} bytes, and its descriptor states {stated}"
    ))
}
