//! The flags on who has to have signed, for verbs to which several keys may be given.

use clap::Arg;

use super::key;
use super::signer_flags::{CERTIFICATES, IdentityFlags, LogRule, TrustFlags};
use crate::cluster::Connection;
use crate::inspect::verify::ExpectedSigner;
use crate::sign::reference::KeyRef;

/// The flags that say who has to have signed, by their names in clap.
pub(super) const WHO: [&str; 3] = ["key", "certificate_identity", "certificate_identity_regexp"];

/// Whether an argument is one of [`SignersFlags`], for verbs that take them only with another flag.
pub(super) fn is_of_signers(argument: &Arg) -> bool {
    argument.get_id() == WHO[0] || argument.get_help_heading() == Some(CERTIFICATES)
}

/// Who has to have signed: whoever has one of several keys, or whom a certificate names.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct SignersFlags {
    /// Key: a file, k8s://<namespace>/<secret>, env://<variable>, hashivault://<key>, or a public one
    /// at https://...; may be repeated
    #[arg(long, value_name = "REF")]
    key: Vec<KeyRef>,
    #[command(flatten)]
    identity: IdentityFlags,
    #[command(flatten)]
    trust: TrustFlags,
}

impl SignersFlags {
    /// Whether a key or a name is given.
    pub(super) fn names_somebody(&self) -> bool {
        !self.key.is_empty() || self.identity.names_somebody()
    }

    /// Each of those that may have signed. Without a key and a name, it is these keys.
    pub(super) async fn signers(
        &self,
        usual: Vec<KeyRef>,
        connection: &Connection,
    ) -> anyhow::Result<Vec<ExpectedSigner>> {
        if self.identity.names_somebody() {
            let by_name = self.trust.by_name(&self.identity, connection).await?;
            return Ok(vec![by_name]);
        }
        let references = if self.key.is_empty() {
            usual
        } else {
            self.key.clone()
        };
        self.identity.check_without_a_name()?;
        let verifier = self
            .trust
            .of_key(&LogRule::IfRootIsGiven, connection)
            .await?;
        let mut signers = Vec::new();
        for reference in &references {
            let key = key::public(reference, connection).await?;
            signers.push(ExpectedSigner::Key(Box::new(key), verifier.clone()));
        }
        Ok(signers)
    }
}
