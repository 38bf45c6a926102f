//! The loaded settings: the configuration and the signing key.
//!
//! Both come from the cluster and may change while the controller runs. An invalid change (an
//! invalid ConfigMap, an emptied secret) is refused: the last valid one stays loaded, and an Event,
//! a metric and a log line report it. Runs wait until both are loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::watch;
use windlass_core::config::Config;
use windlass_core::decide::Trust;
use windlass_core::seal::Known;

use self::history::History;
use crate::cluster::runs::RunKind;
use crate::sign::Signer;

pub(crate) mod config;
mod history;
pub(crate) mod keys;
pub(crate) mod logging;
mod map;
pub(crate) mod takeover;

/// The configuration and the key that the next signature is made with.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The configuration, or why there is none.
    pub(crate) config: Setting<Config>,
    /// The key, or why there is none.
    pub(crate) signer: Setting<Signer>,
    /// What the cluster remembers of windlass.
    pub(crate) history: Setting<History>,
    /// Seals that need not be verified again.
    pub(crate) seals: Arc<Known>,
}

/// Everything that decides which runs are looked at.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    task_runs: bool,
    pipeline_runs: bool,
    managed_by: BTreeSet<String>,
}

/// Settings with which a run can be signed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InForce<'s> {
    /// The configuration.
    pub(crate) config: &'s Config,
    /// The key.
    pub(crate) signer: &'s Signer,
}

/// One setting: not looked for yet, in force, or the reason why there is none.
#[derive(Debug)]
pub(crate) enum Setting<T> {
    /// Nobody looked yet.
    Unread,
    /// In force.
    InForce(Arc<T>),
    /// There is none, and this is why and what to do.
    Missing(String),
}

impl<T> Clone for Setting<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Unread => Self::Unread,
            Self::InForce(value) => Self::InForce(Arc::clone(value)),
            Self::Missing(reason) => Self::Missing(reason.clone()),
        }
    }
}

impl<T> Setting<T> {
    /// The setting, or why there is none.
    pub(crate) fn get(&self) -> Result<&Arc<T>, &str> {
        match self {
            Self::Unread => Err("the settings are not loaded yet"),
            Self::InForce(value) => Ok(value),
            Self::Missing(reason) => Err(reason),
        }
    }

    fn is_unread(&self) -> bool {
        matches!(self, Self::Unread)
    }

    fn in_force(&self) -> bool {
        matches!(self, Self::InForce(_))
    }
}

/// Where settings are read, and where their sources put them.
pub(crate) type Current = watch::Sender<Settings>;

impl Settings {
    /// The state before anything was read.
    pub(crate) fn unread() -> Current {
        watch::Sender::new(Self {
            config: Setting::Unread,
            signer: Setting::Unread,
            history: Setting::Unread,
            seals: Arc::default(),
        })
    }

    /// The configuration, if there is one.
    pub(crate) fn config(&self) -> Option<&Config> {
        self.config.get().ok().map(Arc::as_ref)
    }

    /// Everything that decides which runs are looked at.
    pub(crate) fn selection(&self) -> Option<Selection> {
        let config = self.config.get().ok()?;
        Some(Selection {
            task_runs: RunKind::Task.is_enabled(config),
            pipeline_runs: RunKind::Pipeline.is_enabled(config),
            managed_by: config.managed_by.clone(),
        })
    }

    /// What the next signature is made with, or why there can be none.
    pub(crate) fn in_force(&self) -> Result<InForce<'_>, &str> {
        Ok(InForce {
            config: self.config.get()?,
            signer: self.signer.get()?,
        })
    }

    /// What marks are judged by.
    pub(crate) fn trust(&self) -> Trust<'_> {
        let history = self.history.get().ok();
        let signer = self.signer.get().ok();
        Trust {
            loaded: signer.map(|signer| signer.identity().public_key()),
            retired: history.map_or(&[], |history| &history.keys),
            since: history.and_then(|history| history.since),
            known: Some(&self.seals),
        }
    }

    /// All were looked for, with whatever outcome.
    pub(crate) fn were_read(&self) -> bool {
        !self.config.is_unread() && !self.signer.is_unread() && !self.history.is_unread()
    }
}

/// The string entries of a ConfigMap.
type Data = BTreeMap<String, String>;
