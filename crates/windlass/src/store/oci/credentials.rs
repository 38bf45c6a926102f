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

/// Most secrets of an account and of a run together that are read.
pub(super) const SECRETS: usize = 64;
/// Most bytes of all of them: as many as a hundred credentials have.
const BYTES: usize = 256 << 10;
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
    found.extend(secrets(client, namespace, &names_of(account, of_pods)).await?);
    Ok(found)
}

/// The names of the secrets to read, in the order in which they count; one more than are read if there
/// are too many.
fn names_of<'a>(account: ServiceAccount, of_pods: impl Iterator<Item = &'a str>) -> Vec<String> {
    let names = |references: Option<Vec<Reference>>| {
        let references = references.unwrap_or_default().into_iter();
        references.map(|reference| reference.name)
    };
    let listed = names(account.secrets)
        .chain(of_pods.map(str::to_owned))
        .chain(names(account.image_pull_secrets));
    let mut wanted: Vec<String> = Vec::new();
    for name in listed.filter(|name| !name.is_empty()) {
        if wanted.len() > SECRETS {
            break;
        }
        if !wanted.contains(&name) {
            wanted.push(name);
        }
    }
    wanted
}

/// Reads secrets: as many, and as many bytes, as any registry takes. How many there are and how large
/// they are, a tenant decides.
async fn secrets(
    client: &Client,
    namespace: &str,
    names: &[String],
) -> Result<Vec<Source>, CredentialsError> {
    let mut found = Vec::new();
    let mut bytes = 0;
    let missing = |name: &str, why: String| Source::Missing {
        name: format!("{namespace}/{}", quoted(name)),
        why,
    };
    for (number, name) in names.iter().enumerate() {
        if number == SECRETS {
            let why = format!("an account and a run have more than {SECRETS} secrets together");
            found.push(missing(name, why));
            break;
        }
        let source = secret(client, namespace, name).await?;
        let size = size(&source);
        if bytes + size > BYTES {
            let why = format!("the secrets of an account have more than {BYTES} bytes together");
            found.push(missing(name, why));
            continue;
        }
        bytes += size;
        found.push(source);
    }
    Ok(found)
}

/// The bytes of a source that was read.
fn size(source: &Source) -> usize {
    let Source::Secret(secret) = source else {
        return 0;
    };
    let data = secret.data.iter();
    let data = data.map(|(name, content)| name.len() + content.len());
    let annotations = secret.annotations.iter();
    let annotations = annotations.map(|(name, text)| name.len() + text.len());
    data.chain(annotations).sum()
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
