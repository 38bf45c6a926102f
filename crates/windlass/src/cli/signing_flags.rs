//! The flags that say who signs, where that is logged and who tells the time, of every verb that signs
//! what a person names.
//!
//! No service is asked that was not named: neither the public log nor the public authority is a
//! default, since what is sent there stays there for everybody to see.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{bail, ensure};
use windlass_core::payload::Payload;
use windlass_core::signed::{Artifact, Signed, Stamped};
use windlass_core::trusted_root::Roots;

use self::keyless::KeylessFlags;
use super::attaching::write;
use super::key;
use super::output;
use crate::cluster::Connection;
use crate::sign::Signer;
use crate::sign::keyless::signer::KeylessSigner;
use crate::sign::reference::KeyRef;
use crate::signing::SigningMeans;
use crate::signing::services::Services;

mod keyless;
mod log_flags;

pub(super) use self::log_flags::Place;
use self::log_flags::{LogFlags, Vouching};

/// Who signs, and where that is logged.
#[derive(Debug, clap::Args)]
pub(super) struct SigningFlags {
    /// Private key: a file, k8s://<namespace>/<secret>, env://<variable>, or a key in a service such
    /// as hashivault://<key>; without it, a certificate of Fulcio is asked for
    #[arg(long, value_name = "REF")]
    pub(super) key: Option<KeyRef>,
    #[command(flatten)]
    keyless: KeylessFlags,
    #[command(flatten)]
    logging: LogFlags,
}

impl SigningFlags {
    /// Whether reading the key may take its password from standard input.
    pub(super) fn needs_input(&self) -> bool {
        self.key.as_ref().is_some_and(key::needs_input)
    }

    /// Refuses to ask for a log or an authority where neither is used.
    pub(super) fn check_unused_services(&self) -> anyhow::Result<()> {
        ensure!(
            !self.logging.names_service(),
            "the envelope of a run is printed as the controller stores it, and is neither logged nor gets a \
             timestamp here; leave out --rekor-url, --tlog-upload, --timestamp-server-url and \
             --signing-config"
        );
        Ok(())
    }

    /// What signs, where that is logged and who tells the time, for a result that is put there.
    pub(super) async fn open(
        &self,
        place: Place,
        connection: &Connection,
    ) -> anyhow::Result<SigningMeans> {
        let services = self.logging.services(place)?;
        let roots = self.logging.roots(connection).await?;
        let vouching = self.logging.vouching(&services, &roots, place)?;
        let signer = match &self.key {
            Some(key) => {
                LogFlags::tell_undated(&vouching);
                key::detached_signer(key, connection).await?
            }
            None => self.keyless(&services, &roots, &vouching).await?,
        };
        Ok(SigningMeans {
            signer,
            logs: vouching.logs,
            stampers: vouching.stampers,
            stamped: place.stamped(),
        })
    }

    /// Refuses to sign a file without a key and to write none of these, of which the verifier needs one.
    pub(super) fn check_files(&self, files: [&Option<PathBuf>; 2]) -> anyhow::Result<()> {
        ensure!(
            self.key.is_some() || files.iter().any(|file| file.is_some()),
            "a signature without a key is verified with its certificate; write both to a file with \
             --bundle, or give a key with --key"
        );
        Ok(())
    }

    /// Tells what verifiers need to know, once something is signed.
    pub(super) fn tell(&self, means: &SigningMeans) {
        if !means.is_logged() && !self.logging.says_whether() {
            output::note(
                "not logged: verifiers need --insecure-ignore-tlog, unless a transparency log is named \
                 with --rekor-url",
            );
        }
    }

    async fn keyless(
        &self,
        services: &Services,
        roots: &Roots,
        vouching: &Vouching,
    ) -> anyhow::Result<Signer> {
        let means = self.keyless.means(services, roots)?;
        self.logging.check_dated(vouching)?;
        if roots.authorities.is_empty() {
            output::note(
                "the certificate is not checked against a trusted root; give one with --trusted-root",
            );
        }
        let opened = Box::pin(KeylessSigner::open(&means, &Arc::default())).await;
        let signer =
            opened.map_err(|error| keyless::explained(error, self.logging.trusted_root()))?;
        Ok(Signer::Keyless(Box::new(signer)))
    }
}

/// Refuses to write a bundle in the format that came before that of cosign 3.
pub(super) fn check_bundle_format(is_new: bool, bundle: Option<&Path>) -> anyhow::Result<()> {
    ensure!(
        is_new || bundle.is_none(),
        "the old format of bundles is not written; leave out --new-bundle-format=false"
    );
    Ok(())
}

/// Signs a file, or a statement about one, and tells where that is logged.
pub(super) async fn sign_file(
    means: &SigningMeans,
    payload: Payload,
) -> anyhow::Result<Arc<Signed>> {
    let signed = means.sign(Artifact::File, payload).await?;
    for entry in signed.entries() {
        output::note(&format!("Logged at {}", entry.url));
    }
    Ok(signed)
}

/// Refuses to write a timestamp that nobody is asked for.
pub(super) fn check_timestamp_file(
    means: &SigningMeans,
    file: Option<&Path>,
) -> anyhow::Result<()> {
    if let (Some(path), true) = (file, means.stampers.is_empty()) {
        let path = path.display();
        bail!(
            "there is no timestamp to write to {path}; name an authority with --timestamp-server-url"
        );
    }
    Ok(())
}

/// Writes the timestamp, if there is a file for it.
pub(super) fn write_timestamp(signed: &Signed, file: Option<&Path>) -> anyhow::Result<()> {
    match (file, signed.timestamp_text(Stamped::Signature)) {
        (Some(path), Some(text)) => write(path, text.as_bytes(), "timestamp"),
        _ => Ok(()),
    }
}
