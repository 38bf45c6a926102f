//! Rekor, version 1: one request adds an entry and gives it, with the promise of the log and its place in
//! the tree. What the log has already it does not add again: it says where it is (HTTP 409).
//! Source: Rekor's `openapi.yaml`.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, Url};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};
use windlass_core::config::Transparency;
use windlass_core::key::PublicKey;
use windlass_core::signed::{LogEntry, Signed};
use windlass_core::tlog::{self, Entry, EntryError, Proposal};

use super::address;
use super::error::LogError;
use crate::service::breaker::{Breakers, Visit};
use crate::service::error::ServiceError;
use crate::service::http::{Answer, Http, Patience};
use crate::telemetry::Circuits;

/// A log responds once the entry is in its tree, which takes seconds.
const PATIENCE: Patience = Patience {
    call: Duration::from_secs(40),
    request: Duration::from_secs(30),
};
/// A log that says nothing for so long counts as silent.
const SILENCE: Duration = Duration::from_secs(8);
const ENTRIES: &str = "/api/v1/log/entries";
const PUBLIC_KEY: &str = "/api/v1/log/publicKey";
const JSON: &str = "application/json";

/// What came of adding an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    /// The log was told of the signature.
    Now,
    /// Nothing had to be done.
    Nothing,
}

/// A Rekor.
#[derive(Debug)]
pub(crate) struct Rekor {
    http: Http,
    url: Url,
    base: String,
    host: String,
    /// The public key of the settings.
    pinned: Option<PublicKey>,
    /// The public key that the log gave last.
    given: Mutex<Option<PublicKey>>,
    breakers: Breakers,
}

impl Rekor {
    /// The one of the settings. One that does not respond is left in peace for the first of these
    /// pauses, and for the second at most.
    pub(super) fn new(
        settings: &Transparency,
        pauses: (Duration, Duration),
        circuits: Circuits,
    ) -> Result<Self, ServiceError> {
        let url = address::check(&settings.url).map_err(|why| {
            ServiceError::new("use the transparency log of transparency.url", why)
        })?;
        let mut breakers = Breakers::new(pauses);
        breakers.show_in(circuits);
        Ok(Self {
            http: Http::new(Vec::new(), PATIENCE)?,
            base: address::base(&url),
            host: address::host(&url),
            url,
            pinned: settings.public_key.clone(),
            given: Mutex::default(),
            breakers,
        })
    }

    /// Its host and port.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The entry of a signature: the one that the run claims, if the log has it for this signature, else
    /// a new one. One run at a time asks a log that has not responded to those before.
    pub(super) async fn add(
        &self,
        run: &str,
        signed: &Signed,
        claimed: Option<&str>,
        until: Instant,
    ) -> Result<(LogEntry, Added), LogError> {
        let proposal = tlog::propose(signed)?;
        let host = || self.host.clone();
        // the log is the operator's, so what one namespace learns of it is true for all
        let visit = Visit {
            namespace: "",
            run,
            host: &self.host,
        };
        if let Err(left) = self.breakers.admit(visit, Instant::now()) {
            let host = host();
            return Err(LogError::Silent { host, left });
        }
        let began = Instant::now();
        let Ok(result) = timeout_at(until, self.find_or_add(&proposal, claimed)).await else {
            if began.elapsed() >= SILENCE {
                self.breakers.timed_out(visit, Instant::now());
            }
            return Err(LogError::Cut { host: host() });
        };
        match &result {
            Err(LogError::Service(error)) if error.is_silent => {
                self.breakers.timed_out(visit, Instant::now());
            }
            _ => self.breakers.responded(visit),
        }
        let (entry, added) = result?;
        let url = format!("{}{ENTRIES}?logIndex={}", self.base, entry.index);
        Ok((LogEntry { url, entry }, added))
    }

    async fn find_or_add(
        &self,
        proposal: &Proposal,
        claimed: Option<&str>,
    ) -> Result<(Entry, Added), LogError> {
        if let Some(index) = claimed.and_then(tlog::index_in_url)
            && let Some(entry) = self.claimed(index, proposal).await?
        {
            return Ok((entry, Added::Nothing));
        }
        let entry = self.propose(proposal).await?;
        Ok((entry, Added::Now))
    }

    /// The entry with this number, if it is that of the signature.
    async fn claimed(&self, index: u64, proposal: &Proposal) -> Result<Option<Entry>, LogError> {
        let doing = format!("look up an entry in the transparency log {}", self.host);
        let answer = self
            .get(&doing, &format!("{ENTRIES}?logIndex={index}"))
            .await?;
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

    async fn propose(&self, proposal: &Proposal) -> Result<Entry, LogError> {
        let doing = format!("add an entry to the transparency log {}", self.host);
        let url = format!("{}{ENTRIES}", self.base);
        let request = |client: &Client| {
            let request = client.post(&url).body(proposal.request.clone());
            request.header(CONTENT_TYPE, JSON).header(ACCEPT, JSON)
        };
        let answer = self.http.send(&doing, request).await?;
        let host = || self.host.clone();
        match answer.status {
            409 => {
                let uuid = self.location(&answer);
                let uuid = uuid.ok_or_else(|| LogError::Elsewhere { host: host() })?;
                let answer = self.get(&doing, &format!("{ENTRIES}/{uuid}")).await?;
                self.checked(&answer, proposal).await
            }
            status @ (400 | 413 | 422) => Err(LogError::Refused {
                host: host(),
                status,
            }),
            _ => self.checked(&answer, proposal).await,
        }
    }

    /// The identifier of the entry that the log has already, if its place is in this log.
    fn location(&self, answer: &Answer) -> Option<String> {
        let place = self.url.join(answer.location.as_deref()?).ok()?;
        if place.origin() != self.url.origin() {
            return None;
        }
        tlog::uuid_in_location(place.path()).map(str::to_owned)
    }

    /// The entry in a response, once it has passed every check.
    async fn checked(&self, answer: &Answer, proposal: &Proposal) -> Result<Entry, LogError> {
        if !answer.is_success() {
            let doing = format!("add an entry to the transparency log {}", self.host);
            return Err(answer.failure(&doing).into());
        }
        let host = || self.host.clone();
        let entry = tlog::parse(&answer.body).map_err(|source| LogError::Malformed {
            host: host(),
            source,
        })?;
        let checked = |key: &PublicKey| entry.check(proposal, key, Timestamp::now());
        let mut result = checked(&self.key().await?);
        if result == Err(EntryError::LogId) && self.pinned.is_none() {
            // the log may have another key since
            result = checked(&self.fetch_key().await?);
        }
        match result {
            Ok(()) => Ok(entry),
            Err(source) => Err(LogError::Entry {
                host: host(),
                source,
            }),
        }
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
        let doing = format!("read the public key of the transparency log {}", self.host);
        let answer = self.get(&doing, PUBLIC_KEY).await?;
        if !answer.is_success() {
            return Err(answer.failure(&doing).into());
        }
        let key = PublicKey::from_pem(&answer.body).map_err(|_| LogError::Key {
            host: self.host.clone(),
        })?;
        *self.given.lock().await = Some(key.clone());
        Ok(key)
    }

    async fn get(&self, doing: &str, path: &str) -> Result<Answer, ServiceError> {
        let url = format!("{}{path}", self.base);
        let request = |client: &Client| client.get(&url);
        self.http.send(doing, request).await
    }
}
