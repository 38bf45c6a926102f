//! Whom a token is for.

use std::time::Duration;

/// Whom a token is for.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Who made the token, as it says.
    pub issuer: String,
    /// `sub`. That of a service account gets the URI of Kubernetes in certificates.
    pub subject: String,
    /// A verified email address, which is then the identity.
    pub email: Option<String>,
    /// How long the token is valid.
    pub lifetime: Duration,
}

impl Default for Subject {
    fn default() -> Self {
        Self {
            issuer: "https://issuer.sandbox".to_owned(),
            subject: "system:serviceaccount:tekton-chains:tekton-chains-controller".to_owned(),
            email: None,
            lifetime: Duration::from_secs(3600),
        }
    }
}

impl Subject {
    /// What a certificate names.
    pub(super) fn identity(&self) -> String {
        if let Some(email) = &self.email {
            return email.clone();
        }
        let account = self.subject.strip_prefix("system:serviceaccount:");
        match account.and_then(|account| account.split_once(':')) {
            Some((namespace, name)) => {
                format!("https://kubernetes.io/namespaces/{namespace}/serviceaccounts/{name}")
            }
            None => self.subject.clone(),
        }
    }

    /// What the proof of the key is a signature over.
    pub(super) fn challenge(&self) -> &str {
        self.email.as_deref().unwrap_or(&self.subject)
    }
}
