//! The flags on who has to have signed, and on what has to vouch for it, as cosign has them.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::ValueHint;

use super::claims::text;
use super::key;
use super::output;
use super::trusted_root::RootRef;
use crate::cluster::Connection;
use crate::inspect::verify::ExpectedSigner;
use crate::sign::reference::KeyRef;
use crate::sigstore::trust::TrustError;
use crate::sigstore::tuf::origin::Origin;
use crate::sigstore::tuf::{self, Freshness};
use crate::sigstore::{Matcher, Policy, Rule, Signatory, Verifier, WorkflowClaim};

/// Heading of the flags in the help.
pub(super) const CERTIFICATES: &str = "Certificates and logs";

/// Who has to have signed.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct SignerFlags {
    /// Key: a file, k8s://<namespace>/<secret>, env://<variable>, hashivault://<key>, or a public one
    /// at https://...
    #[arg(
        long,
        value_name = "REF",
        required_unless_present_any = ["certificate_identity", "certificate_identity_regexp"]
    )]
    key: Option<KeyRef>,
    #[command(flatten)]
    identity: IdentityFlags,
    #[command(flatten)]
    trust: TrustFlags,
}

/// Whom a certificate has to name.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct IdentityFlags {
    /// Name that the certificate must have, an e-mail address or a URI, instead of --key
    #[arg(
        long,
        value_name = "NAME",
        value_parser = text,
        conflicts_with_all = ["key", "certificate_identity_regexp"],
        help_heading = CERTIFICATES
    )]
    certificate_identity: Option<String>,
    /// The same as a regular expression, which matches anywhere in the name
    #[arg(long, value_name = "REGEXP", value_parser = pattern, conflicts_with = "key", help_heading = CERTIFICATES)]
    certificate_identity_regexp: Option<Matcher>,
    /// OIDC issuer that the certificate must have
    #[arg(
        long,
        value_name = "URL",
        value_parser = text,
        conflicts_with = "certificate_oidc_issuer_regexp",
        help_heading = CERTIFICATES
    )]
    certificate_oidc_issuer: Option<String>,
    /// The same as a regular expression
    #[arg(long, value_name = "REGEXP", value_parser = pattern, help_heading = CERTIFICATES)]
    certificate_oidc_issuer_regexp: Option<Matcher>,
    #[command(flatten)]
    workflow: WorkflowFlags,
}

/// The workflow of GitHub that signed.
#[derive(Debug, Clone, clap::Args)]
struct WorkflowFlags {
    /// Event that the GitHub workflow must have been started by
    #[arg(id = "certificate_github_workflow_trigger", long = "certificate-github-workflow-trigger", value_name = "EVENT", value_parser = text, help_heading = CERTIFICATES)]
    trigger: Option<String>,
    /// Commit that the GitHub workflow must have run on
    #[arg(id = "certificate_github_workflow_sha", long = "certificate-github-workflow-sha", value_name = "SHA", value_parser = text, help_heading = CERTIFICATES)]
    sha: Option<String>,
    /// Name that the GitHub workflow must have
    #[arg(id = "certificate_github_workflow_name", long = "certificate-github-workflow-name", value_name = "NAME", value_parser = text, help_heading = CERTIFICATES)]
    name: Option<String>,
    /// Repository of the GitHub workflow
    #[arg(id = "certificate_github_workflow_repository", long = "certificate-github-workflow-repository", value_name = "OWNER/NAME", value_parser = text, help_heading = CERTIFICATES)]
    repository: Option<String>,
    /// Git ref that the GitHub workflow must have run on
    #[arg(id = "certificate_github_workflow_ref", long = "certificate-github-workflow-ref", value_name = "REF", value_parser = text, help_heading = CERTIFICATES)]
    reference: Option<String>,
}

/// What has to vouch for a signature, and whom that is believed by.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct TrustFlags {
    /// Trusted root with the authorities and logs that are believed: a file, or
    /// k8s://<namespace>/<configmap>
    #[arg(
        long,
        value_name = "FILE|REF",
        value_hint = ValueHint::FilePath,
        conflicts_with_all = ["tuf_mirror", "tuf_root"],
        help_heading = CERTIFICATES
    )]
    trusted_root: Option<RootRef>,
    /// Do without an entry in a transparency log
    #[arg(long, visible_alias = "private-infrastructure", help_heading = CERTIFICATES)]
    insecure_ignore_tlog: bool,
    /// Do without the signed timestamp of a log of certificates (SCT)
    #[arg(long, help_heading = CERTIFICATES)]
    insecure_ignore_sct: bool,
    /// Require a timestamp of an authority (RFC 3161)
    #[arg(long, help_heading = CERTIFICATES)]
    use_signed_timestamps: bool,
    #[command(flatten)]
    origin: OriginFlags,
}

/// What a signature over a file is checked with.
pub(super) enum LogRule {
    /// A log vouches for a signature unless a flag says otherwise: that of a bundle.
    Usual,
    /// A log vouches for the signature of a key only if a trusted root is given: what clusters store has
    /// no log entry.
    IfRootIsGiven,
}

impl SignerFlags {
    /// Whether the signature of a key is enough.
    pub(super) fn is_key_alone(&self, rule: &LogRule) -> bool {
        self.key.is_some() && !self.trust.asks_for_more_than_a_key(rule)
    }

    /// Who has to have signed, with what vouches for it.
    pub(super) async fn signer(
        &self,
        rule: LogRule,
        connection: &Connection,
    ) -> anyhow::Result<ExpectedSigner> {
        let Some(reference) = &self.key else {
            return self.trust.by_name(&self.identity, connection).await;
        };
        self.identity.check_without_a_name()?;
        let key = key::public(reference, connection).await?;
        let verifier = self.trust.of_key(&rule, connection).await?;
        Ok(ExpectedSigner::Key(Box::new(key), verifier))
    }
}

impl IdentityFlags {
    /// Whether a certificate has to have a name.
    pub(super) fn names_somebody(&self) -> bool {
        self.certificate_identity.is_some() || self.certificate_identity_regexp.is_some()
    }

    /// Refuses to pass over what is asked of a certificate where a key counts and no certificate does.
    pub(super) fn check_without_a_name(&self) -> anyhow::Result<()> {
        let asks_for_certificate = self.certificate_oidc_issuer.is_some()
            || self.certificate_oidc_issuer_regexp.is_some()
            || !self.workflow.claims().is_empty();
        anyhow::ensure!(
            !asks_for_certificate,
            "--certificate-oidc-issuer and what is asked of a workflow go with \
             --certificate-identity or --certificate-identity-regexp; a key has neither, so leave \
             them out with --key"
        );
        Ok(())
    }

    fn signatory(&self) -> anyhow::Result<Signatory> {
        let one = |exact: &Option<String>, pattern: &Option<Matcher>| {
            let exact = exact.clone().map(Matcher::Exact);
            exact.or_else(|| pattern.clone())
        };
        let identity = one(
            &self.certificate_identity,
            &self.certificate_identity_regexp,
        );
        let issuer = one(
            &self.certificate_oidc_issuer,
            &self.certificate_oidc_issuer_regexp,
        );
        let identity = identity
            .context("give --key, or --certificate-identity and --certificate-oidc-issuer")?;
        let issuer = issuer.context(
            "an identity counts by the word of an issuer: give --certificate-oidc-issuer or \
             --certificate-oidc-issuer-regexp",
        )?;
        Ok(Signatory {
            identity,
            issuer,
            workflow: self.workflow.claims(),
        })
    }
}

impl WorkflowFlags {
    fn claims(&self) -> Vec<(WorkflowClaim, String)> {
        let Self {
            trigger,
            sha,
            name,
            repository,
            reference,
        } = self;
        let claims = [
            (WorkflowClaim::Trigger, trigger),
            (WorkflowClaim::Sha, sha),
            (WorkflowClaim::Name, name),
            (WorkflowClaim::Repository, repository),
            (WorkflowClaim::Ref, reference),
        ];
        let claims = claims.into_iter();
        claims
            .filter_map(|(claim, value)| Some((claim, value.clone()?)))
            .collect()
    }
}

impl TrustFlags {
    /// Whether the signature of a key is not enough.
    fn asks_for_more_than_a_key(&self, rule: &LogRule) -> bool {
        let asks_for_log = match rule {
            LogRule::Usual => true,
            LogRule::IfRootIsGiven => self.trusted_root.is_some(),
        };
        self.use_signed_timestamps || asks_for_log && !self.insecure_ignore_tlog
    }

    /// Whoever has this name by a certificate.
    pub(super) async fn by_name(
        &self,
        identity: &IdentityFlags,
        connection: &Connection,
    ) -> anyhow::Result<ExpectedSigner> {
        let signatory = identity.signatory()?;
        let verifier = self.verifier(connection).await?;
        Ok(ExpectedSigner::Certificate(Box::new(signatory), verifier))
    }

    /// What has to vouch for the signature of a key; none if the key is enough.
    pub(super) async fn of_key(
        &self,
        rule: &LogRule,
        connection: &Connection,
    ) -> anyhow::Result<Option<Arc<Verifier>>> {
        if !self.asks_for_more_than_a_key(rule) {
            if self.origin.is_given() {
                output::note(match rule {
                    LogRule::Usual => {
                        "--tuf-mirror and --tuf-root have no effect: with --insecure-ignore-tlog \
                         the key is enough"
                    }
                    LogRule::IfRootIsGiven => {
                        "--tuf-mirror and --tuf-root have no effect: the key is enough; to require \
                         a log entry as well, give the trusted root itself with --trusted-root"
                    }
                });
            }
            return Ok(None);
        }
        Ok(Some(self.verifier(connection).await?))
    }

    fn policy(&self) -> Policy {
        let unless = |waived: bool| {
            if waived { Rule::Waived } else { Rule::Required }
        };
        Policy {
            log: unless(self.insecure_ignore_tlog),
            sct: unless(self.insecure_ignore_sct),
            timestamp: unless(!self.use_signed_timestamps),
        }
    }

    async fn verifier(&self, connection: &Connection) -> anyhow::Result<Arc<Verifier>> {
        let (root, name) = if let Some(root) = &self.trusted_root {
            (root.read(connection).await?, root.to_string())
        } else {
            let origin = self.origin.origin()?;
            let fetched = tuf::trusted_root(&origin, self.origin.freshness()).await?;
            (fetched.content, format!("of {}", origin.mirror))
        };
        let verifier = Verifier::new(&root, self.policy());
        let verifier = verifier.with_context(|| format!("cannot use the trusted root {name}"))?;
        Ok(Arc::new(verifier))
    }
}

/// Where a trusted root comes from that is not given.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct OriginFlags {
    /// Mirror that the trusted root is fetched from, by The Update Framework (default: as `windlass
    /// trust initialize` was told, or else Sigstore's public one)
    #[arg(long, value_name = "URL", help_heading = CERTIFICATES)]
    tuf_mirror: Option<String>,
    /// Root of the mirror's metadata, root.json, that everything has to be signed from
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = CERTIFICATES)]
    tuf_root: Option<PathBuf>,
    /// Use the trusted root as it was last fetched, and ask nobody for it
    #[arg(long, help_heading = CERTIFICATES)]
    offline: bool,
}

impl OriginFlags {
    /// Where the trusted root comes from.
    pub(super) fn origin(&self) -> Result<Origin, TrustError> {
        tuf::place::origin(self.tuf_mirror.as_deref(), self.tuf_root.as_deref())
    }

    /// Whether one was chosen by a flag.
    fn is_given(&self) -> bool {
        self.tuf_mirror.is_some() || self.tuf_root.is_some()
    }

    /// How new it has to be.
    pub(super) fn freshness(&self) -> Freshness {
        if self.offline {
            Freshness::Offline
        } else {
            Freshness::Today
        }
    }
}

fn pattern(typed: &str) -> Result<Matcher, String> {
    Matcher::pattern(&text(typed)?)
}
