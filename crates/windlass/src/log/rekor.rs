//! Rekor of either version, and the timestamp authority beside it.
//!
//! A timestamp is asked for first: it can be made again, an entry cannot be taken back. Each server has a
//! breaker of its own, so that one run at a time asks one that has not responded to those before.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};
use windlass_core::config::{Endpoint, LogVersion, Transparency};
use windlass_core::signed::{Identity, LogEntry, Signed, Stamped};
use windlass_core::tlog::{self, Entry, Proposal};

use super::claim::{Added, Claim, Claimed, Stamps};
use super::error::LogError;
use super::server::Server;
use super::stamper::{AUTHORITY, Stamper};
use super::version_one::VersionOne;
use super::version_two::{TrustedLog, VersionTwo};
use crate::service::breaker::{Breakers, OPEN, Visit};
use crate::service::error::ServiceError;
use crate::telemetry::Circuits;

/// A server that says nothing for so long counts as silent.
const SILENCE: Duration = Duration::from_secs(8);
const LOG: &str = "transparency log";

/// A log, and who tells the time.
#[derive(Debug)]
pub(crate) struct Rekor {
    tree: Tree,
    stamper: Option<Stamper>,
    breakers: Breakers,
}

#[derive(Debug)]
enum Tree {
    One(Box<VersionOne>),
    Two(Box<VersionTwo>),
}

/// For whom a server is asked, and until when.
#[derive(Clone, Copy)]
struct Pass<'a> {
    run: &'a str,
    until: Instant,
}

/// What vouches for a signature once it is logged.
pub(super) struct Logged {
    pub(super) entry: LogEntry,
    /// The responses of the timestamp authority, if there is one.
    pub(super) timestamps: Vec<(Stamped, Vec<u8>)>,
    pub(super) added: Added,
}

impl Rekor {
    /// The one of the settings. One that does not respond is left in peace for the first of these
    /// pauses, and for the second at most.
    pub(super) fn new(
        settings: &Transparency,
        pauses: (Duration, Duration),
        circuits: Circuits,
    ) -> Result<Self, ServiceError> {
        let server = Server::new("transparency.url", &settings.url)?;
        let tree = match settings.version {
            LogVersion::One => Tree::One(Box::new(VersionOne::new(server, settings))),
            LogVersion::Two => Tree::Two(Box::new(VersionTwo::new(server, settings)?)),
        };
        let mut breakers = Breakers::new(pauses);
        breakers.show_in(circuits);
        Ok(Self {
            tree,
            stamper: settings.timestamps.as_ref().map(Stamper::new).transpose()?,
            breakers,
        })
    }

    /// The one of version 2 at an address, for a command: it has to be one of these.
    pub(super) fn of_version_two(
        url: &Endpoint,
        trusted: Vec<TrustedLog>,
    ) -> Result<Self, ServiceError> {
        let server = Server::new("--signing-config", url)?;
        Ok(Self {
            tree: Tree::Two(Box::new(VersionTwo::trusting(server, trusted))),
            stamper: None,
            breakers: Breakers::new(OPEN),
        })
    }

    /// Host and port of the log.
    pub(super) fn host(&self) -> &str {
        self.tree.host()
    }

    /// The entry of a signature, with timestamps of `stamped` if there is an authority: what the run
    /// claims, if it is of this signature, else new ones.
    pub(super) async fn add(
        &self,
        run: &str,
        (signed, stamped): (&Signed, &[Stamped]),
        claimed: &Claimed,
        until: Instant,
    ) -> Result<Logged, LogError> {
        let proposal = self.tree.proposal(signed)?;
        let pass = Pass { run, until };
        let (claim, stamps) = claimed.read();
        // no timestamp is asked for while there is no log to take the entry
        self.admit(pass, LOG, self.host())?;
        let timestamps = self.timestamps(pass, (signed, stamped), &stamps).await?;
        let found = self.tree.find_or_add(&proposal, claim, &signed.identity);
        let (entry, added) = self.ask(pass, LOG, self.host(), found).await?;
        let url = self.tree.place(&entry);
        Ok(Logged {
            entry: LogEntry { url, entry },
            timestamps,
            added,
        })
    }

    /// The same where the log has the entry that is claimed; nothing is added.
    pub(super) async fn find(
        &self,
        run: &str,
        (signed, stamped): (&Signed, &[Stamped]),
        claimed: &Claimed,
        until: Instant,
    ) -> Result<Option<Logged>, LogError> {
        let proposal = self.tree.proposal(signed)?;
        let pass = Pass { run, until };
        let (claim, stamps) = claimed.read();
        let finding = self.tree.find(&proposal, claim);
        let Some(entry) = self.ask(pass, LOG, self.host(), finding).await? else {
            return Ok(None);
        };
        let timestamps = match self.timestamps(pass, (signed, stamped), &stamps).await {
            // nobody can tell the time of that signature any more
            Err(LogError::Ended) => return Ok(None),
            timestamps => timestamps?,
        };
        let url = self.tree.place(&entry);
        Ok(Some(Logged {
            entry: LogEntry { url, entry },
            timestamps,
            added: Added::Nothing,
        }))
    }

    async fn timestamps(
        &self,
        pass: Pass<'_>,
        (signed, stamped): (&Signed, &[Stamped]),
        stamps: &Stamps,
    ) -> Result<Vec<(Stamped, Vec<u8>)>, LogError> {
        let mut timestamps = Vec::new();
        for what in stamped {
            let made = self
                .timestamp(pass, (signed, *what), stamps.of(*what))
                .await?;
            timestamps.extend(made.map(|timestamp| (*what, timestamp)));
        }
        Ok(timestamps)
    }

    /// The timestamp of a signature or an envelope: the one that the run has, if it is that, else a new
    /// one.
    async fn timestamp(
        &self,
        pass: Pass<'_>,
        subject: (&Signed, Stamped),
        stored: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>, LogError> {
        let Some(stamper) = &self.stamper else {
            return Ok(None);
        };
        let now = Timestamp::now();
        if let Some(stored) = stored
            && stamper.check(stored, subject, now).is_ok()
        {
            return Ok(Some(stored.to_vec()));
        }
        require_current(&subject.0.identity)?;
        let host = stamper.server.host();
        let stamp = self.ask(pass, AUTHORITY, host, stamper.stamp(subject));
        stamp.await.map(Some)
    }

    fn admit(&self, pass: Pass<'_>, what: &'static str, host: &str) -> Result<(), LogError> {
        // the servers are the operator's, so what one namespace learns of them is true for all
        let visit = Visit {
            namespace: "",
            run: pass.run,
            host,
        };
        let admitted = self.breakers.admit(visit, Instant::now());
        admitted.map_err(|left| LogError::Silent {
            what,
            host: host.to_owned(),
            left,
        })
    }

    /// Asks a server, if it has not been silent, and notes whether it is.
    async fn ask<T>(
        &self,
        pass: Pass<'_>,
        what: &'static str,
        host: &str,
        question: impl Future<Output = Result<T, LogError>>,
    ) -> Result<T, LogError> {
        self.admit(pass, what, host)?;
        let visit = Visit {
            namespace: "",
            run: pass.run,
            host,
        };
        let began = Instant::now();
        let Ok(result) = timeout_at(pass.until, question).await else {
            if began.elapsed() >= SILENCE {
                self.breakers.timed_out(visit, Instant::now());
            }
            let host = host.to_owned();
            return Err(LogError::Cut { what, host });
        };
        match &result {
            Err(LogError::Service(error)) if error.is_silent => {
                self.breakers.timed_out(visit, Instant::now());
            }
            _ => self.breakers.responded(visit),
        }
        result
    }
}

impl Tree {
    fn host(&self) -> &str {
        match self {
            Self::One(log) => log.server.host(),
            Self::Two(log) => log.server.host(),
        }
    }

    /// What is added for a signature.
    fn proposal(&self, signed: &Signed) -> Result<Proposal, LogError> {
        Ok(match self {
            Self::One(_) => tlog::propose(signed)?,
            Self::Two(_) => tlog::propose_v2(signed)?,
        })
    }

    /// Where an entry can be read.
    fn place(&self, entry: &Entry) -> String {
        match self {
            Self::One(log) => log.place(entry),
            Self::Two(log) => log.place(entry),
        }
    }

    /// The entry of a proposal: the one that the run has or names, if it is that, else a new one.
    async fn find_or_add(
        &self,
        proposal: &Proposal,
        claim: Claim,
        identity: &Identity,
    ) -> Result<(Entry, Added), LogError> {
        if let Some(entry) = self.find(proposal, claim).await? {
            return Ok((entry, Added::Nothing));
        }
        require_current(identity)?;
        let added = match self {
            Self::One(log) => log.propose(proposal).await,
            Self::Two(log) => log.propose(proposal).await,
        };
        Ok((added?, Added::Now))
    }

    /// The entry that is claimed, if it is that of a proposal.
    async fn find(&self, proposal: &Proposal, claim: Claim) -> Result<Option<Entry>, LogError> {
        if let Some(entry) = claim.stored
            && self.is_of(&entry, proposal).await
        {
            return Ok(Some(entry));
        }
        match claim.index {
            Some(index) => self.claimed(index, proposal).await,
            None => Ok(None),
        }
    }

    async fn is_of(&self, entry: &Entry, proposal: &Proposal) -> bool {
        match self {
            Self::One(log) => log.check(entry, proposal).await.is_ok(),
            Self::Two(log) => log.check(entry, proposal).is_ok(),
        }
    }

    async fn claimed(&self, index: u64, proposal: &Proposal) -> Result<Option<Entry>, LogError> {
        match self {
            Self::One(log) => log.claimed(index, proposal).await,
            Self::Two(log) => log.claimed(index, proposal).await,
        }
    }
}

/// Nothing new is asked about a signature whose certificate has ended: no verifier would take it.
fn require_current(identity: &Identity) -> Result<(), LogError> {
    if identity.is_current(Timestamp::now()) {
        Ok(())
    } else {
        Err(LogError::Ended)
    }
}
