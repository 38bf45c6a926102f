//! `generate-key-pair`: makes an ECDSA P-256 key pair, in files or in a secret, as cosign does.

use std::process::ExitCode;

use anyhow::Context as _;
use windlass_core::key::{KeyError, PrivateKey, cosign};
use zeroize::Zeroizing;

use crate::cluster::Connection;
use crate::sign::{password, reference::KeyRef};

mod files;
mod secret;

/// Make a key pair for signing
///
/// Without an argument the pair is written to cosign.key and cosign.pub. With
/// k8s://<namespace>/<name> it is kept in that secret, and cosign.pub is written as well. The
/// password is taken from `COSIGN_PASSWORD`, asked for, or read from a pipe.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass generate-key-pair k8s://openshift-pipelines/signing-secrets
  COSIGN_PASSWORD= windlass generate-key-pair --output-key-prefix release")]
pub(crate) struct GenerateKeyPair {
    /// Files are named <PREFIX>.key and <PREFIX>.pub
    #[arg(long, value_name = "PREFIX", default_value = "cosign")]
    output_key_prefix: String,
    /// Replace a key that exists; what it signed can then be verified with its old public key only
    #[arg(long)]
    force: bool,
    /// Secret to keep the pair in: k8s://<namespace>/<name>
    #[arg(value_name = "SECRET")]
    secret: Option<KeyRef>,
}

/// What to do with a key that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Existing {
    Keep,
    Replace,
}

/// A new pair: cosign's encrypted file, its password, and the public key.
struct KeyPair {
    private: Zeroizing<String>,
    password: Zeroizing<Vec<u8>>,
    public: String,
}

impl GenerateKeyPair {
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let Self {
            output_key_prefix: prefix,
            force,
            secret,
        } = self;
        let existing = if force {
            Existing::Replace
        } else {
            Existing::Keep
        };
        match secret {
            Some(KeyRef::Secret(location)) => {
                secret::generate(connection, &location, &prefix, existing).await?;
            }
            Some(_) => anyhow::bail!(
                "a key pair is kept in files or in k8s://<namespace>/<name>; to name the files use \
                 --output-key-prefix"
            ),
            None => files::generate(&prefix, existing)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl KeyPair {
    /// Asks for the password and makes the pair.
    fn generate() -> anyhow::Result<Self> {
        let password = password::choose()?;
        warn_of_newline(&password);
        let key = draw_key()?;
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
    getrandom::fill(bytes).context("cannot draw random numbers from the system")
}

#[expect(clippy::print_stderr, reason = "the command line talks to a person")]
fn warn_of_newline(password: &[u8]) {
    if password.ends_with(b"\n") {
        eprintln!(
            "warning: the password that was piped in ends in a newline, which is part of it; use \
             `printf %s` to leave it out"
        );
    }
}

#[expect(clippy::print_stderr, reason = "the command line talks to a person")]
fn say(text: &str) {
    eprintln!("{text}");
}
