//! The flags that name the namespace of the controller, as every verb has them, and where it is if
//! nobody names it.

use kube::Client;
use serde::Deserialize;
use windlass_core::config::CHAINS_CONFIG;

use super::output::{self, clean};
use crate::cluster::call::Call;
use crate::cluster::path::{ApiPath, Resource};

/// Where Tekton Chains is installed if nobody says otherwise.
pub(crate) const DEFAULT: &str = "tekton-chains";
/// Namespaces that installations of Chains have, which no tenant makes for itself.
const KNOWN: [&str; 3] = [DEFAULT, "openshift-pipelines", "tekton-pipelines"];
/// Most namespaces that are named.
const MOST: usize = 5;

/// Where the settings are, for a verb whose `-n` is the namespace of runs.
#[derive(Debug, clap::Args)]
pub(crate) struct OfSettings {
    /// Namespace of chains-config and signing-secrets (default: the one that has chains-config)
    #[arg(long, env = "SYSTEM_NAMESPACE", value_name = "NAMESPACE")]
    system_namespace: Option<String>,
}

/// Where the controller is, for a verb about an installation.
#[derive(Debug, clap::Args)]
pub(crate) struct OfController {
    /// Namespace of the controller (default: the one that has chains-config)
    #[arg(short, long, env = "SYSTEM_NAMESPACE", value_name = "NAMESPACE")]
    namespace: Option<String>,
}

/// A namespace, and why it is that one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SystemNamespace {
    pub(crate) name: String,
    /// Somebody named it, or it is one of [`KNOWN`]: its secrets are those of the installation.
    pub(crate) is_certain: bool,
}

impl OfSettings {
    /// The namespace that was named.
    pub(crate) fn named(&self) -> Option<&str> {
        self.system_namespace
            .as_deref()
            .filter(|name| !name.is_empty())
    }

    /// The namespace that was named, or else is found on the cluster.
    pub(crate) async fn find(&self, client: &Client) -> anyhow::Result<SystemNamespace> {
        find(self.named(), client, "--system-namespace").await
    }
}

/// The namespace of `signing-secrets` that was named, or else is found on the cluster. Whoever may make a
/// ConfigMap anywhere would choose the key, so one that no installation of Chains has is refused.
pub(crate) async fn of_secrets(named: Option<&str>, client: &Client) -> anyhow::Result<String> {
    const FLAG: &str = "--chains-namespace";
    let named = named.filter(|name| !name.is_empty());
    find(named, client, FLAG).await?.certain(FLAG)
}

impl SystemNamespace {
    /// The name, if its key may be trusted; `flag` is where somebody can name it.
    pub(crate) fn certain(&self, flag: &str) -> anyhow::Result<String> {
        let name = &self.name;
        anyhow::ensure!(
            self.is_certain,
            "{CHAINS_CONFIG} is in namespace {name}, which no installation of Chains has; name it with \
             {flag} to trust its key, or give one with --key"
        );
        Ok(name.clone())
    }
}

impl OfController {
    /// The namespace that was named, or else is found on the cluster.
    pub(crate) async fn find(&self, client: &Client) -> anyhow::Result<SystemNamespace> {
        let named = self.namespace.as_deref().filter(|name| !name.is_empty());
        find(named, client, "-n").await
    }
}

/// The only namespace that has `chains-config`. Where nobody may look for it, or there is none, it is
/// the one of Chains; if there are several, somebody has to choose.
async fn find(named: Option<&str>, client: &Client, flag: &str) -> anyhow::Result<SystemNamespace> {
    if let Some(name) = named {
        return Ok(SystemNamespace {
            name: name.to_owned(),
            is_certain: true,
        });
    }
    // whatever prevents it prevents what follows, which says so
    let found = holders(client).await.unwrap_or_default();
    let name = match &found[..] {
        [] => DEFAULT,
        [one] => one,
        several => {
            let listed: Vec<_> = several
                .iter()
                .take(MOST)
                .map(|name| clean::line(name))
                .collect();
            anyhow::bail!(
                "{CHAINS_CONFIG} exists in {}; choose a namespace with {flag} or SYSTEM_NAMESPACE",
                listed.join(" and ")
            );
        }
    };
    if name != DEFAULT {
        output::note(&format!("using {CHAINS_CONFIG} of namespace {name}"));
    }
    Ok(SystemNamespace {
        name: name.to_owned(),
        is_certain: KNOWN.contains(&name),
    })
}

#[derive(Deserialize)]
struct Maps {
    items: Vec<Map>,
}

#[derive(Deserialize)]
struct Map {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: String,
}

/// The namespaces that have the ConfigMap.
async fn holders(client: &Client) -> anyhow::Result<Vec<String>> {
    let selector = format!("metadata.name={CHAINS_CONFIG}");
    let path = ApiPath::all(Resource::CONFIG_MAPS)
        .query(&[("fieldSelector", &selector), ("limit", "100")]);
    let list = Call::get(format!("look for {CHAINS_CONFIG}"), path)
        .send(client)
        .await?;
    let Maps { items } = serde_json::from_slice(&list)?;
    let metadata = items.into_iter().map(|map| map.metadata);
    let holders = metadata.filter(|one| one.name == CHAINS_CONFIG);
    Ok(holders.map(|one| one.namespace).collect())
}
