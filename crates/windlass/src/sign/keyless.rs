//! Signing without a key of one's own: a key in memory for some minutes, and a certificate of Fulcio
//! that names who has it.
//!
//! A signer proves to Fulcio who it is with an identity token ([`source`]) and that it has the key, and
//! gets a certificate ([`fulcio`]) that is checked ([`certified`]) before anything is signed. One
//! certificate is for many signatures ([`signer`]): it is replaced by another, for another key, well
//! before it ends. The private key is never written anywhere.

use windlass_core::config;

use self::error::KeylessError;
use self::fulcio::Fulcio;
use self::source::Source;
use self::trust::Trusted;

mod certified;
pub(crate) mod error;
mod fulcio;
pub(crate) mod means;
pub(crate) mod signer;
mod source;
mod trust;

/// Checks the settings as far as that is possible without asking anybody.
pub(crate) fn check(settings: &config::X509) -> Result<(), KeylessError> {
    Fulcio::address(settings)?;
    Trusted::of(settings)?;
    Source::check(settings)
}

#[cfg(test)]
mod tests;
