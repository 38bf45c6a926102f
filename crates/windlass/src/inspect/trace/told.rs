//! What a trace tells of one provenance.

use windlass_core::verify::Story;

/// A provenance that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) story: Story,
    /// Who signed it: fingerprint and algorithm of a key, or whom a certificate names.
    pub(crate) key: String,
    /// Where it was found.
    pub(crate) place: String,
}
