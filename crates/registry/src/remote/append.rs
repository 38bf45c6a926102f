//! Appending to the manifest under a tag while others write it too.
//!
//! With registries the last writer wins, silently. So an append reads the tag, merges its entry and
//! writes; if blobs have to be pushed in between, it looks at the tag once more. It reads the tag back
//! after a delay that is longer than another writer needs, and merges the entry again if it is gone,
//! until it stays. An entry that is found although nobody here wrote it has to stay as well: whoever wrote
//! it may have ended before reading it back. Within one process, one writer of each tenant at a time writes
//! a tag. It also writes the entries that others with the same credentials are waiting to add, and pauses
//! between two writes, so that writes are few.
//!
//! The entries of other writers survive, except one that is written between the last look and our
//! write by a client that does not read back. Our entry is restored if such a client overwrites it
//! before it has settled.

use std::time::Duration;

use self::change::{Change, EncodedManifest, Merge, Write};
use self::history::spread;
use self::queue::Ticket;
use self::round::{Progress, Round, Step};
use super::send::Remote;
use crate::digest::Digest;
use crate::error::Error;
use crate::manifest::{Manifest, StoredManifest};
use crate::reference::{Name, Repository, Tag};

mod batch;
pub(super) mod change;
mod history;
pub(super) mod queue;
mod round;

/// The result of an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagUpdate {
    /// Digest of the manifest under the tag now.
    pub digest: Digest,
    /// How often the entry was written by this process: 0 if it existed before.
    pub writes: usize,
}

/// An append that is under way. The entry is queued as long as this exists: another writer of this
/// process may write it along with its own.
#[derive(Debug)]
pub struct Append {
    remote: Remote,
    /// The tag.
    name: Name,
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
        let queues = &remote.session.memory().queues;
        let ticket = queues.add(
            &remote.tenant,
            &remote.repository,
            &tag,
            credentials,
            change,
        );
        Self {
            remote,
            name: Name::Tag(tag),
            ticket,
            progress: Progress::default(),
            moves: 0,
        }
    }

    /// For a tag that the caller has seen: nothing is pushed before it is looked at.
    #[must_use]
    pub fn of_known_tag(mut self) -> Self {
        self.progress.is_tag_known = true;
        self
    }

    /// The repository.
    pub fn repository(&self) -> &Repository {
        &self.remote.repository
    }

    /// Goes on until the entry is there or there is nothing to do but wait.
    pub async fn advance(&mut self) -> Result<Advance, Error> {
        let append = &self.remote.session.options.append;
        while self.moves <= append.rounds * 4 {
            let round = Round {
                remote: &self.remote,
                name: &self.name,
                ticket: &self.ticket,
                progress: &mut self.progress,
            };
            let result = round.run().await;
            let progress = &mut self.progress;
            match result {
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
            at: self.remote.at(&format!("add an entry to {}", self.name)),
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
}
