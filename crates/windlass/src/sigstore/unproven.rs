//! Why a timestamp is not proved to be that of an authority.

/// Which check a timestamp does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "sigstore"),
    expect(dead_code, reason = "nothing is judged without the feature")
)]
pub(crate) enum Unproven {
    /// It is not a timestamp as far as it has to be read.
    Malformed,
    /// Another authority made it, or none.
    Signer,
    /// The certificates of the authority do not go together, or are for something else.
    Chain,
}
