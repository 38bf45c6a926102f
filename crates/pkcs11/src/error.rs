//! Why something was not done. No text of a driver is in it, and no PIN.

use cryptoki::error::{Error as Cryptoki, RvError};
use windlass_core::key::KeyError;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The arguments are not those of the protocol.
    #[error("the arguments are malformed: {0}")]
    Arguments(&'static str),
    /// The URI names no key.
    #[error("the PKCS#11 URI is malformed: {0}; write pkcs11:token=TOKEN;object=LABEL")]
    Uri(String),
    /// The library of the token is not loaded.
    #[error("{0}")]
    Module(String),
    /// There is no PIN.
    #[error("{0}")]
    Pin(String),
    /// The token or the key is not as it has to be.
    #[error("{0}")]
    Key(String),
    /// The public key is of no use.
    #[error("cannot use the public key of the token: {0}")]
    PublicKey(#[from] KeyError),
    /// The token refused something.
    #[error("the token refuses to {doing}: {why}")]
    Token {
        /// What was to be done.
        doing: &'static str,
        /// Its error, by the name that PKCS#11 gives it.
        why: String,
    },
    /// The data could not be read.
    #[error("cannot read the data: {0}")]
    Input(std::io::ErrorKind),
}

impl Error {
    /// A call of the library failed. Only the name of the error is told.
    pub(crate) fn token(doing: &'static str) -> impl Fn(Cryptoki) -> Self {
        move |error| Self::Token {
            doing,
            why: match error {
                Cryptoki::Pkcs11(RvError::PinIncorrect, _) => {
                    "the PIN is wrong; correct it before it is tried again, or the token locks it"
                        .to_owned()
                }
                Cryptoki::Pkcs11(RvError::PinLocked, _) => {
                    "the PIN is locked; unlock it with the token's own tool".to_owned()
                }
                Cryptoki::Pkcs11(error, _) => format!("{error:?}"),
                Cryptoki::NullFunctionPointer => "its library cannot do that".to_owned(),
                _ => "its library responds with something malformed".to_owned(),
            },
        }
    }
}
