//! Transparency logs: what makes the entry of a signature, and keeps it for everybody to see.
//!
//! [`Log`] is closed: every place that has to know its kinds matches them all. The settings alone say
//! where a log is; a run can ask for an entry, and never for another log.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use windlass_core::annotation;
use windlass_core::config::{Config, Endpoint, Transparency, TransparencyMode};
use windlass_core::run::Run;
use windlass_core::signed::{LogEntry, Signed, Stamped};

pub(crate) use self::address::check as check_address;
pub(crate) use self::claim::{Added, Claimed};
pub(crate) use self::error::LogError;
use self::rekor::{Logged, Rekor};
pub(crate) use self::stamper::Stamper;
pub(crate) use self::version_two::TrustedLog;
use crate::service::breaker;
use crate::service::error::ServiceError;
use crate::telemetry::Circuits;
use crate::unsupported::{self, Unsupported};

mod address;
mod claim;
mod error;
mod rekor;
mod server;
mod stamper;
#[cfg(test)]
mod tests;
mod version_one;
mod version_two;

/// Where entries are added.
#[derive(Debug, Clone)]
pub(crate) enum Log {
    /// Nowhere.
    Off,
    /// The settings ask for a log that cannot be used.
    Unsupported(Unsupported),
    /// This machine cannot speak to any.
    Broken(ServiceError),
    /// Rekor, of version 1 or 2.
    Rekor(Arc<Rekor>),
}

/// The log of the settings, which is the same as long as they are.
#[derive(Debug)]
pub(crate) struct Logs {
    /// How long one is left in peace that does not respond, at first and at most.
    pauses: (Duration, Duration),
    circuits: Circuits,
    current: Mutex<Option<(Transparency, Log)>>,
}

impl Logs {
    /// None is known yet. One that does not respond is shown among these.
    pub(crate) fn new(pauses: (Duration, Duration), circuits: Circuits) -> Self {
        Self {
            pauses,
            circuits,
            current: Mutex::default(),
        }
    }

    /// The log that the configuration asks for, for this run.
    pub(crate) fn of(&self, config: &Config, run: &Run<'_>) -> Log {
        let asked = run.metadata().annotation(annotation::TRANSPARENCY_UPLOAD);
        match config.transparency.mode {
            TransparencyMode::Off => Log::Off,
            TransparencyMode::Manual if asked != Some("true") => Log::Off,
            TransparencyMode::Always | TransparencyMode::Manual => self.under(&config.transparency),
        }
    }

    fn under(&self, settings: &Transparency) -> Log {
        let current = self.current.lock();
        let mut current = current.unwrap_or_else(PoisonError::into_inner);
        match &*current {
            Some((of, log)) if of == settings => log.clone(),
            _ => {
                let log = self.open(settings);
                *current = Some((settings.clone(), log.clone()));
                log
            }
        }
    }

    fn open(&self, settings: &Transparency) -> Log {
        Log::open(settings, self.pauses, self.circuits.clone())
    }
}

impl Log {
    /// The log at an address, for a command.
    pub(crate) fn named(settings: &Transparency) -> Self {
        Self::open(settings, breaker::OPEN, Circuits::default())
    }

    /// The log of version 2 at an address, for a command: it has to be one of these.
    pub(crate) fn of_version_two(url: &Endpoint, trusted: Vec<TrustedLog>) -> Self {
        let rekor = Rekor::of_version_two(url, trusted);
        rekor.map_or_else(Self::Broken, |rekor| Self::Rekor(Arc::new(rekor)))
    }

    fn open(settings: &Transparency, pauses: (Duration, Duration), circuits: Circuits) -> Self {
        if let Some(what) = unsupported::log(settings) {
            return Self::Unsupported(what);
        }
        let rekor = Rekor::new(settings, pauses, circuits);
        rekor.map_or_else(Self::Broken, |rekor| Self::Rekor(Arc::new(rekor)))
    }

    /// Adds an entry until a time, unless the signature has one, after timestamps of `stamped`. `claimed`
    /// is what the run says of both: it counts if the log and the authority signed that.
    pub(crate) async fn add(
        &self,
        run: &Run<'_>,
        (signed, stamped): (&Signed, &[Stamped]),
        claimed: Claimed,
        until: Instant,
    ) -> Result<Added, LogError> {
        if signed.entry.get().is_some() {
            return Ok(Added::Nothing);
        }
        let uid = &run.metadata().uid;
        match self {
            Self::Off => Ok(Added::Nothing),
            Self::Unsupported(what) => Err(LogError::Unsupported(what.clone())),
            Self::Broken(error) => Err(LogError::Service(error.clone())),
            Self::Rekor(rekor) => {
                let logged = rekor.add(uid, (signed, stamped), &claimed, until).await?;
                let added = logged.added;
                note(signed, logged);
                Ok(added)
            }
        }
    }

    /// Whether the log has the entry that is claimed for a signature, which then has it, and its timestamps of
    /// `stamped`. Nothing is added.
    pub(crate) async fn has(
        &self,
        run: &Run<'_>,
        (signed, stamped): (&Signed, &[Stamped]),
        claimed: &Claimed,
        until: Instant,
    ) -> Result<bool, LogError> {
        let Self::Rekor(rekor) = self else {
            return Ok(false);
        };
        let uid = &run.metadata().uid;
        let found = rekor.find(uid, (signed, stamped), claimed, until).await?;
        let is_there = found.is_some();
        if let Some(logged) = found {
            note(signed, logged);
        }
        Ok(is_there)
    }

    /// The entry of a signature, made until a time for a command; none of a log that is off.
    pub(crate) async fn entry_for(
        &self,
        signed: &Signed,
        until: Instant,
    ) -> Result<Option<LogEntry>, LogError> {
        match self {
            Self::Off => Ok(None),
            Self::Unsupported(what) => Err(LogError::Unsupported(what.clone())),
            Self::Broken(error) => Err(LogError::Service(error.clone())),
            Self::Rekor(rekor) => {
                let nothing = Claimed::default();
                let logged = rekor.add("", (signed, &[]), &nothing, until).await?;
                Ok(Some(logged.entry))
            }
        }
    }

    /// Whether each entry is another one, so that it is kept until all stores have it.
    pub(crate) fn is_on(&self) -> bool {
        match self {
            Self::Off | Self::Unsupported(_) | Self::Broken(_) => false,
            Self::Rekor(_) => true,
        }
    }

    /// The host that is asked for the entry of a signature, if it has none.
    pub(crate) fn host_for(&self, signed: &Signed) -> Option<&str> {
        match self {
            Self::Rekor(rekor) if signed.entry.get().is_none() => Some(rekor.host()),
            Self::Off | Self::Unsupported(_) | Self::Broken(_) | Self::Rekor(_) => None,
        }
    }
}

/// Notes at a signature what vouches for it.
fn note(signed: &Signed, logged: Logged) {
    for (what, timestamp) in logged.timestamps {
        signed.timestamp_of(what).get_or_init(|| timestamp);
    }
    signed.entry.get_or_init(|| logged.entry);
}
