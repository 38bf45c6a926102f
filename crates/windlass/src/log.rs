//! Transparency logs: what makes the entry of a signature, and keeps it for everybody to see.
//!
//! [`Log`] is closed: every place that has to know its kinds matches them all.

use windlass_core::annotation;
use windlass_core::config::{Config, TransparencyMode};
use windlass_core::retry::Retry;
use windlass_core::run::Run;
#[cfg(test)]
use windlass_core::signed::LogEntry;
use windlass_core::signed::Signed;

use crate::unsupported::{self, Unsupported};

/// Where entries are added.
#[derive(Debug, Clone)]
pub enum Log {
    /// Nowhere.
    Off,
    /// The configuration asks for a log that does not exist yet.
    Unsupported(Unsupported),
    /// A log in this process, for tests.
    #[cfg(test)]
    Sandbox(windlass_sandbox::log::Log),
}

/// Why there is no entry.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    /// There is no such log yet.
    #[error(transparent)]
    Unsupported(Unsupported),
    /// The log refused.
    #[cfg(test)]
    #[error("cannot add the signature to the log")]
    Sandbox(#[source] windlass_sandbox::log::LogError),
}

impl LogError {
    /// When the same can succeed.
    pub(crate) fn retry(&self) -> Retry {
        match self {
            Self::Unsupported(_) => Retry::Settings,
            #[cfg(test)]
            Self::Sandbox(_) => Retry::Backoff,
        }
    }
}

impl Log {
    /// The log that the configuration asks for, for this run.
    pub(crate) fn of(config: &Config, run: &Run<'_>) -> Self {
        let asked = run.metadata().annotation(annotation::TRANSPARENCY_UPLOAD);
        let mode = match config.transparency.mode {
            TransparencyMode::Manual if asked != Some("true") => TransparencyMode::Off,
            mode => mode,
        };
        unsupported::log(mode).map_or(Self::Off, Self::Unsupported)
    }

    /// Adds an entry, unless the signature has one. `claimed` is where the run says that it is: the log
    /// decides whether that is true.
    #[cfg_attr(
        not(test),
        expect(
            clippy::unused_async,
            unused_variables,
            reason = "logs are asked over a network"
        )
    )]
    pub(crate) async fn add(
        &self,
        signed: &Signed,
        claimed: Option<String>,
    ) -> Result<(), LogError> {
        if signed.entry.get().is_some() {
            return Ok(());
        }
        match self {
            Self::Off => Ok(()),
            Self::Unsupported(what) => Err(LogError::Unsupported(what.clone())),
            #[cfg(test)]
            Self::Sandbox(log) => {
                let text = signed.signature_text();
                let known = claimed.filter(|url| log.holds(url, &text));
                let url = match known {
                    Some(url) => url,
                    None => log.add(&text).await.map_err(LogError::Sandbox)?,
                };
                signed.entry.get_or_init(|| LogEntry { url });
                Ok(())
            }
        }
    }

    /// Whether each entry is another one, so that it is kept until all stores have it.
    pub(crate) fn is_on(&self) -> bool {
        match self {
            Self::Off | Self::Unsupported(_) => false,
            #[cfg(test)]
            Self::Sandbox(_) => true,
        }
    }
}
