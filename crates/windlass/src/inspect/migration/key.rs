//! The signing key: which one signs, of what type it is, and whether windlass can use it.

use windlass_core::config::SignerKind;
use windlass_core::error::Chain;
use windlass_core::key::PublicKey;

use super::extent::{Cluster, Migration};
use super::finding::{Finding, Topic};
use super::settings::Settings;
use crate::cluster::secret::{Secret, SecretError};
use crate::settings::keys::SIGNING_SECRETS;
use crate::sign::entries::{COSIGN_KEY, Entries, NAMES, X509_KEY, private_key};
use crate::sign::kms;

/// The algorithm that Chains and cosign sign with in different ways.
const P384: &str = "ECDSA P-384";

/// Reads the key of the secret as the controller does, says what is odd about it, and names the key in
/// a service, which takes a login to read.
pub(super) async fn check(
    cluster: &Cluster<'_>,
    settings: &Settings,
    found: &mut Migration,
) -> Option<PublicKey> {
    let config = &settings.config;
    let public = if config.needs_secret() {
        in_secret(cluster, found).await
    } else {
        None
    };
    if config.is_keyless() {
        let address = &config.x509.fulcio_address;
        found.key = Some(format!(
            "certificates of {address}, which name the controller"
        ));
    }
    if config.signs_with(SignerKind::Kms)
        && let Ok(reference) = kms::check(&config.kms)
    {
        let known = found.key.take().map(|known| format!("{known}, and "));
        found.key = Some(format!("{}{reference}", known.unwrap_or_default()));
    }
    public
}

async fn in_secret(cluster: &Cluster<'_>, found: &mut Migration) -> Option<PublicKey> {
    let namespace = cluster.system_namespace;
    let entries = match Secret::read(cluster.client, namespace, SIGNING_SECRETS).await {
        Ok(secret) => secret.entries_of(&NAMES),
        Err(SecretError::Call(error)) if error.status() == Some(404) => {
            found.findings.push(replace(
                namespace,
                format!("secret {namespace}/{SIGNING_SECRETS} does not exist"),
                "create a key, and give its public half to those who verify".to_owned(),
            ));
            return None;
        }
        Err(error) => {
            found.unread.push(Chain(&error).to_string());
            return None;
        }
    };
    let entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            found
                .unread
                .push(format!("secret {namespace}/{SIGNING_SECRETS}: {error}"));
            return None;
        }
    };
    judge(namespace, entries, found).await
}

async fn judge(namespace: &str, entries: Entries, found: &mut Migration) -> Option<PublicKey> {
    let place = format!("secret {namespace}/{SIGNING_SECRETS}");
    let has = |name| entries.get(name).is_some_and(|value| !value.is_empty());
    let (has_x509, has_both) = (has(X509_KEY), has(X509_KEY) && has(COSIGN_KEY));
    let read = tokio::task::spawn_blocking(move || {
        private_key(&entries).map(|key| key.public_key().clone())
    });
    let public = match read.await {
        Ok(Ok(public)) => public,
        Ok(Err(error)) => {
            found.findings.push(replace(
                namespace,
                format!("{place}: {}", Chain(&error)),
                "repair it, or replace the key: nothing is signed without one".to_owned(),
            ));
            return None;
        }
        Err(error) => {
            found.unread.push(format!("{place}: {error}"));
            return None;
        }
    };
    let name = if has_x509 { X509_KEY } else { COSIGN_KEY };
    let (algorithm, id) = (public.algorithm(), public.key_id());
    found.key = Some(format!("{algorithm} in {name} ({id})"));
    if has_both {
        found.findings.push(Finding {
            topic: Topic::Key,
            cause: format!("{place} has two keys, of which {X509_KEY} signs, as in Chains"),
            remedy: format!(
                "remove the entry that does not sign: whoever verifies with the cosign.pub beside \
                 {COSIGN_KEY} has the wrong key"
            ),
            command: Some(format!(
                "kubectl edit secret {SIGNING_SECRETS} -n {namespace}"
            )),
        });
    }
    if has_x509 && algorithm == P384 {
        found.findings.push(replace(
            namespace,
            format!(
                "{place} has an {P384} key in {X509_KEY}: windlass signs with SHA-256 as Chains \
                 does, and newer versions of cosign expect SHA-384 of such a key"
            ),
            "replace it by an ECDSA P-256 key, and keep the public key for what was signed with it"
                .to_owned(),
        ));
    }
    Some(public)
}

/// A finding that a new key answers.
fn replace(namespace: &str, cause: String, remedy: String) -> Finding {
    Finding {
        topic: Topic::Key,
        cause,
        remedy,
        command: Some(format!(
            "windlass generate-key-pair k8s://{namespace}/{SIGNING_SECRETS}"
        )),
    }
}
