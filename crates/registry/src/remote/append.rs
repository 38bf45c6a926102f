//! Adding to what is under a tag while others do the same.
//!
//! Registries let the last writer win and tell no one. So an entry is written by reading, merging
//! and writing; right before the write the tag is looked at once more; and after a while that is
//! longer than another writer needs it is read back. If the entry is gone by then, it is merged
//! into what is there now, until it stays. Within one process only one writer is at a tag; it takes
//! along what others with the same credentials wait to add, and between two writes that tag is left
//! in peace, so that writes are few.
//!
//! Nothing another writer has put there is taken away, unless it was written in the moment between
//! that last look and our write by someone who does not read back. An entry of ours that such a
//! writer takes away is put back if that happens before it has settled.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
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

/// Longest wait before reading back.
const LONGEST_SETTLE: Duration = Duration::from_secs(5);
/// A tag that was not written for so long is not one that is written all the time.
const CALM: Duration = Duration::from_secs(5);
/// How long it is remembered that somebody else writes a tag.
const REMEMBERED: Duration = Duration::from_secs(60);

/// How an entry got there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagUpdate {
    /// Digest of what is under the tag now.
    pub digest: Digest,
    /// How often it was written: 0 if the entry was there before.
    pub writes: usize,
}

/// What was done for one entry.
#[derive(Debug, Default)]
struct Progress {
    /// How often it was written.
    writes: usize,
    /// Blobs that are there.
    pushed: HashSet<Digest>,
    /// Whether the last round had entries of others in it.
    took_along: bool,
    /// Whether it is to be written without them.
    alone: bool,
}

/// What came of one round.
enum Step {
    Present(Digest),
    Wrote,
    /// It is too early to look, or to write.
    Rest(Duration),
    Moved,
    GaveUp,
}

impl Remote {
    /// Changes the manifest under a tag until `merge` finds its entry in it. `merge` is given what
    /// is there, and may be asked any number of times; its error says why the entry cannot be
    /// added. Something that is no image manifest is an error and left alone.
    pub async fn update_manifest<M>(&self, tag: &Tag, merge: M) -> Result<TagUpdate, Error>
    where
        M: Fn(Option<Manifest>) -> Result<Merge<Manifest>, String> + Send + Sync + 'static,
    {
        let name = tag.clone();
        let encode = move |stored: Option<&StoredManifest>| {
            let read = stored.map(StoredManifest::manifest).transpose();
            let read = read.map_err(|_| format!("what is under {name} is no image manifest"))?;
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
        self.update(tag, Change(Box::new(encode))).await
    }

    pub(super) async fn update(&self, tag: &Tag, change: Change) -> Result<TagUpdate, Error> {
        let writing = self.writing();
        let Options { clock, append, .. } = &self.session.options;
        let credentials = self.candidates.fingerprint();
        let ticket = self.queues.add(&self.repository, tag, credentials, change);
        let mut progress = Progress::default();
        let mut moves = 0;
        while moves <= append.rounds * 4 {
            match writing.step(tag, &ticket, &mut progress).await {
                Ok(Step::Present(digest)) => {
                    let writes = progress.writes;
                    return Ok(TagUpdate { digest, writes });
                }
                Ok(Step::Wrote) => progress.writes += 1,
                Ok(Step::Rest(time)) => clock.sleep(time).await,
                Ok(Step::Moved) => {
                    moves += 1;
                    clock.sleep(spread(append.settle, moves) / 8).await;
                }
                Ok(Step::GaveUp) => break,
                // it may be refused for what was taken along
                Err(Error::Status { .. }) if progress.took_along && !progress.alone => {
                    progress.alone = true;
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended {
            at: self.at(&format!("add to {tag}")),
            rounds: progress.writes,
        })
    }

    /// Reads, merges, and writes if need be and nothing has moved in between.
    async fn step(
        &self,
        tag: &Tag,
        ticket: &Ticket,
        progress: &mut Progress,
    ) -> Result<Step, Error> {
        let Options { clock, append, .. } = &self.session.options;
        let mut last = ticket.queue.last.lock().await;
        // written already, by us or along with another: it has to settle; else the tag has to
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
                None => Err(refused("there is nothing, and nothing to write".to_owned())),
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

    /// How long to wait before reading back, and before the tag is written again: the longer, the
    /// more others there seem to be and the more there is to add.
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

/// What is to be written, and what of it was asked for by whom.
struct Batch<'a> {
    manifest: StoredManifest,
    blobs: Vec<Bytes>,
    entries: Vec<&'a QueuedChange>,
}

/// What is to be written so that the first entry is there, and with it as many of the others as can
/// be; none if the first is there. The first one's error is all there is to say.
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
    // a later one may list another config
    let text = String::from_utf8_lossy(&manifest.bytes);
    blobs.retain(|blob| text.contains(Digest::of(blob).as_str()));
    Ok(Some(Batch {
        manifest,
        blobs,
        entries,
    }))
}

/// A time, and from the second try on up to twice as much more, at random.
fn spread(time: Duration, tries: usize) -> Duration {
    if tries < 1 {
        return time;
    }
    let chance = RandomState::new().hash_one(tries) % 256;
    time + time * u32::try_from(chance).unwrap_or(0) / 128
}
