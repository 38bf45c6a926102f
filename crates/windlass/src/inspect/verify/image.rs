//! Verification of an image: reads the signatures and attestations attached to it, and checks each.

use futures::{StreamExt, TryStreamExt, stream};
use windlass_core::format::IMAGE_PREDICATE;
use windlass_core::verify::{self, Claim, Expected, Outcome};
use windlass_registry::{Digest, Name, Reference, Remote, Repository};

use super::Asked;
use super::report::{Checked, Report, What};
use crate::cli::output::clean;
use crate::store::oci::attached::{self, Evidence, Place};
use crate::store::oci::{Exemptions, open};

/// How much is read at once of what is attached to an image.
const AT_ONCE: usize = 8;

/// Options for access to registries.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Access {
    /// Repository with the tags of signatures and attestations (default: the image's)
    #[arg(long, env = "COSIGN_REPOSITORY", value_name = "REPOSITORY", value_parser = repository)]
    signature_repository: Option<Repository>,
    /// Skip the certificate check of the registry
    #[arg(long)]
    allow_insecure_registry: bool,
    /// Use plain HTTP if the registry has no TLS
    #[arg(long)]
    allow_http_registry: bool,
}

fn repository(text: &str) -> Result<Repository, String> {
    Repository::parse(text).map_err(|error| error.to_string())
}

/// An image, and where its signatures and attestations are.
pub(crate) struct Found {
    /// Its repository.
    pub(crate) remote: Remote,
    /// Where its tags are.
    pub(crate) tags: Remote,
    /// Its digest.
    pub(crate) digest: Digest,
}

impl Access {
    /// Opens the way to an image and finds out its digest.
    pub(crate) async fn find(&self, image: &Reference) -> anyhow::Result<Found> {
        let remote = self.open(&image.repository).await?;
        let tags = match &self.signature_repository {
            Some(other) => self.open(other).await?,
            None => remote.clone(),
        };
        let digest = match &image.digest {
            Some(digest) => digest.clone(),
            None => digest_of(&remote, &image.name()).await?,
        };
        Ok(Found {
            remote,
            tags,
            digest,
        })
    }

    #[expect(clippy::print_stderr, reason = "the command line talks to a person")]
    async fn open(&self, repository: &Repository) -> anyhow::Result<Remote> {
        let exemptions = Exemptions {
            certificate: self.allow_insecure_registry,
            plain_http: self.allow_http_registry,
        };
        let (remote, warnings) = open(repository.clone(), exemptions).await?;
        for warning in warnings {
            eprintln!("warning: {warning}");
        }
        Ok(remote)
    }
}

async fn digest_of(remote: &Remote, name: &Name) -> anyhow::Result<Digest> {
    let found = remote.head_manifest(name).await?;
    let found = found.map(|found| found.digest);
    found.ok_or_else(|| anyhow::anyhow!("{name} was not found in {}", remote.repository()))
}

/// Checks everything that is attached to the image.
pub(crate) async fn verify(
    image: &Reference,
    access: &Access,
    asked: &Asked,
) -> anyhow::Result<Report> {
    let found = access.find(image).await?;
    let digest = found.digest.as_str().to_owned();
    let mut report = asked.report(image.to_string(), Some(digest));
    let attached = attached::list(&found.remote, &found.tags, &found.digest).await?;
    let reads: Vec<_> = attached
        .iter()
        .map(|one| {
            let remote = match &one.place {
                Place::Tag(_) => &found.tags,
                Place::Referrer(_) => &found.remote,
            };
            one.read(remote, &found.digest)
        })
        .collect();
    let read: Vec<Evidence> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    for (one, evidence) in attached.iter().zip(read) {
        let place = format!("{}, {}", one.place, one.descriptor.digest);
        report.add(check(evidence, place, &found.digest, asked));
    }
    report.decide_by_one(asked.needs_attestation());
    Ok(report)
}

fn check(evidence: Evidence, place: String, digest: &Digest, asked: &Asked) -> Checked {
    let mut checked = Checked {
        what: What::Attestation,
        place,
        outcome: Outcome::default(),
        envelope: None,
    };
    match evidence {
        Evidence::Signature { payload, signature } => {
            checked.what = What::Signature;
            checked.outcome =
                verify::image_signature(&payload, &signature, &asked.key, Some(digest.as_str()));
        }
        Evidence::Statement(envelope) => {
            let about = Expected {
                subject: Some(Claim {
                    algorithm: digest.algorithm().to_owned(),
                    digest: digest.hex().to_owned(),
                }),
                ..Expected::default()
            };
            let outcome = verify::attestation(&envelope, &asked.key, &about);
            if outcome.predicate_type.as_deref() == Some(IMAGE_PREDICATE) {
                checked.what = What::Signature;
                checked.outcome = outcome;
            } else {
                let expected = Expected {
                    subject: about.subject,
                    ..asked.expected.clone()
                };
                checked.outcome = verify::attestation(&envelope, &asked.key, &expected);
            }
            checked.envelope = Some(envelope);
        }
        Evidence::Damaged(why) => checked.outcome = Outcome::failed(why),
        Evidence::Other(kind) => {
            checked.what = What::Other;
            checked.outcome = Outcome::failed(format!(
                "skipped: {} is not a signature or attestation",
                clean::short(&kind)
            ));
        }
    }
    checked
}
