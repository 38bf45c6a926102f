//! Whom Sigstore's certificates, logs and timestamps are believed by: where the trusted root comes from,
//! and what is in it.

use jiff::Timestamp;

/// The mirror of the public instance.
pub(crate) const PUBLIC_MIRROR: &str = "https://tuf-repo-cdn.sigstore.dev";

/// How new a trusted root has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Fetched now.
    Now,
    /// Fetched within a day, or now.
    Today,
    /// As it was last fetched. Nobody is asked.
    Offline,
}

/// A trusted root with what is known of its age.
#[derive(Debug, Clone)]
pub(crate) struct Fetched {
    /// `trusted_root.json`.
    pub(crate) content: Vec<u8>,
    /// When it was last found to be the newest one.
    pub(crate) at: Timestamp,
    /// Version of the root of the metadata.
    pub(crate) root_version: u64,
    /// When that root expires.
    pub(crate) root_expires: Timestamp,
    /// When the metadata has to be renewed by.
    pub(crate) expires: Option<Timestamp>,
}

/// Why there is no trusted root.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrustError {
    /// Nothing was ever fetched.
    #[error(
        "no trusted root of {mirror} is kept on this machine; run `windlass trust update` where the \
         network can be reached, or give one with --trusted-root FILE"
    )]
    NeverFetched {
        /// The mirror.
        mirror: String,
    },
    /// What is kept is of no use.
    #[error("what is kept in {folder} is damaged or has expired; run `windlass trust update`")]
    Kept {
        /// Where.
        folder: String,
    },
    /// The pinned root is none.
    #[error("the pinned root of the metadata is damaged, or not signed by its own keys")]
    PinnedRoot,
    /// A file has no root.
    #[error(
        "{file} is not the root.json of a TUF repository, signed by its own keys; get that from whoever \
         runs the mirror. A trusted_root.json is given with --trusted-root"
    )]
    NoRoot {
        /// Its name.
        file: String,
    },
    /// A file cannot be read.
    #[error("cannot read {file}")]
    File {
        /// Its name.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The address of a mirror is of no use.
    #[error("{mirror} cannot be a mirror: {why}")]
    Address {
        /// The address.
        mirror: String,
        /// Why.
        why: String,
    },
    /// A mirror gave no trusted root.
    #[error("cannot get the trusted root from {mirror}: {why}")]
    Mirror {
        /// Its address.
        mirror: String,
        /// Why.
        why: String,
    },
    /// The cache cannot be written.
    #[error("cannot write to {folder}; set TUF_ROOT to a folder that can be written to")]
    Cache {
        /// Where.
        folder: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no folder for the cache.
    #[error("no folder to keep the trusted root in; set TUF_ROOT")]
    NoFolder,
    /// This build has none of this.
    #[cfg(not(feature = "sigstore"))]
    #[error(
        "this build of windlass has no Sigstore verification; use one with the feature `sigstore`"
    )]
    Absent,
}

/// What a trusted root has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trusted {
    /// What it is for.
    pub(crate) role: Role,
    /// Its address, or the name of the authority.
    pub(crate) name: String,
    /// From when it is believed.
    pub(crate) from: Option<Timestamp>,
    /// Until when it is believed.
    pub(crate) until: Option<Timestamp>,
}

/// What something in a trusted root is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Authority,
    CertificateLog,
    Log,
    TimestampAuthority,
}

impl Role {
    /// Its name for people and programs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Authority => "certificate authority",
            Self::CertificateLog => "certificate log",
            Self::Log => "transparency log",
            Self::TimestampAuthority => "timestamp authority",
        }
    }
}
