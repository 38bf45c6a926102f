//! The loaded settings: the configuration and the signing keys.
//!
//! They come from the cluster and may change while the controller runs. An invalid change (an
//! invalid ConfigMap, an emptied secret) is refused: the last valid one stays loaded, and an Event,
//! a metric and a log line report it. Runs wait until the configuration is loaded, and the key of each
//! signer that it asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::{Notify, watch};
use windlass_core::certificate::Authority;
use windlass_core::config::{Config, SignerKind};
use windlass_core::decide::Trust;
use windlass_core::key::PublicKey;
use windlass_core::run::Kind;
use windlass_core::seal::Known;

use self::history::History;
use crate::cluster::runs::RunKind;
use crate::sign::Signer;
use crate::sign::signers::Signers;

pub(crate) mod config;
mod history;
pub(crate) mod keys;
pub(crate) mod logging;
mod map;
pub(crate) mod mirror;
pub(crate) mod remote;
pub(crate) mod takeover;

/// The configuration and the keys that the next signatures are made with.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The configuration, or why there is none.
    pub(crate) config: Setting<Config>,
    /// The key of the secret, or why there is none.
    pub(crate) x509: Setting<Signer>,
    /// The key in a service, or why there is none. Unread while it is opened, and while nothing is
    /// signed with it.
    pub(crate) kms: Setting<Signer>,
    /// The identity that Fulcio certifies, or why there is none. Unread just so.
    pub(crate) keyless: Setting<Signer>,
    /// Told when the key in the service may be another one.
    pub(crate) doubt: Arc<Notify>,
    /// Told when the identity may be another one.
    pub(crate) keyless_doubt: Arc<Notify>,
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
    /// What signs its artifacts.
    pub(crate) signers: Signers<'s>,
    /// What seals its mark.
    pub(crate) sealer: &'s Signer,
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

    /// Whether this is the very same state.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unread, Self::Unread) => true,
            (Self::InForce(one), Self::InForce(other)) => Arc::ptr_eq(one, other),
            (Self::Missing(one), Self::Missing(other)) => one == other,
            _ => false,
        }
    }
}

/// Where settings are read, and where their sources put them.
pub(crate) type Current = watch::Sender<Settings>;

impl Settings {
    /// The state before anything was read.
    pub(crate) fn unread() -> Current {
        watch::Sender::new(Self {
            config: Setting::Unread,
            x509: Setting::Unread,
            kms: Setting::Unread,
            keyless: Setting::Unread,
            doubt: Arc::default(),
            keyless_doubt: Arc::default(),
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

    /// What a run of this kind is signed with, or why it cannot be.
    pub(crate) fn in_force(&self, kind: Kind) -> Result<InForce<'_>, &str> {
        Ok(InForce {
            config: self.config.get()?,
            sealer: self.sealer(kind)?,
            signers: Signers {
                x509: self.of(SignerKind::X509).get().map(Arc::as_ref),
                kms: self.kms.get().map(Arc::as_ref),
            },
        })
    }

    /// What seals the mark of a run of this kind, or why nothing can.
    pub(crate) fn sealer(&self, kind: Kind) -> Result<&Signer, &str> {
        let signer = sealer(self.config.get()?, kind);
        self.of(signer).get().map(Arc::as_ref)
    }

    /// Whether the sealer of a run of this kind is about to be loaded.
    pub(crate) fn awaits_sealer(&self, kind: Kind) -> bool {
        let config = self.config();
        config.is_some_and(|config| self.awaits(sealer(config, kind)))
    }

    /// Whether this signer is about to be loaded.
    pub(crate) fn awaits(&self, signer: SignerKind) -> bool {
        signer != SignerKind::None && self.of(signer).is_unread()
    }

    /// The signer of this name, or why there is none.
    pub(crate) fn of(&self, signer: SignerKind) -> &Setting<Signer> {
        let is_keyless = || self.config().is_some_and(|it| it.x509.fulcio_enabled);
        match signer {
            SignerKind::Kms => &self.kms,
            SignerKind::X509 if is_keyless() => &self.keyless,
            SignerKind::X509 | SignerKind::None => &self.x509,
        }
    }

    /// Has the signers behind a network looked at.
    pub(crate) fn doubt_signers(&self) {
        self.doubt.notify_one();
        self.keyless_doubt.notify_one();
    }

    /// Whether anything is signed with the key of the secret; true while nobody knows.
    pub(crate) fn needs_secret(&self) -> bool {
        self.config().is_none_or(Config::needs_secret)
    }

    /// Whether anything is signed by this signer; true while nobody knows.
    pub(crate) fn signs_with(&self, signer: SignerKind) -> bool {
        self.config().is_none_or(|config| config.signs_with(signer))
    }

    /// The keys that are loaded and used. A key that nothing is signed with counts for nothing: in a
    /// cluster that signs with a key service, whoever may write secrets has no say.
    pub(crate) fn keys(&self) -> [Option<&PublicKey>; 2] {
        [SignerKind::X509, SignerKind::Kms].map(|signer| {
            let loaded = self.of(signer).get().ok()?;
            loaded.key().filter(|_| self.signs_with(signer))
        })
    }

    /// The authority whose certificates are used, if that is so.
    pub(crate) fn authority(&self) -> Option<&Authority> {
        let loaded = self.of(SignerKind::X509).get().ok()?;
        let authority = loaded.authority();
        authority.filter(|_| self.signs_with(SignerKind::X509))
    }

    /// What marks are judged by.
    pub(crate) fn trust(&self) -> Trust<'_> {
        let history = self.history.get().ok();
        Trust {
            loaded: self.keys(),
            authority: self.authority(),
            retired: history.map_or(&[], |history| &history.keys),
            authorities: history.map_or(&[], |history| &history.authorities),
            since: history.and_then(|history| history.since),
            known: Some(&self.seals),
        }
    }

    /// All were looked for, with whatever outcome. A key in a service is not waited for: it may be out
    /// of reach, and much is signed without it.
    pub(crate) fn were_read(&self) -> bool {
        !self.config.is_unread() && !self.x509.is_unread() && !self.history.is_unread()
    }
}

/// Who seals the mark of a run of this kind: the signer of the run itself, else that of its images.
fn sealer(config: &Config, kind: Kind) -> SignerKind {
    let (own, images) = (config.policy(kind), &config.oci);
    if own.is_enabled() {
        own.signer
    } else if kind == Kind::Task && images.is_enabled() {
        images.signer
    } else if config.signs_with(SignerKind::Kms) {
        SignerKind::Kms
    } else {
        SignerKind::X509
    }
}

/// The string entries of a ConfigMap.
type Data = BTreeMap<String, String>;
