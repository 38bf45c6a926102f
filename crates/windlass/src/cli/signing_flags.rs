//! The flags that say who signs and where that is logged, of every verb that signs what a person names.
//!
//! No service is asked that was not named: neither the public log nor the public authority is a
//! default, since what is sent there stays there for everybody to see.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use clap::ValueHint;
use jiff::Timestamp;
use windlass_core::config::{LogNeed, LogVersion, Transparency, TransparencyMode};
use windlass_core::payload::Payload;
use windlass_core::signed::{Artifact, Signed};

use self::keyless::KeylessFlags;
use super::key;
use super::output;
use crate::cluster::Connection;
use crate::inspect::input::Input;
use crate::log::{Log, check_address};
use crate::sign::Signer;
use crate::sign::keyless::signer::KeylessSigner;
use crate::sign::reference::KeyRef;
use crate::signing::SigningMeans;
use crate::signing::services::{self, Roots, Services};

mod keyless;

/// Flags of logs in help texts.
const LOGGING: &str = "Transparency log";

/// Who signs, and where that is logged.
#[derive(Debug, clap::Args)]
pub(super) struct SigningFlags {
    /// Private key: a file, k8s://<namespace>/<secret>, env://<variable>, or a key in a service such
    /// as hashivault://<key>; without it, a certificate of Fulcio is asked for
    #[arg(long, value_name = "REF")]
    pub(super) key: Option<KeyRef>,
    #[command(flatten)]
    keyless: KeylessFlags,
    /// Address of the transparency log (Rekor) that gets an entry of each signature; without it
    /// nothing is logged
    #[arg(long, value_name = "URL", help_heading = LOGGING)]
    rekor_url: Option<String>,
    /// Whether the signature is logged where --rekor-url or --signing-config says; without one of
    /// them there is no log to upload to, whatever cosign's default
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set, help_heading = LOGGING)]
    tlog_upload: Option<bool>,
    /// Signing configuration that names Fulcio and the log, as cosign takes it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = LOGGING)]
    signing_config: Option<PathBuf>,
    /// Trusted root that the certificate and the log are checked against
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = LOGGING)]
    trusted_root: Option<PathBuf>,
}

impl SigningFlags {
    /// Whether reading the key may take its password from standard input.
    pub(super) fn needs_input(&self) -> bool {
        self.key.as_ref().is_some_and(key::needs_input)
    }

    /// What signs, and where that is logged.
    pub(super) async fn open(&self, connection: &Connection) -> anyhow::Result<SigningMeans> {
        let services = self.services()?;
        let roots = self.roots()?;
        let log = self.log(&services, &roots)?;
        let signer = match &self.key {
            Some(key) => key::detached_signer(key, connection).await?,
            None => self.keyless(&services, &roots, &log).await?,
        };
        Ok(SigningMeans { signer, log })
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
        if !means.log.is_on() && self.tlog_upload.is_none() {
            output::note(
                "not logged: verifiers need --insecure-ignore-tlog, unless a transparency log is named \
                 with --rekor-url",
            );
        }
    }

    fn services(&self) -> anyhow::Result<Services> {
        let Some(path) = &self.signing_config else {
            return Ok(Services::default());
        };
        let content = read(path)?;
        let read = Services::read(&content, Timestamp::now());
        read.with_context(|| format!("cannot use the signing configuration {}", path.display()))
    }

    fn roots(&self) -> anyhow::Result<Roots> {
        let Some(path) = &self.trusted_root else {
            return Ok(Roots::default());
        };
        let content = read(path)?;
        let read = Roots::read(&content);
        read.with_context(|| format!("cannot use the trusted root {}", path.display()))
    }

    fn log(&self, services: &Services, roots: &Roots) -> anyhow::Result<Log> {
        if self.tlog_upload == Some(false) {
            return Ok(Log::Off);
        }
        let Some(url) = self.rekor_url.as_ref().or(services.rekor.as_ref()) else {
            ensure!(
                self.tlog_upload.is_none(),
                "no transparency log is named; give its address with --rekor-url (the public one is \
                 https://rekor.sigstore.dev, where everybody sees it for good), or leave --tlog-upload out"
            );
            return Ok(Log::Off);
        };
        let settings = Transparency {
            mode: TransparencyMode::Always,
            url: url.as_str().into(),
            need: LogNeed::Required,
            public_key: roots.key_of_log(url).cloned(),
            version: LogVersion::One,
            origin: String::new(),
            timestamps: None,
        };
        if let Err(why) = check_address(&settings.url) {
            bail!("--rekor-url is no address of a transparency log: {why}; write https://HOST");
        }
        ensure!(
            self.trusted_root.is_none() || settings.public_key.is_some(),
            "the trusted root has no key of the log at that address; add it there, or correct \
             --rekor-url"
        );
        Ok(Log::named(&settings))
    }

    async fn keyless(
        &self,
        services: &Services,
        roots: &Roots,
        log: &Log,
    ) -> anyhow::Result<Signer> {
        let means = self.keyless.means(services, roots)?;
        ensure!(
            log.is_on() || self.tlog_upload == Some(false),
            "a certificate is valid for minutes, and without a log entry nobody can tell that it was \
             valid when it signed; name a log with --rekor-url, or do without one by --tlog-upload=false"
        );
        if roots.authorities.is_empty() {
            output::note(
                "the certificate is not checked against a trusted root; give one with --trusted-root",
            );
        }
        let opened = Box::pin(KeylessSigner::open(&means, &Arc::default())).await;
        let signer =
            opened.map_err(|error| keyless::explained(error, self.trusted_root.as_deref()))?;
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
    if let Some(entry) = signed.entry.get() {
        output::note(&format!("Logged at {}", entry.url));
    }
    Ok(signed)
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let content = Input::File(path.to_owned()).read(services::LARGEST);
    content.with_context(|| format!("cannot read {}", path.display()))
}
