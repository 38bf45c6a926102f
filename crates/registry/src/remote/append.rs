//! Appending to the manifest under a tag while others write it too.
//!
//! With registries the last writer wins, silently. So an append reads the tag, merges its entry,
//! checks the tag once more and writes. It reads the tag back after a delay that is longer than
//! another writer needs, and merges the entry again if it is gone, until it stays. Within one process,
//! one writer at a time writes a tag. It also writes the entries that others with the same credentials
//! are waiting to add, and pauses between two writes, so that writes are few.
//!
//! The entries of other writers survive, except one that is written between the last check and our
//! write by a client that does not read back. Our entry is restored if such a client overwrites it
//! before it has settled.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::try_join_all;

use self::change::{Change, EncodedManifest, Merge, Write};
use self::queue::{QueuedChange, TagHistory, Ticket};
use super::send::Remote;
use crate::digest::Digest;
use crate::error::Error;
use crate::manifest::{Manifest, StoredManifest};
use crate::options::Options;
use crate::reference::{Name, Tag};

pub(super) mod change;
pub(super) mod queue;

/// Longest delay before reading back.
const LONGEST_SETTLE: Duration = Duration::from_secs(5);
/// A tag without writes for this long is not a busy one.
const CALM: Duration = Duration::from_secs(5);
/// How long a write by somebody else makes a tag a shared one.
const REMEMBERED: Duration = Duration::from_secs(60);

/// The result of an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagUpdate {
    /// Digest of the manifest under the tag now.
    pub digest: Digest,
    /// How often the entry was written: 0 if it existed before.
    pub writes: usize,
}

/// An append that is under way. The entry is queued as long as this exists: another writer of this
/// process may write it along with its own.
#[derive(Debug)]
pub struct Append {
    remote: Remote,
    tag: Tag,
    ticket: Ticket,
    progress: Progress,
    /// How often the tag changed while it was about to be written.
    moves: usize,
}

/// How far an append has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advance {
    /// The entry is in the manifest, and was found there.
    Done(TagUpdate),
    /// Nothing can be done before this time has passed: the entry has to settle before it is read
    /// back, or the tag before it is written.
    Rest(Duration),
}

impl Append {
    pub(super) fn new(remote: &Remote, tag: Tag, change: Change) -> Self {
        let remote = remote.writing();
        let credentials = remote.candidates.fingerprint();
        let ticket = remote
            .queues
            .add(&remote.repository, &tag, credentials, change);
        Self {
            remote,
            tag,
            ticket,
            progress: Progress::default(),
            moves: 0,
        }
    }

    /// Goes on until the entry is there or there is nothing to do but wait.
    pub async fn advance(&mut self) -> Result<Advance, Error> {
        let append = &self.remote.session.options.append;
        while self.moves <= append.rounds * 4 {
            let progress = &mut self.progress;
            match self.remote.step(&self.tag, &self.ticket, progress).await {
                Ok(Step::Present(digest)) => {
                    let writes = progress.writes;
                    return Ok(Advance::Done(TagUpdate { digest, writes }));
                }
                Ok(Step::Wrote) => progress.writes += 1,
                Ok(Step::Rest(time)) => return Ok(Advance::Rest(time)),
                Ok(Step::Moved) => {
                    self.moves += 1;
                    return Ok(Advance::Rest(spread(append.settle, self.moves) / 8));
                }
                Ok(Step::GaveUp) => break,
                // the entries of others may be the reason
                Err(Error::Status { .. }) if progress.took_along && !progress.alone => {
                    progress.alone = true;
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended {
            at: self.remote.at(&format!("add to {}", self.tag)),
            rounds: self.progress.writes,
        })
    }

    /// Goes on until the entry is there, and waits where that is needed.
    pub async fn finish(mut self) -> Result<TagUpdate, Error> {
        let clock = self.remote.session.options.clock.clone();
        loop {
            match self.advance().await? {
                Advance::Done(update) => return Ok(update),
                Advance::Rest(time) => clock.sleep(time).await,
            }
        }
    }
}

/// The progress of one entry.
#[derive(Debug, Default)]
struct Progress {
    /// How often it was written.
    writes: usize,
    /// Blobs that exist.
    pushed: HashSet<Digest>,
    /// Whether the last round included entries of others.
    took_along: bool,
    /// Whether to write it without them.
    alone: bool,
}

/// The result of one round.
enum Step {
    Present(Digest),
    Wrote,
    /// It is too early to read back, or to write.
    Rest(Duration),
    Moved,
    GaveUp,
}

impl Remote {
    /// Changes the manifest under a tag until `merge` finds its entry in it. `merge` gets the current
    /// manifest and may be called any number of times; its error says why the entry cannot be added.
    /// Content that is no image manifest is an error and stays as it is.
    pub async fn update_manifest<M>(&self, tag: &Tag, merge: M) -> Result<TagUpdate, Error>
    where
        M: Fn(Option<Manifest>) -> Result<Merge<Manifest>, String> + Send + Sync + 'static,
    {
        self.append(tag, merge).finish().await
    }

    /// The same, one step at a time, for a caller that has something better to do than to wait for
    /// the tag to settle.
    pub fn append<M>(&self, tag: &Tag, merge: M) -> Append
    where
        M: Fn(Option<Manifest>) -> Result<Merge<Manifest>, String> + Send + Sync + 'static,
    {
        let name = tag.clone();
        let encode = move |stored: Option<&StoredManifest>| {
            let read = stored.map(StoredManifest::manifest).transpose();
            let read = read.map_err(|_| format!("{name} is no image manifest"))?;
            let Write { manifest, blobs } = match merge(read)? {
                Merge::Present => return Ok(Merge::Present),
                Merge::Write(write) => write,
            };
            let bytes = serde_json::to_vec(&manifest).map_err(|error| error.to_string())?;
            let known = manifest.media_type.as_deref();
            let known = known.or_else(|| Some(stored?.media_type.as_str()));
            Ok(Merge::Write(Write {
                manifest: EncodedManifest {
                    media_type: known.unwrap_or(crate::manifest::MANIFEST).to_owned(),
                    bytes: bytes.into(),
                },
                blobs,
            }))
        };
        Append::new(self, tag.clone(), Change(Box::new(encode)))
    }

    /// Reads, merges, and writes if needed, unless the tag has moved in between.
    async fn step(
        &self,
        tag: &Tag,
        ticket: &Ticket,
        progress: &mut Progress,
    ) -> Result<Step, Error> {
        let Options { clock, append, .. } = &self.session.options;
        let mut last = ticket.queue.last.lock().await;
        // a written entry has to settle, whoever wrote it; otherwise the tag has to
        if let Some(when) = ticket.entry.settles().or(last.settles) {
            let left = when.saturating_duration_since(clock.now());
            if !left.is_zero() {
                return Ok(Step::Rest(left));
            }
        }
        let name = Name::Tag(tag.clone());
        let before = self.get_manifest(&name).await?;
        let digest = before.as_ref().map(|before| before.digest.clone());
        if last.wrote.is_some() && last.wrote != digest {
            last.foreign = Some(clock.now());
        }
        ticket.entry.settle(None);
        let refused = |why| Error::Refused {
            at: self.at(&format!("add to {tag}")),
            why,
        };
        let batch = ticket.batch(progress.alone);
        progress.took_along = batch.len() > 1;
        let Some(merged) = merged(before, &batch).map_err(refused)? else {
            return match digest {
                Some(digest) => Ok(Step::Present(digest)),
                None => Err(refused(
                    "the tag does not exist, and there is nothing to write".to_owned(),
                )),
            };
        };
        if progress.writes >= append.rounds {
            return Ok(Step::GaveUp);
        }
        let new = merged.blobs.iter();
        let new = new.filter(|blob| !progress.pushed.contains(&Digest::of(blob)));
        let new = try_join_all(new.map(|blob| self.push_new_blob(blob))).await?;
        progress.pushed.extend(new);
        let began = Instant::now();
        let now = self.head_manifest(&name).await?;
        if now.map(|now| now.digest) != digest {
            last.foreign = Some(clock.now());
            return Ok(Step::Moved);
        }
        let StoredManifest {
            media_type, bytes, ..
        } = merged.manifest;
        let written = self.put_manifest(&name, &media_type, bytes).await?;
        last.wrote = Some(written.digest);
        let now = clock.now();
        let is_calm = last.settles.is_none_or(|before| now >= before + CALM);
        last.in_a_row = if is_calm { 0 } else { last.in_a_row + 1 };
        let settles = now + self.settle(&last, began.elapsed(), progress.writes);
        last.settles = Some(settles);
        for entry in merged.entries {
            entry.settle(Some(settles));
        }
        Ok(Step::Wrote)
    }

    /// The delay before reading back, and before the next write of the tag. It grows with the number
    /// of other writers and of entries to add.
    fn settle(&self, last: &TagHistory, took: Duration, writes: usize) -> Duration {
        let Options { clock, append, .. } = &self.session.options;
        let among_others = last
            .foreign
            .is_some_and(|seen| clock.now().saturating_duration_since(seen) < REMEMBERED);
        let longest = append.settle_among_others.max(append.settle);
        let settle = if among_others {
            longest
        } else {
            let factor = 2_u32.saturating_pow(last.in_a_row);
            append.settle.saturating_mul(factor).min(longest)
        };
        spread(settle.max(took * 6), writes).min(LONGEST_SETTLE)
    }
}

/// The manifest to write, its blobs, and the entries in it.
struct Batch<'a> {
    manifest: StoredManifest,
    blobs: Vec<Bytes>,
    entries: Vec<&'a QueuedChange>,
}

/// The batch that adds the first entry and as many of the others as possible; none if the first
/// exists already. Only the first one's error is reported.
fn merged(
    before: Option<StoredManifest>,
    batch: &[Arc<QueuedChange>],
) -> Result<Option<Batch<'_>>, String> {
    let mut stored = before;
    let mut blobs = Vec::new();
    let mut entries = Vec::new();
    for (number, entry) in batch.iter().enumerate() {
        let write = match (entry.change.0)(stored.as_ref()) {
            Ok(Merge::Write(write)) => write,
            Ok(Merge::Present) | Err(_) if number > 0 => continue,
            Ok(Merge::Present) => return Ok(None),
            Err(why) => return Err(why),
        };
        let EncodedManifest { media_type, bytes } = write.manifest;
        stored = Some(StoredManifest {
            digest: Digest::of(&bytes),
            media_type,
            bytes,
        });
        blobs.extend(write.blobs);
        entries.push(entry.as_ref());
    }
    let Some(manifest) = stored else {
        return Ok(None);
    };
    // a later entry may list another config
    let text = String::from_utf8_lossy(&manifest.bytes);
    blobs.retain(|blob| text.contains(Digest::of(blob).as_str()));
    Ok(Some(Batch {
        manifest,
        blobs,
        entries,
    }))
}

/// A delay, which from the second try on is up to three times as long, at random.
fn spread(time: Duration, tries: usize) -> Duration {
    if tries < 1 {
        return time;
    }
    time + time * fastrand::u32(0..256) / 128
}
