//! `generate-key-pair`: makes an ECDSA P-256 key pair, in files or in a secret, as cosign does.

use std::process::ExitCode;

pub(super) use self::files::write_pair;
pub(super) use self::pair::{Existing, KeyPair};
use crate::cluster::Connection;
use crate::sign::kms::reference::Reference;
use crate::sign::reference::{KeyRef, KeyRefError, Location};

mod files;
mod pair;
mod secret;
mod service;

/// Make a key pair for signing
///
/// Without an argument, writes the pair to cosign.key and cosign.pub. With
/// k8s://<namespace>/<name>, writes it to that secret, and cosign.pub as well. The password comes
/// from `COSIGN_PASSWORD`, from a prompt, or from a pipe.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass generate-key-pair k8s://openshift-pipelines/signing-secrets
  COSIGN_PASSWORD= windlass generate-key-pair --output-key-prefix release
  VAULT_ADDR=https://vault:8200 windlass generate-key-pair --kms hashivault://release")]
pub(crate) struct GenerateKeyPair {
    /// Files are named <PREFIX>.key and <PREFIX>.pub
    #[arg(long, value_name = "PREFIX", default_value = "cosign")]
    output_key_prefix: String,
    /// Replace an existing key; signatures made with it then need its old public key
    #[arg(long)]
    force: bool,
    /// Key to create in a service instead, on P-256: hashivault://<key> or the like; at AWS the alias
    /// that it gets
    #[arg(long, value_name = "REF", value_parser = service_of, conflicts_with = "secret")]
    kms: Option<Reference>,
    /// Secret to write the pair to: k8s://<namespace>/<name>
    #[arg(value_name = "SECRET", value_parser = secret_of)]
    secret: Option<Location>,
}

/// A key in a service as it is typed.
fn service_of(text: &str) -> Result<Reference, String> {
    text.parse::<Reference>().map_err(|error| error.to_string())
}

/// A secret as it is typed.
fn secret_of(text: &str) -> Result<Location, String> {
    match text.parse::<KeyRef>() {
        Ok(KeyRef::Secret(location)) => Ok(location),
        Err(error @ KeyRefError::Place(_)) => Err(error.to_string()),
        _ => Err(
            "a key pair is written to files or to k8s://<namespace>/<name>; use \
             --output-key-prefix to name the files"
                .to_owned(),
        ),
    }
}

impl GenerateKeyPair {
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let Self {
            output_key_prefix: prefix,
            force,
            kms,
            secret,
        } = self;
        if let Some(reference) = kms {
            service::generate(&reference, &prefix, force).await?;
            return Ok(ExitCode::SUCCESS);
        }
        let existing = if force {
            Existing::Replace
        } else {
            Existing::Keep
        };
        match secret {
            Some(location) => {
                secret::generate(connection, &location, &prefix, existing).await?;
            }
            None => files::generate(&prefix, existing)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
