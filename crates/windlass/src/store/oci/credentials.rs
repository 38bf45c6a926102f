//! Credentials of a run's service account, read from the cluster.
//!
//! In this order: the account's `secrets`, the `imagePullSecrets` of the run's pod template, those
//! of the account.

use kube::Client;
use serde::Deserialize;
use windlass_core::run::Run;
use windlass_core::terminal::quoted;
use windlass_registry::Credential;
use windlass_registry::keychain::{Account, Candidate, Secret as DockerSecret, Source};

use crate::cluster::call::{Call, CallError};
use crate::cluster::path::{ApiPath, Resource, check_name};
use crate::cluster::secret::{Secret, SecretError};

/// Account of runs that name none.
const DEFAULT: &str = "default";

/// Why it is not known which credentials there are.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    /// The API server did not answer.
    #[error("cannot read registry credentials")]
    Cluster(#[source] CallError),
    /// The API server answered with something else.
    #[error("cannot look for credentials of the registry: {0}")]
    Malformed(String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ServiceAccount {
    secrets: Option<Vec<Reference>>,
    image_pull_secrets: Option<Vec<Reference>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reference {
    name: String,
}

/// The account that a run ran under.
pub(crate) fn account(run: &Run<'_>) -> Account {
    let name = match run.service_account() {
        "" => DEFAULT,
        name => name,
    };
    Account {
        namespace: run.metadata().namespace.to_string(),
        name: name.to_owned(),
    }
}

/// Reads the sources that the cluster has for an account, with the secrets that a run names for its
/// pods.
pub(crate) async fn of_account(
    client: &Client,
    account: &Account,
    of_pods: impl Iterator<Item = &str>,
) -> Result<Vec<Source>, CredentialsError> {
    let namespace = &account.namespace;
    let mut found = Vec::new();
    let account = match check_name(&account.name) {
        Ok(()) => match service_account(client, account).await? {
            Ok(found) => found,
            Err(why) => {
                found.push(Source::Candidate(unread(account, why)));
                ServiceAccount::default()
            }
        },
        Err(error) => {
            found.push(Source::NoAccount {
                name: format!("{namespace}/{}", quoted(&account.name)),
                why: error.to_string(),
            });
            ServiceAccount::default()
        }
    };
    let names = |references: Option<Vec<Reference>>| {
        let references = references.unwrap_or_default().into_iter();
        references.map(|reference| reference.name)
    };
    let mut wanted: Vec<String> = Vec::new();
    let listed = names(account.secrets)
        .chain(of_pods.map(str::to_owned))
        .chain(names(account.image_pull_secrets));
    for name in listed.filter(|name| !name.is_empty()) {
        if !wanted.contains(&name) {
            wanted.push(name);
        }
    }
    for name in wanted {
        found.push(secret(client, namespace, &name).await?);
    }
    Ok(found)
}

/// An account whose secrets are not known, as what is reported where nobody else is let in.
fn unread(account: &Account, why: String) -> Candidate {
    let Account { namespace, name } = account;
    Candidate {
        source: format!("service account {namespace}/{name}"),
        key: None,
        credential: Credential::Unavailable(why),
    }
}

/// Why an account cannot be read, which is different from having no credentials.
pub(crate) async fn why_unreadable(client: &Client, account: &Account) -> Option<String> {
    let Account { namespace, name } = account;
    check_name(name).ok()?;
    let action = format!("read service account {namespace}/{name}");
    let path = ApiPath::within(namespace, Resource::SERVICE_ACCOUNTS).object(name);
    let error = Call::get(action, path).send(client).await.err()?;
    (error.status() != Some(404)).then(|| error.to_string())
}

/// The account as the cluster has it, or why it has no secrets: it does not exist, or may not be read.
async fn service_account(
    client: &Client,
    account: &Account,
) -> Result<Result<ServiceAccount, String>, CredentialsError> {
    let Account { namespace, name } = account;
    let action = format!("read service account {namespace}/{name}");
    let path = ApiPath::within(namespace, Resource::SERVICE_ACCOUNTS).object(name);
    match Call::get(action, path).send(client).await {
        Ok(answer) => read(&answer, &format!("service account {namespace}/{name}")).map(Ok),
        Err(error) if is_final(&error) => {
            tracing::warn!("{error}; its secrets are not used");
            Ok(Err(match error.status() {
                Some(404) => "it does not exist".to_owned(),
                _ => "it may not be read, HTTP 403".to_owned(),
            }))
        }
        Err(error) => Err(CredentialsError::Cluster(error)),
    }
}

async fn secret(client: &Client, namespace: &str, name: &str) -> Result<Source, CredentialsError> {
    if let Err(error) = check_name(name) {
        return Ok(Source::Missing {
            name: format!("{namespace}/{}", quoted(name)),
            why: error.to_string(),
        });
    }
    let full = format!("{namespace}/{name}");
    let read = Secret::read(client, namespace, name).await;
    let malformed = |why| CredentialsError::Malformed(format!("secret {full}: {why}"));
    let secret = match read {
        Ok(secret) => secret,
        Err(SecretError::Call(error)) if is_final(&error) => {
            if error.status() == Some(403) {
                tracing::warn!("{error}; it is not used");
            }
            let why = error.status().map(|status| match status {
                404 => "it does not exist".to_owned(),
                status => format!("HTTP {status}"),
            });
            let why = why.unwrap_or_default();
            return Ok(Source::Missing { name: full, why });
        }
        Err(SecretError::Call(error)) => return Err(CredentialsError::Cluster(error)),
        Err(SecretError::Malformed(why)) => return Err(malformed(why)),
    };
    let data = secret.entries().map_err(malformed)?;
    let annotations = secret.annotations();
    Ok(Source::Secret(DockerSecret {
        name: full,
        kind: secret.kind,
        data,
        annotations,
    }))
}

/// Whether the answer stays the same until somebody changes something.
fn is_final(error: &CallError) -> bool {
    matches!(error.status(), Some(403 | 404))
}

fn read<T: for<'de> Deserialize<'de>>(answer: &[u8], what: &str) -> Result<T, CredentialsError> {
    // the error is left out: it may quote a value
    serde_json::from_slice(answer)
        .map_err(|_| CredentialsError::Malformed(format!("{what} cannot be read")))
}
