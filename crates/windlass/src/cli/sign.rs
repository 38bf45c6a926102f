//! `sign`: signs images in registries, with the flags of cosign.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::ValueHint;
use serde_json::Value;
use windlass_core::format::Format;
use windlass_core::image::Image;
use windlass_core::payload::{ImageClaims, Payload};
use windlass_core::signed::Signed;
use windlass_registry::Reference;

use super::access::{reference, within};
use super::attaching::{AttachFlags, FileName, Order, write};
use super::claims::{annotation, text};
use super::output;
use super::signing_flags::{Place, SigningFlags};
use crate::cluster::Connection;
use crate::input::Input;
use crate::store::oci::{Layout, bundle_file};

/// Largest payload of an image signature.
const LARGEST_PAYLOAD: usize = 1 << 20;

/// Sign images in a registry
///
/// Attaches a signature to each image: a layer under the tag sha256-DIGEST.sig, or a bundle that refers
/// to the image. The same signature by the same signer is attached once. Nothing is sent to a
/// transparency log or to Fulcio unless its address is given.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass sign --key cosign.key registry.example.com/team/app@sha256:...
  windlass sign --key k8s://tekton-chains/signing-secrets -a stage=prod \\
      registry.example.com/team/app:v1
  VAULT_ADDR=https://vault:8200 windlass sign --key hashivault://release --recursive \\
      registry.example.com/team/app:v1

  # without a key, as whoever an identity token names
  windlass sign --identity-token token --fulcio-url https://fulcio.example.com \\
      --rekor-url https://rekor.example.com registry.example.com/team/app:v1

  # with the log and the timestamp authority of a signing configuration
  windlass sign --key cosign.key --signing-config signing_config.json --trusted-root root.json \\
      --new-bundle-format registry.example.com/team/app:v1")]
pub(crate) struct Sign {
    #[command(flatten)]
    signing: SigningFlags,
    #[command(flatten)]
    says: SaysFlags,
    #[command(flatten)]
    attach: AttachFlags,
    #[command(flatten)]
    files: SignatureFiles,
    /// Whether the signature is attached to the image; if not, it is printed, or written to files
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    upload: bool,
    /// IMAGE@DIGEST, or IMAGE:TAG for what the tag names now
    #[arg(value_name = "IMAGE", value_parser = reference, required = true)]
    images: Vec<Reference>,
}

/// What a signature says.
#[derive(Debug, clap::Args)]
struct SaysFlags {
    /// Annotation that the signature says of the image; may be repeated
    #[arg(short, long, value_name = "KEY=VALUE", value_delimiter = ',', value_parser = annotation)]
    annotations: Vec<(String, String)>,
    /// What the signature calls the image, instead of its repository
    #[arg(long, value_name = "NAME", value_parser = text)]
    sign_container_identity: Option<String>,
    /// Payload to sign instead of one that is made; it has to name the digest of the image
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["annotations", "sign_container_identity"])]
    payload: Option<Input>,
}

/// Files that parts of a signature are written to.
#[derive(Debug, clap::Args)]
struct SignatureFiles {
    /// Write the signature to this file, in base64
    #[arg(id = "output_signature", long = "output-signature", value_name = "FILE", value_hint = ValueHint::FilePath)]
    signature: Option<PathBuf>,
    /// Write what is signed to this file
    #[arg(id = "output_payload", long = "output-payload", value_name = "FILE", value_hint = ValueHint::FilePath)]
    payload: Option<PathBuf>,
    /// Write the certificate of a signature without a key to this file, in PEM
    #[arg(id = "output_certificate", long = "output-certificate", value_name = "FILE", value_hint = ValueHint::FilePath)]
    certificate: Option<PathBuf>,
}

impl Sign {
    /// Signs each image.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let is_twice = self.says.payload == Some(Input::Stdin) && self.signing.needs_input();
        ensure!(
            !is_twice,
            "the payload is read from standard input, so the password cannot be; set COSIGN_PASSWORD"
        );
        within(
            self.attach.access.timeout(),
            Box::pin(self.sign(connection)),
        )
        .await
    }

    async fn sign(&self, connection: &Connection) -> anyhow::Result<ExitCode> {
        self.says.check(self.attach.layout())?;
        let given = self.says.given()?;
        let means = self.signing.open(self.place(), connection).await?;
        let subjects = self.attach.subjects(&self.images).await?;
        let is_one_of_many = subjects.len() > 1;
        for subject in &subjects {
            let order = Order {
                payload: self.says.payload(
                    &subject.image,
                    self.attach.layout(),
                    given.as_deref(),
                )?,
                is_uploaded: self.upload,
                is_needed: self.files.are_asked_for() || self.attach.has_output(),
                replaced: BTreeSet::new(),
            };
            let signed = self.attach.carry_out(&means, subject, order).await?;
            if let Some(signed) = signed {
                let name = FileName {
                    image: &subject.image,
                    is_one_of_many,
                };
                self.write(&signed, &name)?;
            }
        }
        self.signing.tell(&means);
        Ok(ExitCode::SUCCESS)
    }

    /// Where the signature is put.
    fn place(&self) -> Place {
        match self.attach.layout() {
            Layout::Bundle => Place::Bundle,
            Layout::Tag if self.upload => Place::Tag,
            Layout::Tag if self.attach.has_output() => Place::Bundle,
            Layout::Tag => Place::Bare,
        }
    }

    fn write(&self, signed: &Signed, name: &FileName<'_>) -> anyhow::Result<()> {
        self.attach.write_bundle(signed, name)?;
        let files = &self.files;
        let text = signed.signature_bytes().map(|bytes| STANDARD.encode(bytes));
        let text = text.context("the signature is not base64")?;
        if let Some(path) = &files.signature {
            write(&name.of(path), text.as_bytes(), "signature")?;
        }
        if let Some(path) = &files.payload {
            write(&name.of(path), &signed.payload.bytes, "payload")?;
        }
        if let Some(path) = &files.certificate {
            let path = name.of(path);
            write(
                &path,
                certificate_of(signed, &path)?.as_bytes(),
                "certificate",
            )?;
        }
        if self.upload || files.are_asked_for() || self.attach.has_output() {
            return Ok(());
        }
        match self.attach.layout() {
            Layout::Tag => output::write(text + "\n"),
            Layout::Bundle => output::write(bundle_file(signed) + "\n"),
        }
    }
}

/// The certificate of a signature, in PEM, for this file.
pub(super) fn certificate_of(signed: &Signed, path: &Path) -> anyhow::Result<String> {
    let pem = signed.identity.certificate_pem();
    ensure!(
        !pem.is_empty(),
        "there is no certificate to write to {}: it was signed with a key",
        path.display()
    );
    Ok(pem)
}

impl SignatureFiles {
    fn are_asked_for(&self) -> bool {
        let Self {
            signature,
            payload,
            certificate,
        } = self;
        [signature, payload, certificate]
            .iter()
            .any(|path| path.is_some())
    }
}

impl SaysFlags {
    fn check(&self, layout: Layout) -> anyhow::Result<()> {
        let is_of_tags = self.payload.is_some() || self.sign_container_identity.is_some();
        ensure!(
            layout == Layout::Tag || !is_of_tags,
            "bundles have a statement with the digest only; leave out --payload and \
             --sign-container-identity, or --new-bundle-format"
        );
        Ok(())
    }

    fn given(&self) -> anyhow::Result<Option<Vec<u8>>> {
        let Some(input) = &self.payload else {
            return Ok(None);
        };
        let read = input.read(LARGEST_PAYLOAD);
        read.with_context(|| format!("cannot read the payload {input}"))
            .map(Some)
    }

    fn payload(
        &self,
        image: &Image,
        layout: Layout,
        given: Option<&[u8]>,
    ) -> anyhow::Result<Payload> {
        let annotations: BTreeMap<String, String> = self.annotations.iter().cloned().collect();
        if let Some(bytes) = given {
            ensure!(
                names(bytes, image),
                "the payload is not about {image}: its critical.image.docker-manifest-digest is \
                 another one, or it is no payload of an image signature"
            );
            return Ok(Payload::about(image, Format::SimpleSigning, bytes.to_vec()));
        }
        Ok(match layout {
            Layout::Tag => {
                let identity = self.sign_container_identity.clone();
                let claims = ImageClaims {
                    identity,
                    annotations,
                };
                Payload::of_image_with(image, &claims)
            }
            Layout::Bundle => Payload::image_statement_with(image, &annotations),
        })
    }
}

/// Whether a payload is one about this image.
fn names(payload: &[u8], image: &Image) -> bool {
    let payload: Value = serde_json::from_slice(payload).unwrap_or_default();
    payload["critical"]["image"]["docker-manifest-digest"] == image.digest()
}
