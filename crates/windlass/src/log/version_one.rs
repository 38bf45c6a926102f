//! Rekor, version 1: one request adds an entry and gives it, with the promise of the log and its place in
//! the tree. What the log has already it does not add again: it says where it is (HTTP 409).
//! Source: Rekor's `openapi.yaml`.

use jiff::Timestamp;
use tokio::sync::Mutex;
use windlass_core::config::Transparency;
use windlass_core::key::PublicKey;
use windlass_core::tlog::{self, Entry, EntryError, Proposal};

use super::error::LogError;
use super::server::{Content, Server};
use crate::service::http::Answer;

const ENTRIES: &str = "/api/v1/log/entries";
const PUBLIC_KEY: &str = "/api/v1/log/publicKey";
const JSON: &str = "application/json";

/// A log.
#[derive(Debug)]
pub(super) struct VersionOne {
    pub(super) server: Server,
    /// The public key of the settings.
    pinned: Option<PublicKey>,
    /// The public key that the log gave last.
    given: Mutex<Option<PublicKey>>,
}

impl VersionOne {
    pub(super) fn new(server: Server, settings: &Transparency) -> Self {
        Self {
            server,
            pinned: settings.public_key.clone(),
            given: Mutex::default(),
        }
    }

    /// Where an entry can be read.
    pub(super) fn place(&self, entry: &Entry) -> String {
        self.server
            .at(&format!("{ENTRIES}?logIndex={}", entry.index))
    }

    /// The entry with this number, if it is that of the signature.
    pub(super) async fn claimed(
        &self,
        index: u64,
        proposal: &Proposal,
    ) -> Result<Option<Entry>, LogError> {
        let doing = format!("look up an entry in the transparency log {}", self.host());
        let path = format!("{ENTRIES}?logIndex={index}");
        let answer = self.server.get(&doing, &path).await?;
        if !answer.is_success() {
            return Ok(None);
        }
        // whoever may edit the run wrote the number
        match self.checked(&answer, proposal).await {
            Ok(entry) => Ok(Some(entry)),
            Err(LogError::Service(error)) => Err(LogError::Service(error)),
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
        let host = || self.host().to_owned();
        match answer.status {
            409 => {
                let uuid = self.location(&answer);
                let uuid = uuid.ok_or_else(|| LogError::Elsewhere { host: host() })?;
                let path = format!("{ENTRIES}/{uuid}");
                let answer = self.server.get(&doing, &path).await?;
                self.checked(&answer, proposal).await
            }
            status @ (400 | 413 | 422) => Err(match proposal.objection {
                Some(objection) if status == 400 => LogError::Proposal(objection),
                _ => LogError::Refused {
                    host: host(),
                    status,
                },
            }),
            _ => self.checked(&answer, proposal).await,
        }
    }

    /// The identifier of the entry that the log has already, if its place is in this log.
    fn location(&self, answer: &Answer) -> Option<String> {
        let place = self.server.url().join(answer.location.as_deref()?).ok()?;
        if place.origin() != self.server.url().origin() {
            return None;
        }
        tlog::uuid_in_location(place.path()).map(str::to_owned)
    }

    /// The entry in a response, once it has passed every check.
    async fn checked(&self, answer: &Answer, proposal: &Proposal) -> Result<Entry, LogError> {
        let host = || self.host().to_owned();
        if !answer.is_success() {
            let doing = format!("add an entry to the transparency log {}", self.host());
            return Err(answer.failure(&doing).into());
        }
        let entry = tlog::parse(&answer.body).map_err(|source| LogError::Malformed {
            host: host(),
            source,
        })?;
        self.check(&entry, proposal).await?;
        Ok(entry)
    }

    /// Whether an entry is that of the proposal, in this log.
    pub(super) async fn check(&self, entry: &Entry, proposal: &Proposal) -> Result<(), LogError> {
        let checked = |key: &PublicKey| entry.check(proposal, key, Timestamp::now());
        let mut result = checked(&self.key().await?);
        if result == Err(EntryError::LogId) && self.pinned.is_none() {
            // the log may have another key since
            result = checked(&self.fetch_key().await?);
        }
        result.map_err(|source| LogError::Entry {
            host: self.host().to_owned(),
            source,
        })
    }

    /// The public key of the log: that of the settings, else the one that it gives.
    async fn key(&self) -> Result<PublicKey, LogError> {
        if let Some(pinned) = &self.pinned {
            return Ok(pinned.clone());
        }
        let given = self.given.lock().await.clone();
        match given {
            Some(given) => Ok(given),
            None => self.fetch_key().await,
        }
    }

    async fn fetch_key(&self) -> Result<PublicKey, LogError> {
        let host = self.host();
        let doing = format!("read the public key of the transparency log {host}");
        let answer = self.server.get(&doing, PUBLIC_KEY).await?;
        if !answer.is_success() {
            return Err(answer.failure(&doing).into());
        }
        let key = PublicKey::from_pem(&answer.body).map_err(|_| LogError::Key {
            host: host.to_owned(),
        })?;
        *self.given.lock().await = Some(key.clone());
        Ok(key)
    }

    fn host(&self) -> &str {
        self.server.host()
    }
}
