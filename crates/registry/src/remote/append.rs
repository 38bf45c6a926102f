//! Adding to what is under a tag while others do the same.
//!
//! Registries let the last writer win and tell no one. So an entry is written by reading, merging
//! and writing; right before the write the tag is looked at once more; and after a while that is
//! longer than another writer needs it is read back. If the entry is gone by then, it is merged
//! into what is there now, until it stays. Within one process only one writer is at a tag.
//!
//! Nothing another writer has put there is taken away, unless it was written in the moment between
//! that last look and our write by someone who does not read back.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Remote;
use crate::digest::Digest;
use crate::error::Error;
use crate::manifest::{Manifest, Stored};
use crate::reference::{Name, Tag};

/// Longest wait before reading back.
const LONGEST_SETTLE: Duration = Duration::from_secs(5);

/// What becomes of what is under a tag.
#[derive(Debug, Clone, PartialEq)]
pub enum Merge<T> {
    /// The entry is there.
    Present,
    /// This is to be there instead.
    Write(Write<T>),
}

/// Something to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Write<T> {
    /// The manifest.
    pub manifest: T,
    /// Blobs it lists that may not be in the repository yet, such as its config.
    pub blobs: Vec<Bytes>,
}

/// How an entry got there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Updated {
    /// Digest of what is under the tag now.
    pub digest: Digest,
    /// How often it was written: 0 if the entry was there before.
    pub writes: usize,
}

/// A manifest or index in the form it is sent in.
pub(super) struct Encoded {
    pub(super) media_type: String,
    pub(super) bytes: Bytes,
}

/// What came of one round.
enum Step {
    Present(Digest),
    Wrote(Duration),
    Moved,
    GaveUp,
}

impl Remote {
    /// Changes the manifest under a tag until `merge` finds its entry in it. `merge` is given what
    /// is there, and may be asked any number of times; its error says why the entry cannot be
    /// added. Something that is no image manifest is an error and left alone.
    pub async fn update_manifest<M>(&self, tag: &Tag, merge: M) -> Result<Updated, Error>
    where
        M: Fn(Option<Manifest>) -> Result<Merge<Manifest>, String>,
    {
        let encode = |stored: Option<&Stored>| {
            let read = stored.map(Stored::manifest).transpose();
            let read = read.map_err(|_| format!("what is under {tag} is no image manifest"))?;
            let Write { manifest, blobs } = match merge(read)? {
                Merge::Present => return Ok(Merge::Present),
                Merge::Write(write) => write,
            };
            let bytes = serde_json::to_vec(&manifest).map_err(|error| error.to_string())?;
            let known = manifest.media_type.as_deref();
            let known = known.or_else(|| Some(stored?.media_type.as_str()));
            Ok(Merge::Write(Write {
                manifest: Encoded {
                    media_type: known.unwrap_or(crate::manifest::MANIFEST).to_owned(),
                    bytes: bytes.into(),
                },
                blobs,
            }))
        };
        self.update(tag, encode).await
    }

    pub(super) async fn update<M>(&self, tag: &Tag, merge: M) -> Result<Updated, Error>
    where
        M: Fn(Option<&Stored>) -> Result<Merge<Encoded>, String>,
    {
        let writing = self.writing();
        let (clock, rounds) = (
            &self.client.options.clock,
            self.client.options.append.rounds,
        );
        let (mut writes, mut moves) = (0, 0);
        while moves <= rounds * 4 {
            match writing.step(tag, &merge, writes < rounds).await? {
                Step::Present(digest) => return Ok(Updated { digest, writes }),
                Step::Wrote(took) => {
                    writes += 1;
                    clock.sleep(self.settle(took, writes)).await;
                }
                Step::Moved => {
                    moves += 1;
                    clock.sleep(self.settle(Duration::ZERO, moves) / 8).await;
                }
                Step::GaveUp => break,
            }
        }
        Err(Error::Contended {
            at: self.at(&format!("add to {tag}")),
            rounds: writes,
        })
    }

    /// Reads, merges, and writes if need be and nothing has moved in between.
    async fn step<M>(&self, tag: &Tag, merge: &M, may_write: bool) -> Result<Step, Error>
    where
        M: Fn(Option<&Stored>) -> Result<Merge<Encoded>, String>,
    {
        let _alone = self.client.locks.lock(&self.repository, tag).await;
        let name = Name::Tag(tag.clone());
        let before = self.get_manifest(&name).await?;
        let merged = merge(before.as_ref()).map_err(|why| Error::Refused {
            at: self.at(&format!("add to {tag}")),
            why,
        })?;
        let digest = before.map(|before| before.digest);
        let Write { manifest, blobs } = match (merged, digest.clone()) {
            (Merge::Write(_), _) if !may_write => return Ok(Step::GaveUp),
            (Merge::Write(write), _) => write,
            (Merge::Present, Some(digest)) => return Ok(Step::Present(digest)),
            (Merge::Present, None) => {
                return Err(Error::Refused {
                    at: self.at(&format!("add to {tag}")),
                    why: "there is nothing, and nothing to write".to_owned(),
                });
            }
        };
        for blob in &blobs {
            self.push_blob(blob, None).await?;
        }
        let began = Instant::now();
        let now = self.head_manifest(&name).await?;
        if now.map(|now| now.digest) != digest {
            return Ok(Step::Moved);
        }
        self.put_manifest(&name, &manifest.media_type, manifest.bytes)
            .await?;
        Ok(Step::Wrote(began.elapsed()))
    }

    /// How long to wait before reading back: the longer, the more others there seem to be.
    fn settle(&self, took: Duration, writes: usize) -> Duration {
        let settle = self.client.options.append.settle.max(took * 3);
        let settle = settle.min(LONGEST_SETTLE);
        if writes < 2 {
            return settle;
        }
        let chance = RandomState::new().hash_one(writes) % 256;
        let chance = u32::try_from(chance).unwrap_or(0);
        (settle + settle * chance / 128).min(LONGEST_SETTLE)
    }
}
