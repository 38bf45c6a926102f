//! A round of an append: reads the tag, merges, and writes. For a tag that is most likely new, the
//! blobs go ahead, so that nothing is between reading and writing.

use std::collections::HashSet;
use std::mem;
use std::time::Duration;

use futures::future::try_join_all;
use tokio::time::Instant;

use super::batch::Batch;
use super::history::TagHistory;
use super::queue::Ticket;
use crate::digest::Digest;
use crate::error::Error;
use crate::manifest::{Descriptor, StoredManifest};
use crate::options::Options;
use crate::reference::Name;
use crate::remote::send::Remote;

/// What a round needs.
pub(super) struct Round<'a> {
    pub(super) remote: &'a Remote,
    /// The tag.
    pub(super) name: &'a Name,
    pub(super) ticket: &'a Ticket,
    pub(super) progress: &'a mut Progress,
}

/// The progress of one entry.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// How often it was written.
    pub(super) writes: usize,
    /// Blobs that exist.
    pushed: HashSet<Digest>,
    /// Whether the last round included entries of others.
    pub(super) took_along: bool,
    /// Whether to write it without them.
    pub(super) alone: bool,
    /// Whether the caller has seen the tag.
    pub(super) is_tag_known: bool,
    /// When it has stayed for long enough, if it was found although nobody here wrote it.
    stays: Option<std::time::Instant>,
}

impl Progress {
    /// Whether nothing was done for the entry yet.
    fn is_new(&self) -> bool {
        self.writes == 0 && self.pushed.is_empty() && !self.is_tag_known
    }
}

/// The result of one round.
pub(super) enum Step {
    Present(Digest),
    Wrote,
    /// It is too early to read back, or to write.
    Rest(Duration),
    Moved,
    GaveUp,
}

/// A try to write.
enum Try {
    /// The first, after a look at the tag that began then.
    First { looked: Instant },
    /// A further one, after the registry refused: somebody else may have written meanwhile.
    Again,
}

impl Round<'_> {
    /// Reads, merges, and writes if needed, unless the tag has moved in between.
    pub(super) async fn run(mut self) -> Result<Step, Error> {
        let Options { clock, append, .. } = &self.remote.session.options;
        let mut history = self.ticket.queue.history.lock().await;
        // a written entry has to settle, whoever wrote it; otherwise the tag has to
        let written = self.ticket.entry.settles();
        let settles = written.or(history.settles);
        let left = settles.map(|when| when.saturating_duration_since(clock.now()));
        if let Some(left) = left.filter(|left| !left.is_zero()) {
            return Ok(Step::Rest(left));
        }
        if self.progress.is_new() && history.is_new() {
            self.prepare().await;
        }
        let mut looked = Instant::now();
        let before = self.remote.get_manifest(self.name).await?;
        let took = looked.elapsed();
        let digest = before.as_ref().map(|before| before.digest.clone());
        // what is written is as large as what was read, so that its share of the budget is kept
        let _held = before.as_ref().map(|before| before.bytes.clone());
        history.notice(digest.as_ref(), clock.now());
        self.ticket.entry.settle(None);
        let entries = if self.progress.alone {
            self.ticket.alone()
        } else {
            self.ticket.with_others()
        };
        self.progress.took_along = entries.len() > 1;
        let batch = Batch::merge(before, &entries).map_err(|why| self.refused(why))?;
        let Some(batch) = batch else {
            let why = "the tag does not exist, and there is nothing to write";
            let digest = digest.ok_or_else(|| self.refused(why))?;
            if written.is_some() {
                self.progress.writes = self.progress.writes.max(1);
                return Ok(Step::Present(digest));
            }
            let (now, stays) = (clock.now(), &mut self.progress.stays);
            let stays = stays.get_or_insert_with(|| history.stays(append, &digest, now, took));
            return Ok(match stays.saturating_duration_since(now) {
                Duration::ZERO => Step::Present(digest),
                left => Step::Rest(left),
            });
        };
        self.progress.stays = None;
        if self.progress.writes >= append.rounds {
            return Ok(Step::GaveUp);
        }
        if self.push_blobs(&batch).await? > 0 {
            looked = Instant::now();
            let current = self.remote.head_manifest(self.name).await?;
            if !is_still(digest.as_ref(), current) {
                history.notice_foreign(clock.now());
                return Ok(Step::Moved);
            }
        }
        self.write(batch, (digest.as_ref(), looked), &mut history)
            .await
    }

    /// Pushes the blobs of a tag that does not exist before it is read: most tags are new, and are then
    /// written right after they were read. Whatever goes wrong shows later, if it matters.
    async fn prepare(&mut self) {
        let entries = self.ticket.with_others();
        if let Ok(Some(batch)) = Batch::merge(None, &entries)
            && let Err(error) = self.push_blobs(&batch).await
        {
            let error = error.outline();
            tracing::debug!(%error, "could not push the blobs of a new tag before it is read");
        }
    }

    /// Pushes what is not there yet, and gives how many blobs that were.
    async fn push_blobs(&mut self, batch: &Batch<'_>) -> Result<usize, Error> {
        let pushed = &self.progress.pushed;
        let new = batch.blobs.iter();
        let new: Vec<_> = new.filter(|blob| !pushed.contains(blob.digest())).collect();
        try_join_all(new.iter().map(|blob| self.remote.push_new_blob(blob))).await?;
        let count = new.len();
        let new = new.into_iter().map(|blob| blob.digest().clone());
        self.progress.pushed.extend(new);
        Ok(count)
    }

    /// Writes a batch over what was there at the time when that was asked for.
    async fn write(
        &self,
        batch: Batch<'_>,
        (before, looked): (Option<&Digest>, Instant),
        history: &mut TagHistory,
    ) -> Result<Step, Error> {
        let Options { clock, append, .. } = &self.remote.session.options;
        let manifest = &batch.manifest;
        let mut next = Try::First { looked };
        let put = || self.put(manifest, before, mem::replace(&mut next, Try::Again));
        let Some((written, took)) = self.remote.retrying(put).await? else {
            history.notice_foreign(clock.now());
            return Ok(Step::Moved);
        };
        let writes = self.progress.writes;
        let settles = history.record(append, written, clock.now(), took, writes);
        for entry in batch.entries {
            entry.settle(Some(settles));
        }
        Ok(Step::Wrote)
    }

    /// Writes a manifest over what was there when the tag was last looked at, and gives its digest and how
    /// long that took from the look on. None if the tag has moved.
    async fn put(
        &self,
        manifest: &StoredManifest,
        before: Option<&Digest>,
        this: Try,
    ) -> Result<Option<(Digest, Duration)>, Error> {
        let looked = match this {
            Try::First { looked } => looked,
            Try::Again => {
                let looking = Instant::now();
                let current = self.remote.head_manifest_once(self.name).await?;
                if !is_still(before, current) {
                    return Ok(None);
                }
                looking
            }
        };
        let (media_type, bytes) = (&manifest.media_type, manifest.bytes.clone());
        let put = self.remote.put_manifest_once(self.name, media_type, bytes);
        Ok(Some((put.await?.digest, looked.elapsed())))
    }

    fn refused(&self, why: impl Into<String>) -> Error {
        Error::Refused {
            at: self.remote.at(&format!("add an entry to {}", self.name)),
            why: why.into(),
        }
    }
}

/// Whether a tag is where it was when it was read, some requests ago.
fn is_still(before: Option<&Digest>, current: Option<Descriptor>) -> bool {
    current.map(|current| current.digest).as_ref() == before
}
