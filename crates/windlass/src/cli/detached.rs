//! `--payload` and `--signature`: a signature of images that is given, and not read from a registry.

use std::borrow::Cow;

use anyhow::{Context as _, bail, ensure};
use windlass_core::image::Image;
use windlass_core::key::PublicKey;
use windlass_core::payload::Payload;

use super::given;
use super::signer_flags::{LogRule, SignerFlags};
use crate::inspect::verify::image::{self, Detached};
use crate::inspect::verify::report::Report;
use crate::inspect::verify::{ExpectedSigner, Subject, VerifyRequest};

/// Why it is verified with a key that is enough.
const BY_KEY_ALONE: &str = "a signature by itself has no certificate and no log entry; verify it with --key alone, or leave \
     out --signature to verify what is attached to the image";

/// A signature that is given by itself.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct DetachedFlags {
    /// Signature of the image, in place of those attached to it: a file, `-` for standard input,
    /// https://..., env://<variable>, or the base64 text itself
    #[arg(long, value_name = "FILE")]
    signature: Option<String>,
    /// What --signature was made of: a file, `-`, https://... or env://<variable> (default: what
    /// `cosign generate` prints for the image)
    #[arg(long, value_name = "FILE")]
    payload: Option<String>,
}

/// What was given.
pub(super) struct Given {
    signature: Vec<u8>,
    payload: Option<Vec<u8>>,
}

impl DetachedFlags {
    /// Whether either is given.
    pub(super) fn are_given(&self) -> bool {
        self.signature.is_some() || self.payload.is_some()
    }

    /// Reads what is given, if something is, once it can be verified by this signer.
    pub(super) async fn read(&self, signer: &SignerFlags) -> anyhow::Result<Option<Given>> {
        let Some(signature) = &self.signature else {
            ensure!(
                self.payload.is_none(),
                "--payload is what a signature was made of; give that with --signature"
            );
            return Ok(None);
        };
        ensure!(signer.is_key_alone(&LogRule::IfRootIsGiven), BY_KEY_ALONE);
        let payload = match &self.payload {
            Some(payload) => Some(given::payload(payload).await?),
            None => None,
        };
        let signature = given::signature(signature).await?;
        Ok(Some(Given { signature, payload }))
    }
}

impl Given {
    /// Checks the signature against the digest of an image.
    pub(super) fn verify(
        &self,
        subject: &Subject,
        request: &VerifyRequest,
    ) -> anyhow::Result<Report> {
        let payload = match &self.payload {
            Some(payload) => Cow::Borrowed(payload.as_slice()),
            None => Cow::Owned(payload_of(subject)?.bytes),
        };
        let detached = Detached {
            key: key(request)?,
            payload: &payload,
            signature: &self.signature,
        };
        Ok(image::verify_detached(subject, &detached, request))
    }
}

fn key(request: &VerifyRequest) -> anyhow::Result<&PublicKey> {
    match &request.signer {
        ExpectedSigner::Key(key, None) => Ok(key),
        _ => bail!(BY_KEY_ALONE),
    }
}

/// What is signed of an image unless something else is said.
fn payload_of(subject: &Subject) -> anyhow::Result<Payload> {
    let repository = subject.repository().context(
        "the payload names the repository of the image, which a folder does not tell; give --payload",
    )?;
    let name = format!("{repository}@{}", subject.digest());
    let image = Image::parse(&name);
    let image = image.with_context(|| format!("no payload can be made for {name}"))?;
    Ok(Payload::of_image(&image))
}
