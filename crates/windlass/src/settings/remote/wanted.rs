//! What is opened: the kinds of signers behind a network, and the settings of each.

use std::sync::Arc;

use kube::Client;
use tokio::sync::Notify;
use windlass_core::config::{self, SignerKind};
use windlass_core::error::Chain;

use crate::settings::{Setting, Settings};
use crate::sign::Signer;
use crate::sign::keyless;
use crate::sign::keyless::error::KeylessError;
use crate::sign::keyless::signer::KeylessSigner;
use crate::sign::kms;
use crate::sign::kms::error::KmsError;
use crate::sign::kms::plugins::Plugins;
use crate::sign::kms::reference::Reference;
use crate::sign::kms::signer::KmsSigner;

/// The kinds of signers behind a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A key in a service.
    Kms,
    /// An identity that Fulcio certifies.
    Keyless,
}

/// The settings of a signer, if anything is signed with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Kms(config::Kms),
    Keyless(config::X509),
}

impl Kind {
    /// The key of the ConfigMap that names it.
    pub(super) fn setting(self) -> &'static str {
        match self {
            Self::Kms => "signers.kms.kmsref",
            Self::Keyless => "signers.x509.fulcio.enabled",
        }
    }

    /// Where it is put.
    pub(super) fn slot(self, settings: &mut Settings) -> &mut Setting<Signer> {
        match self {
            Self::Kms => &mut settings.kms,
            Self::Keyless => &mut settings.keyless,
        }
    }

    /// Who is told when it may be another one.
    pub(super) fn doubt(self, settings: &Settings) -> Arc<Notify> {
        Arc::clone(match self {
            Self::Kms => &settings.doubt,
            Self::Keyless => &settings.keyless_doubt,
        })
    }

    /// The reason of the Event that there is none.
    pub(super) fn unavailable(self) -> &'static str {
        match self {
            Self::Kms => "KeyUnavailable",
            Self::Keyless => "CertificateUnavailable",
        }
    }

    /// What is told when one takes the place of another.
    pub(super) fn replacement(self, old: &Signer, new: &Signer) -> String {
        let (old_name, new_name) = (old.name(), new.name());
        match self {
            Self::Kms => format!(
                "{old_name} ({}) was replaced in its service: {new_name} ({}) signs from now on; \
                 whoever verifies needs its public key",
                old.key_id(),
                new.key_id()
            ),
            Self::Keyless => format!(
                "{old_name} was replaced: {new_name} signs from now on; whoever verifies needs its \
                 identity, and the root of its authority"
            ),
        }
    }
}

/// What signers are opened with that does not change with the settings.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) client: &'a Client,
    /// The system namespace.
    pub(super) namespace: &'a str,
    pub(super) plugins: &'a Plugins,
}

impl Wanted {
    pub(super) fn of(kind: Kind, settings: &Settings) -> Option<Self> {
        let config = settings.config()?;
        match kind {
            Kind::Kms => config
                .signs_with(SignerKind::Kms)
                .then(|| Self::Kms(config.kms.clone())),
            Kind::Keyless => config
                .is_keyless()
                .then(|| Self::Keyless(config.x509.clone())),
        }
    }

    /// The signer, if it is another one than that which was seen last.
    pub(super) async fn open(
        &self,
        last: Option<&Signer>,
        around: Surroundings<'_>,
        doubt: &Arc<Notify>,
    ) -> Result<Option<Signer>, String> {
        match self {
            Self::Kms(settings) => {
                let found = open_kms(settings, around.plugins, last, doubt).await;
                let found = found.map_err(|error| Chain(&error).to_string())?;
                Ok(found.map(|signer| Signer::Kms(Box::new(signer))))
            }
            Self::Keyless(settings) => {
                let means = keyless::means::Means::of(settings, around.client, around.namespace);
                let found = open_keyless(&means, last, doubt).await;
                let found = found.map_err(|error| Chain(&error).to_string())?;
                Ok(found.map(|signer| Signer::Keyless(Box::new(signer))))
            }
        }
    }
}

async fn open_kms(
    settings: &config::Kms,
    plugins: &Plugins,
    last: Option<&Signer>,
    doubt: &Arc<Notify>,
) -> Result<Option<KmsSigner>, KmsError> {
    if let Some(Signer::Kms(signer)) = last {
        return signer.look().await;
    }
    let means = kms::means::Means {
        plugins: plugins.clone(),
        ..kms::means::Means::of(settings)
    };
    let reference: Reference = settings.kmsref.parse()?;
    KmsSigner::open(&reference, &means, doubt).await.map(Some)
}

async fn open_keyless(
    means: &keyless::means::Means,
    last: Option<&Signer>,
    doubt: &Arc<Notify>,
) -> Result<Option<KeylessSigner>, KeylessError> {
    if let Some(Signer::Keyless(signer)) = last {
        match signer.look().await {
            Err(KeylessError::Changed { .. }) => {}
            looked => return looked.map(|()| None),
        }
    }
    KeylessSigner::open(means, doubt).await.map(Some)
}
