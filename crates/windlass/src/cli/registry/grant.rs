//! `registry grant`: adds credentials of a Docker configuration file to a service account, those of
//! the registries asked for.
//!
//! Steps 2 and 3 of the guide's section on registries: a secret, and its name in the account's
//! `imagePullSecrets`. What exists is not changed, so granting twice changes nothing.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail, ensure};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{LocalObjectReference, Secret, ServiceAccount};
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use windlass_core::terminal::quoted;
use windlass_registry::keychain::{Scope, Selection, SelectionError};
use zeroize::Zeroizing;

use crate::cli::output::{self, clean};
use crate::cli::verdict;
use crate::cluster::told::told;
use crate::cluster::{Connection, path};
use crate::input::Input;

const KIND: &str = "kubernetes.io/dockerconfigjson";
const ENTRY: &str = ".dockerconfigjson";
/// The account that the operator of OpenShift Pipelines resets.
const MANAGED: &str = "pipeline";
/// How often a write is tried that others get in the way of.
const ATTEMPTS: usize = 5;

/// Add credentials of a Docker configuration file to a service account
///
/// Writes the credentials of the registries named to a secret and adds it to the account's
/// imagePullSecrets. Creates the secret and the account if they do not exist, and leaves what else
/// the secret contains. Granting twice changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass registry grant --docker-config ~/.docker/config.json \\
      --registry registry.example.com/team -n team-a --service-account build-bot
  windlass registry check registry.example.com/team/app -n team-a --service-account build-bot")]
pub(crate) struct Grant {
    /// Docker configuration file, usually ~/.docker/config.json; - for standard input
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    docker_config: Input,
    /// Registry whose entries are copied; repeat it for several (default: the only one in the file)
    #[arg(long, value_name = "HOST[/PATH]")]
    registry: Vec<Scope>,
    /// Namespace of the account (default: that of the kubeconfig context)
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Service account of the runs
    #[arg(long, value_name = "NAME")]
    service_account: String,
    /// Secret to write the credentials to
    #[arg(long, value_name = "NAME", default_value = "registry-credentials")]
    secret: String,
}

/// Whether something had to be written.
#[derive(Clone, Copy)]
enum Change {
    Created,
    Changed,
    None,
}

impl Change {
    fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::None => "unchanged",
        }
    }
}

impl Grant {
    pub(super) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let selection = selection(&self.docker_config, &self.registry)?;
        let client = connection.connect().await?;
        let namespace = self
            .namespace
            .as_deref()
            .unwrap_or(client.default_namespace())
            .to_owned();
        let Self {
            secret,
            service_account: account,
            ..
        } = &self;
        for (what, name) in [
            ("namespace", &namespace),
            ("secret", secret),
            ("service account", account),
        ] {
            let checked = path::check_name(name);
            checked.with_context(|| format!("cannot grant anything in {what} {}", quoted(name)))?;
        }
        let keys: Vec<_> = selection.keys().collect();
        output::note(&format!(
            "copying the entries for {}",
            clean::line(&keys.join(", "))
        ));
        let change = write_secret(&client, &namespace, secret, &selection).await?;
        output::write(format!("secret/{secret} {}\n", change.word()))?;
        let change = add_to_account(&client, &namespace, account, secret).await?;
        output::write(format!("serviceaccount/{account} {}\n", change.word()))?;
        if account == MANAGED {
            output::note(&warning(&namespace, secret));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn warning(namespace: &str, secret: &str) -> String {
    format!(
        "warning: the operator of OpenShift Pipelines resets the account {MANAGED} and removes \
         {secret} from it.\n\
         Use an account of your own, and name it in the run:\n\
         \x20 windlass registry grant --docker-config FILE -n {namespace} --service-account \
         build-bot\n\
         \x20 TaskRun:      spec.serviceAccountName: build-bot\n\
         \x20 PipelineRun:  spec.taskRunTemplate.serviceAccountName: build-bot"
    )
}

/// The entries to copy.
fn selection(input: &Input, registries: &[Scope]) -> anyhow::Result<Selection> {
    let content = Zeroizing::new(verdict::read(input, "Docker configuration")?);
    let selection = Selection::of(&content, registries);
    selection.map_err(|error| match error {
        SelectionError::NoAuths | SelectionError::NoCredential | SelectionError::NoEntry { .. } => {
            anyhow!("{input} {error}{}", helper(&content))
        }
        SelectionError::Syntax | SelectionError::Ambiguous { .. } => anyhow!("{input} {error}"),
    })
}

/// What to do about a file whose credentials a program of the machine has.
fn helper(content: &[u8]) -> &'static str {
    let document: Value = serde_json::from_slice(content).unwrap_or_default();
    if document.get("credsStore").is_none() && document.get("credHelpers").is_none() {
        return "; log in to the registry first";
    }
    "; a credential helper on this machine has them, and a cluster cannot run it: log in with \
     DOCKER_CONFIG set to an empty folder and use the config.json that is written there"
}

async fn write_secret(
    client: &Client,
    namespace: &str,
    name: &str,
    selection: &Selection,
) -> anyhow::Result<Change> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let place = format!("secret {namespace}/{name}");
    let found = api
        .get_opt(name)
        .await
        .map_err(|error| anyhow!(told(&error)));
    let found = found.with_context(|| format!("cannot read {place}"))?;
    let data = |content| BTreeMap::from([(ENTRY.to_owned(), ByteString(content))]);
    let Some(found) = found else {
        let secret = Secret {
            metadata: named(name),
            type_: Some(KIND.to_owned()),
            data: Some(data(selection.to_config().into_bytes())),
            ..Secret::default()
        };
        let created = api.create(&PostParams::default(), &secret).await;
        let created = created.map_err(|error| anyhow!(told(&error)));
        created.with_context(|| format!("cannot create {place}; does the namespace exist?"))?;
        return Ok(Change::Created);
    };
    let kind = found.type_.unwrap_or_default();
    ensure!(
        kind == KIND,
        "{place} exists with the type {kind}, not {KIND}; choose another name with --secret"
    );
    let held = found.data.unwrap_or_default();
    let held = held.get(ENTRY).map_or(&b"{}"[..], |held| &held.0);
    let content = selection.added_to(held).with_context(|| {
        format!(
            "{place} exists and its {ENTRY} is no Docker configuration; choose another name with \
             --secret"
        )
    })?;
    if content == held {
        return Ok(Change::None);
    }
    let patch = json!({
        "metadata": { "resourceVersion": found.metadata.resource_version },
        "data": data(content),
    });
    let patched = api
        .patch(name, &PatchParams::default(), &Patch::Merge(&patch))
        .await;
    let patched = patched.map_err(|error| anyhow!(told(&error)));
    patched.with_context(|| format!("cannot change {place}; nothing was overwritten"))?;
    Ok(Change::Changed)
}

async fn add_to_account(
    client: &Client,
    namespace: &str,
    name: &str,
    secret: &str,
) -> anyhow::Result<Change> {
    let api: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
    let place = format!("service account {namespace}/{name}");
    let mut refused = None;
    for _ in 0..ATTEMPTS {
        match try_to_add(&api, name, secret).await {
            Ok(change) => return Ok(change),
            // somebody else wrote it in between: look again
            Err(kube::Error::Api(status)) if status.code == 409 => refused = Some(status.message),
            Err(error) => {
                return Err(anyhow!(told(&error)))
                    .with_context(|| format!("cannot change {place}"));
            }
        }
    }
    bail!(
        "cannot change {place}: others changed it {ATTEMPTS} times at the same time; run the \
         command again ({})",
        refused.unwrap_or_default()
    )
}

async fn try_to_add(
    api: &Api<ServiceAccount>,
    name: &str,
    secret: &str,
) -> Result<Change, kube::Error> {
    let reference = LocalObjectReference {
        name: secret.to_owned(),
    };
    let Some(found) = api.get_opt(name).await? else {
        let account = ServiceAccount {
            metadata: named(name),
            image_pull_secrets: Some(vec![reference]),
            ..ServiceAccount::default()
        };
        api.create(&PostParams::default(), &account).await?;
        return Ok(Change::Created);
    };
    let mut secrets = found.image_pull_secrets.unwrap_or_default();
    if secrets.contains(&reference) {
        return Ok(Change::None);
    }
    secrets.push(reference);
    let patch = json!({
        "metadata": { "resourceVersion": found.metadata.resource_version },
        "imagePullSecrets": secrets,
    });
    api.patch(name, &PatchParams::default(), &Patch::Merge(&patch))
        .await?;
    Ok(Change::Changed)
}

fn named(name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        ..ObjectMeta::default()
    }
}
