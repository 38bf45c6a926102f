//! A new key pair, and what happens to a key that exists.

use anyhow::Context as _;
use windlass_core::key::{KeyError, PrivateKey, cosign};
use zeroize::Zeroizing;

use crate::cli::output;
use crate::sign::password;

/// What to do with a key that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Existing {
    Keep,
    Replace,
}

/// A new pair: cosign's encrypted file, its password, and the public key.
pub(in crate::cli) struct KeyPair {
    pub(super) private: Zeroizing<String>,
    pub(super) password: Zeroizing<Vec<u8>>,
    pub(super) public: String,
}

impl KeyPair {
    /// Asks for the password and makes the pair.
    pub(super) fn generate() -> anyhow::Result<Self> {
        let password = chosen()?;
        Self::encrypted(&draw_key()?, password)
    }

    /// Asks for the password and makes the pair of a key that exists.
    pub(in crate::cli) fn of(key: &PrivateKey) -> anyhow::Result<Self> {
        Self::encrypted(key, chosen()?)
    }

    fn encrypted(key: &PrivateKey, password: Zeroizing<Vec<u8>>) -> anyhow::Result<Self> {
        let (mut salt, mut nonce) = ([0; 32], [0; 24]);
        draw(&mut salt)?;
        draw(&mut nonce)?;
        let private = cosign::encrypt(&key.to_pkcs8_der()?, &password, &salt, &nonce)?;
        Ok(Self {
            private: Zeroizing::new(private),
            password,
            public: key.public_key().to_pem(),
        })
    }
}

fn chosen() -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let password = password::choose()?;
    warn_of_newline(&password);
    Ok(password)
}

fn draw_key() -> anyhow::Result<PrivateKey> {
    let mut random = Zeroizing::new([0; 32]);
    loop {
        draw(&mut *random)?;
        match PrivateKey::generate_p256(&random) {
            Err(KeyError::Random) => {}
            made => return Ok(made?),
        }
    }
}

fn draw(bytes: &mut [u8]) -> anyhow::Result<()> {
    getrandom::fill(bytes).context("cannot get random numbers from the system")
}

fn warn_of_newline(password: &[u8]) {
    if password.ends_with(b"\n") {
        output::note(
            "warning: the password from the pipe ends with a newline, which is part of it; use \
             `printf %s` to leave it out",
        );
    }
}
