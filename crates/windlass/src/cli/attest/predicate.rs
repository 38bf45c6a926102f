//! `attest --predicate`: an attestation of an image that a person has written, as cosign makes it.
//!
//! Source: `pkg/cosign/attestation` of `sigstore/cosign`: which predicates are JSON, and what those of
//! the type `custom` are wrapped in.

use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use serde_json::{Value, json};
use windlass_core::dsse::{Envelope, IN_TOTO, pae};
use windlass_core::json::strict;
use windlass_registry::{Digest, Reference};

use crate::cli::access::{Access, within};
use crate::cli::output;
use crate::cli::verdict::{self, PredicateType};
use crate::inspect::input::Input;
use crate::sign::Signer;
use crate::store::oci::attach_envelope;

/// What cosign calls the type `custom`.
const CUSTOM: &str = "https://cosign.sigstore.dev/attestation/v1";
/// The type whose predicates are text.
const SPDX: &str = "https://spdx.dev/Document";
const STATEMENT: &str = "https://in-toto.io/Statement/v0.1";

/// An attestation of an image, as cosign makes it.
#[derive(Debug, clap::Args)]
pub(super) struct ImageAttestation {
    /// File with the predicate of an attestation of IMAGE, - for standard input
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, conflicts_with_all = ["run", "last"])]
    pub(super) predicate: Option<Input>,
    /// Type of that predicate: slsaprovenance, slsaprovenance1, ..., or a URI
    #[arg(
        long = "type",
        value_name = "TYPE",
        default_value = "custom",
        id = "predicate_type"
    )]
    kind: PredicateType,
    /// Print the attestation instead of attaching it to the image
    #[arg(long, requires = "predicate")]
    no_upload: bool,
    #[command(flatten)]
    access: Access,
}

impl ImageAttestation {
    /// Signs the predicate for each image and attaches it.
    pub(super) async fn run(
        &self,
        predicate: &Input,
        images: &[Reference],
        signer: &Signer,
    ) -> anyhow::Result<ExitCode> {
        let content = verdict::read(predicate, "predicate")?;
        let predicate = self.predicate_of(&content)?;
        within(self.access.timeout(), async {
            for image in images {
                self.attest(image, &predicate, signer).await?;
            }
            Ok(ExitCode::SUCCESS)
        })
        .await
    }

    async fn attest(
        &self,
        image: &Reference,
        predicate: &Value,
        signer: &Signer,
    ) -> anyhow::Result<()> {
        let found = self.access.resolve(image).await?;
        let statement = self.statement(image, &found.digest, predicate).to_string();
        let signature = signer.sign(&pae(IN_TOTO, statement.as_bytes())).await?;
        let key_id = signer.key_id();
        let envelope =
            Envelope::with_signature(IN_TOTO, statement.as_bytes(), key_id, &signature.bytes);
        if self.no_upload {
            return output::write(envelope.to_json() + "\n");
        }
        let tag =
            attach_envelope(&found.tags, &found.digest, &envelope, &signer.identity()).await?;
        output::note(&format!("Attached to {image} under {tag}"));
        Ok(())
    }

    /// What is signed of an image.
    fn statement(&self, image: &Reference, digest: &Digest, predicate: &Value) -> Value {
        json!({
            "_type": STATEMENT,
            "predicateType": self.kind.0,
            "subject": [{
                "name": image.repository.to_string(),
                "digest": { (digest.algorithm()): digest.hex() },
            }],
            "predicate": predicate,
        })
    }

    /// The predicate in a file, in the form of its type.
    fn predicate_of(&self, content: &[u8]) -> anyhow::Result<Value> {
        ensure!(!content.trim_ascii().is_empty(), "the predicate is empty");
        let text = || str::from_utf8(content).context("the predicate is not text");
        match self.kind.0.as_str() {
            CUSTOM => {
                let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                Ok(json!({ "Data": text()?, "Timestamp": now }))
            }
            SPDX if !content.trim_ascii_start().starts_with(b"{") => Ok(text()?.into()),
            _ => {
                let text = strict(content).context("the predicate is not valid JSON")?;
                serde_json::from_str(text).context("the predicate is not valid JSON")
            }
        }
    }
}
