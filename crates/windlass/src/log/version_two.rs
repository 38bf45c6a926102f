//! Rekor, version 2: one request adds an entry and gives it with a proof. The log tells no time and
//! promises nothing. What it has already it does not add again (HTTP 409): it says under which number, and
//! the proof is put together from its tiles.
//! Source: rekor-tiles 2.3, `CLIENTS.md` and `internal/server`.

use std::collections::HashMap;

use windlass_core::config::Transparency;
use windlass_core::key::PublicKey;
use windlass_core::tlog::{self, CheckpointSigner, Entry, EntryError, Proposal, Tile};

use super::error::LogError;
use super::server::{Content, Server};
use crate::service::error::ServiceError;
use crate::service::http::Answer;

const ENTRIES: &str = "/api/v2/log/entries";
const CHECKPOINT: &str = "/api/v2/checkpoint";
/// What the paths of tiles begin with.
const TILES: &str = "/api/v2";
/// The number of an entry that the log has already.
const INDEX: &str = "x-log-index";
const JSON: &str = "application/json";

/// A log.
#[derive(Debug)]
pub(super) struct VersionTwo {
    pub(super) server: Server,
    /// One of these is the log at this address.
    trusted: Vec<TrustedLog>,
}

/// A log that is trusted, as it is recognised by what it signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrustedLog {
    pub(crate) key: PublicKey,
    /// What it calls itself in its checkpoints.
    pub(crate) origin: String,
}

impl VersionTwo {
    /// The one of the settings, which have its key.
    pub(super) fn new(server: Server, settings: &Transparency) -> Result<Self, ServiceError> {
        let key = settings.public_key.clone().ok_or_else(|| {
            ServiceError::new(
                "use a transparency log of version 2",
                "its public key is not set; set transparency.public-key of windlass-config",
            )
        })?;
        let origin = match &*settings.origin {
            "" => server.url().host_str().unwrap_or_default().to_owned(),
            origin => origin.to_owned(),
        };
        Ok(Self::trusting(server, vec![TrustedLog { key, origin }]))
    }

    /// The one at an address, which has to be one of these.
    pub(super) fn trusting(server: Server, trusted: Vec<TrustedLog>) -> Self {
        Self { server, trusted }
    }

    /// Where an entry can be read: the file of the log that it is in.
    pub(super) fn place(&self, entry: &Entry) -> String {
        let index = entry.index;
        let path = tlog::entry_path(index, entry.proof.size);
        self.server.at(&format!("{TILES}{path}?logIndex={index}"))
    }

    /// The entry with this number, if it is that of the signature.
    pub(super) async fn claimed(
        &self,
        index: u64,
        proposal: &Proposal,
    ) -> Result<Option<Entry>, LogError> {
        // whoever may edit the run wrote the number
        match self.proved(index, proposal).await {
            Ok(entry) => Ok(Some(entry)),
            Err(LogError::Service(error)) if error.is_silent => Err(error.into()),
            Err(_) => Ok(None),
        }
    }

    /// Adds an entry, or finds the one that there is already.
    pub(super) async fn propose(&self, proposal: &Proposal) -> Result<Entry, LogError> {
        let doing = format!("add an entry to the transparency log {}", self.host());
        let content = Content {
            body: proposal.request.as_bytes(),
            media_type: JSON,
            accept: JSON,
        };
        let answer = self.server.post(&doing, ENTRIES, content).await?;
        let host = self.host().to_owned();
        match answer.status {
            409 => {
                let index = index(&answer).ok_or(LogError::Unnamed { host })?;
                self.proved(index, proposal).await
            }
            405 => Err(LogError::Frozen { host }),
            status @ (400 | 413 | 422) => Err(LogError::Refused { host, status }),
            200..300 => {
                let read = tlog::parse_bundled(&answer.body);
                let entry = read.map_err(|source| LogError::Malformed { host, source })?;
                self.check(&entry, proposal)?;
                Ok(entry)
            }
            _ => Err(answer.failure(&doing).into()),
        }
    }

    /// The entry with this number, with a proof from the files of the log.
    async fn proved(&self, index: u64, proposal: &Proposal) -> Result<Entry, LogError> {
        let malformed = || LogError::Tiles {
            host: self.host().to_owned(),
        };
        let checkpoint = self.file(CHECKPOINT).await?;
        let checkpoint = std::str::from_utf8(&checkpoint).map_err(|_| malformed())?;
        let (log, size) = self.signer_of(checkpoint)?;
        if index >= size {
            return Err(malformed());
        }
        let mut files = HashMap::new();
        for tile in tlog::tiles_of(index, size) {
            files.insert(tile, self.tile(&tile).await?);
        }
        let content = |tile: &Tile| files.get(tile).map(Vec::as_slice);
        let entry = tlog::entry_from_tiles(proposal, index, checkpoint, log, content);
        let entry = entry.ok_or_else(malformed)?;
        self.check(&entry, proposal)?;
        Ok(entry)
    }

    /// The log that signed a checkpoint, and the size of the tree in it.
    fn signer_of(&self, checkpoint: &str) -> Result<(CheckpointSigner<'_>, u64), LogError> {
        let mut flaw = EntryError::LogId;
        for log in &self.trusted {
            let signer = log.signer();
            match tlog::size_in_checkpoint(checkpoint, signer) {
                Ok(size) => return Ok((signer, size)),
                Err(source) => flaw = EntryError::Checkpoint(source),
            }
        }
        Err(self.invalid(flaw))
    }

    /// A tile; the fuller one where the log has removed what was there while it was being filled.
    async fn tile(&self, tile: &Tile) -> Result<Vec<u8>, LogError> {
        let (path, whole) = (tile.path(), tile.whole_path());
        let answer = self.read(&format!("{TILES}{path}")).await?;
        if answer.status == 404 && path != whole {
            return self.file(&format!("{TILES}{whole}")).await;
        }
        self.content(&answer)
    }

    async fn file(&self, path: &str) -> Result<Vec<u8>, LogError> {
        let answer = self.read(path).await?;
        self.content(&answer)
    }

    async fn read(&self, path: &str) -> Result<Answer, LogError> {
        Ok(self.server.get(&self.reading(), path).await?)
    }

    fn content(&self, answer: &Answer) -> Result<Vec<u8>, LogError> {
        match answer.status {
            200 => Ok(answer.body.to_vec()),
            _ => Err(answer.failure(&self.reading()).into()),
        }
    }

    fn reading(&self) -> String {
        format!(
            "read the files of the transparency log {}, which has the entry already",
            self.host()
        )
    }

    /// Whether an entry is that of the proposal, in this log.
    pub(super) fn check(&self, entry: &Entry, proposal: &Proposal) -> Result<(), LogError> {
        let mut flaw = EntryError::LogId;
        for log in &self.trusted {
            match entry.check_v2(proposal, &log.key, &log.origin) {
                Ok(()) => return Ok(()),
                // it says that it is of another one
                Err(EntryError::LogId) => {}
                Err(source) => flaw = source,
            }
        }
        Err(self.invalid(flaw))
    }

    fn invalid(&self, source: EntryError) -> LogError {
        LogError::Entry {
            host: self.host().to_owned(),
            source,
        }
    }

    fn host(&self) -> &str {
        self.server.host()
    }
}

impl TrustedLog {
    fn signer(&self) -> CheckpointSigner<'_> {
        CheckpointSigner {
            key: &self.key,
            origin: &self.origin,
        }
    }
}

/// The number of the entry that a log has already.
fn index(answer: &Answer) -> Option<u64> {
    let digits = answer.header(INDEX)?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}
