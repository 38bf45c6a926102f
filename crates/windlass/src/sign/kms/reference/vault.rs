//! `hashivault://NAME` and `openbao://NAME`: a key of the secrets engine transit. Both are the same
//! protocol; the scheme says what the server is called.

use super::error::ReferenceError;
use super::word::is_word;

pub(crate) const HASHIVAULT: &str = "hashivault://";
pub(crate) const OPENBAO: &str = "openbao://";

/// Whose server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Product {
    /// HashiCorp's.
    Vault,
    /// The Linux Foundation's.
    OpenBao,
}

impl Product {
    /// The scheme with `://`.
    pub(crate) fn scheme(self) -> &'static str {
        match self {
            Self::Vault => HASHIVAULT,
            Self::OpenBao => OPENBAO,
        }
    }

    /// Its name, for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Vault => "Vault",
            Self::OpenBao => "OpenBao",
        }
    }
}

/// A key of the engine transit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VaultKey {
    pub(crate) product: Product,
    /// Letters, digits, `_`, and between them `-` and `.`.
    pub(crate) name: String,
}

impl VaultKey {
    pub(super) fn parse(product: Product, name: &str) -> Result<Self, ReferenceError> {
        let is_outer = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let is_whole = name.starts_with(is_outer) && name.ends_with(is_outer);
        if !is_whole || !is_word(name, b"_-.") {
            return Err(ReferenceError::Malformed {
                scheme: product.scheme(),
                why: "the name of a key has letters, digits, `_`, and inside it `-` and `.`",
                form: match product {
                    Product::Vault => "hashivault://NAME",
                    Product::OpenBao => "openbao://NAME",
                },
            });
        }
        let name = name.to_owned();
        Ok(Self { product, name })
    }
}
