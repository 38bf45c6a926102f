//! What has to vouch for a signature besides its certificate or key, as cosign's flags say.

/// Whether something is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// It has to be there and to be valid.
    Required,
    /// It need not be there. A log entry or a timestamp that is there has to be valid all the same,
    /// where the time of signing is taken from it.
    Waived,
}

/// What has to vouch for a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    /// An entry in a transparency log.
    pub(crate) log: Rule,
    /// The signed timestamp by which a log of certificates promised to list the certificate.
    pub(crate) sct: Rule,
    /// A timestamp of an authority (RFC 3161).
    pub(crate) timestamp: Rule,
}

impl Policy {
    /// What cosign asks for if no flag says otherwise.
    #[cfg(test)]
    pub(crate) const STRICT: Self = Self {
        log: Rule::Required,
        sct: Rule::Required,
        timestamp: Rule::Waived,
    };
}
