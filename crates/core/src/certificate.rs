//! What certificates of keyless signing say, and who issued them: X.509 (RFC 5280) as far as Fulcio
//! uses it, and the timestamps of certificate transparency logs (RFC 6962).
//!
//! A certificate of Fulcio names one identity and its issuer for some minutes. [`Details`] reads one,
//! [`Authority`] tells whether another one is from the same authority for the same identity, and [`sct`]
//! checks the promise of a log to publish it. No path to a root is looked for here: whoever verifies
//! for others uses a library for that.
//!
//! Everything may come from anybody. Nothing is taken out of a certificate that is not wholly read.

use jiff::Timestamp;

use crate::key::Certificate;

mod authority;
mod der;
mod error;
mod names;
mod parts;
pub mod sct;

pub use authority::Authority;
pub use der::Details;
pub use error::CertificateError;

/// Whether a certificate has not ended. One whose times cannot be read has.
pub fn is_current(certificate: &Certificate, now: Timestamp) -> bool {
    Details::of(certificate).is_ok_and(|details| now < details.not_after())
}
