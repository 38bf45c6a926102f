//! Failures of the flow, as they are counted: which step, which store, and why. Each is a closed list,
//! so that the number of series is bounded whatever runs and registries do.

use prometheus_client::encoding::EncodeLabelSet;
use windlass_core::config::StoreKind;
use windlass_core::retry::Retry;

/// A step of the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Making the payload, with the list of what is signed.
    Payload,
    /// Signing it.
    Sign,
    /// Adding the signature to a log.
    Log,
    /// Storing it.
    Store,
}

/// Why a step failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Every credential was refused.
    Denied,
    /// A repository or an image does not exist.
    NotFound,
    /// There is no connection.
    Unreachable,
    /// There was no response in time.
    Timeout,
    /// The host did not respond before, and is left in peace.
    CircuitOpen,
    /// Too many requests.
    RateLimited,
    /// The other side has a temporary problem.
    Unavailable,
    /// A certificate is not trusted or is missing.
    Tls,
    /// The network rules of windlass forbid it.
    Forbidden,
    /// The other side refused it for good.
    Refused,
    /// What was sent or received is invalid.
    Invalid,
    /// The settings have to be changed.
    Settings,
}

/// A failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) stage: Stage,
    pub(crate) store: Option<StoreKind>,
    pub(crate) reason: Reason,
}

/// The labels of a failure.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct FailureLabels {
    kind: &'static str,
    stage: &'static str,
    store: &'static str,
    reason: &'static str,
}

/// The label that Chains has.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ErrorLabels {
    pub(super) error_type: &'static str,
}

impl Failure {
    /// A failure that no store had.
    pub(crate) fn at(stage: Stage, reason: Reason) -> Self {
        Self {
            stage,
            store: None,
            reason,
        }
    }

    pub(super) fn labels(self, kind: &'static str) -> FailureLabels {
        FailureLabels {
            kind,
            stage: self.stage.as_str(),
            store: self.store.map_or("", StoreKind::as_str),
            reason: self.reason.as_str(),
        }
    }
}

impl Stage {
    /// What Chains calls the errors of each step (docs/behaviour.md, "Metrics").
    pub(super) const ERROR_TYPES: [&'static str; 5] = [
        "payload_creation",
        "marshal_payload",
        "signing",
        "tlog",
        "storage",
    ];

    pub(super) fn error_type(self) -> &'static str {
        match self {
            Self::Payload => "payload_creation",
            Self::Sign => "signing",
            Self::Log => "tlog",
            Self::Store => "storage",
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Payload => "payload",
            Self::Sign => "sign",
            Self::Log => "log",
            Self::Store => "store",
        }
    }
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::NotFound => "not_found",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::CircuitOpen => "circuit_open",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::Tls => "tls",
            Self::Forbidden => "forbidden",
            Self::Refused => "refused",
            Self::Invalid => "invalid",
            Self::Settings => "settings",
        }
    }
}

impl From<Retry> for Reason {
    /// The reason as far as it is known from what would help.
    fn from(retry: Retry) -> Self {
        match retry {
            Retry::Never => Self::Invalid,
            Retry::Settings => Self::Settings,
            Retry::Backoff | Retry::After(_) => Self::Unavailable,
        }
    }
}
