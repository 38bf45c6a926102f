//! `attest --predicate` and `--statement`: attestations of images that a person has written, as cosign
//! makes them.

use std::collections::BTreeSet;
use std::process::ExitCode;

use windlass_core::format::Format;
use windlass_core::image::Image;
use windlass_core::payload::Payload;
use windlass_registry::Reference;

use crate::cli::access::within;
use crate::cli::attaching::{AttachFlags, FileName, Order};
use crate::cli::predicate_flags::{Content, PredicateFlags};
use crate::cli::signing_flags::{Place, SigningFlags};
use crate::cluster::Connection;
use crate::input::Input;
use crate::signing::statement::Subject;
use crate::store::oci::{Layout, attestations_of_type, bundle_file};

/// An attestation of an image, as cosign makes it.
#[derive(Debug, clap::Args)]
pub(super) struct ImageAttestation {
    #[command(flatten)]
    predicate: PredicateFlags,
    /// Print the attestation instead of attaching it to the image
    #[arg(long)]
    no_upload: bool,
    /// Remove the attestations of the same type under the tag, whoever signed them
    #[arg(long, conflicts_with = "new_bundle_format")]
    replace: bool,
    #[command(flatten)]
    pub(super) signing: SigningFlags,
    #[command(flatten)]
    attach: AttachFlags,
}

impl ImageAttestation {
    /// What is read for an attestation of an image; none if it is about a run.
    pub(super) fn input(&self) -> Option<&Input> {
        self.predicate.input()
    }

    /// Where an attestation is put.
    fn place(&self) -> Place {
        match self.attach.layout() {
            Layout::Bundle => Place::Bundle,
            Layout::Tag if !self.no_upload => Place::AttestationTag {
                with_bundle: self.attach.has_output(),
            },
            Layout::Tag if self.attach.has_output() => Place::Bundle,
            Layout::Tag => Place::Bare,
        }
    }

    /// Attests each image.
    pub(super) async fn run(
        &self,
        images: &[Reference],
        connection: &Connection,
        print: impl Fn(&str) -> anyhow::Result<()>,
    ) -> anyhow::Result<ExitCode> {
        let content = self.predicate.read()?;
        let attesting = self.attest(&content, images, connection, print);
        within(self.attach.access.timeout(), Box::pin(attesting)).await
    }

    async fn attest(
        &self,
        content: &Content,
        images: &[Reference],
        connection: &Connection,
        print: impl Fn(&str) -> anyhow::Result<()>,
    ) -> anyhow::Result<ExitCode> {
        let means = self.signing.open(self.place(), connection).await?;
        let subjects = self.attach.subjects(images).await?;
        let is_one_of_many = subjects.len() > 1;
        for subject in &subjects {
            let image = &subject.image;
            let payload = payload(content, image)?;
            let mut replaced = BTreeSet::new();
            if self.replace {
                let kind = payload.predicate_type().unwrap_or_default();
                replaced = attestations_of_type(subject.target(), &kind).await?;
            }
            let order = Order {
                payload,
                is_uploaded: !self.no_upload,
                is_needed: self.attach.has_output(),
                replaced,
            };
            let signed = self.attach.carry_out(&means, subject, order).await?;
            let Some(signed) = signed else { continue };
            let name = FileName {
                image,
                is_one_of_many,
            };
            self.attach.write_bundle(&signed, &name)?;
            if self.no_upload && !self.attach.has_output() {
                let text = match self.attach.layout() {
                    Layout::Tag => String::from_utf8_lossy(&signed.signature_text()).into_owned(),
                    Layout::Bundle => bundle_file(&signed),
                };
                print(&(text + "\n"))?;
            }
        }
        self.signing.tell(&means);
        Ok(ExitCode::SUCCESS)
    }
}

/// The statement about an image.
fn payload(content: &Content, image: &Image) -> anyhow::Result<Payload> {
    let subject = Subject {
        name: image.repository(),
        algorithm: "sha256".to_owned(),
        hex: image.hex().to_owned(),
    };
    let bytes = content.about(&subject)?;
    Ok(Payload::about(image, Format::Statement, bytes))
}
