//! A key pair in a secret: the entries that cosign writes, immutable.
//!
//! A secret without a key (the operator creates one) is filled. A secret with a key is replaced on
//! request only. Every write states the version it replaces, so that one of two writers fails.

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow, bail, ensure};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use serde_json::json;

use super::files;
use super::pair::{Existing, KeyPair};
use crate::cli::output::note;
use crate::cluster::Connection;
use crate::cluster::told::{is_page, told};
use crate::local_file::PUBLIC;
use crate::sign::entries::{COSIGN_KEY, COSIGN_PASSWORD, COSIGN_PUB, NAMES, X509_KEY};
use crate::sign::reference::Location;

/// What has to be done so that the secret holds the new pair.
enum Plan {
    /// There is no secret.
    Create,
    /// There is one that may be changed.
    Fill(Box<Secret>),
    /// There is one that is immutable: it is deleted and made anew.
    Recreate(Box<Secret>),
}

/// Makes a pair, keeps it in the secret and writes its public key to `<prefix>.pub`.
pub(super) async fn generate(
    connection: &Connection,
    location: &Location,
    prefix: &str,
    existing: Existing,
) -> anyhow::Result<()> {
    let client = connection.connect().await;
    let client = client.with_context(|| format!("cannot read {location}"))?;
    let api: Api<Secret> = Api::namespaced(client, &location.namespace);
    let found = match api.get_opt(&location.name).await {
        Ok(found) => found,
        Err(error) if matches!(status(&error), Some(403)) => {
            bail!("not allowed to read {location}; ask for `get` on secrets in that namespace")
        }
        Err(error) => {
            return Err(anyhow!(told(&error))).with_context(|| format!("cannot read {location}"));
        }
    };
    let plan = plan(location, found, existing)?;
    let pair = KeyPair::generate()?;
    match plan {
        Plan::Create => create(&api, location, secret(location, entries(&pair), None)).await?,
        Plan::Fill(found) => fill(&api, location, &pair, &found).await?,
        Plan::Recreate(found) => recreate(&api, location, &pair, *found).await?,
    }
    note(&format!(
        "Successfully created secret {} in namespace {}",
        location.name, location.namespace
    ));
    let file = format!("{prefix}.pub");
    files::write(&file, pair.public.as_bytes(), PUBLIC, Existing::Replace).with_context(|| {
        format!(
            "the secret contains the new pair; print its public key with `windlass public-key \
             --key {}`",
            location.reference()
        )
    })?;
    note(&format!("Public key written to {file}"));
    Ok(())
}

fn plan(location: &Location, found: Option<Secret>, existing: Existing) -> anyhow::Result<Plan> {
    let Some(found) = found else {
        return Ok(Plan::Create);
    };
    let held = held_keys(&found);
    let immutable = found.immutable == Some(true);
    if existing == Existing::Keep {
        ensure!(
            held.is_empty(),
            "{location} contains a key already ({}) and was not changed; use --force to replace \
             it: signatures made with it then need its old public key",
            held.join(", ")
        );
        ensure!(
            !immutable,
            "{location} is empty but immutable; use --force to delete and create it again"
        );
    }
    Ok(if immutable {
        Plan::Recreate(Box::new(found))
    } else {
        Plan::Fill(Box::new(found))
    })
}

/// The entries that hold something, of those that belong to a key.
fn held_keys(secret: &Secret) -> Vec<&'static str> {
    let data = secret.data.as_ref();
    let held = |name: &&str| {
        data.and_then(|d| d.get(*name))
            .is_some_and(|v| !v.0.is_empty())
    };
    NAMES.into_iter().filter(held).collect()
}

fn entries(pair: &KeyPair) -> BTreeMap<String, ByteString> {
    let bytes = |bytes: &[u8]| ByteString(bytes.to_vec());
    BTreeMap::from([
        (COSIGN_KEY.to_owned(), bytes(pair.private.as_bytes())),
        (COSIGN_PASSWORD.to_owned(), bytes(&pair.password)),
        (COSIGN_PUB.to_owned(), bytes(pair.public.as_bytes())),
    ])
}

fn secret(
    location: &Location,
    data: BTreeMap<String, ByteString>,
    replaced: Option<Secret>,
) -> Secret {
    let mut metadata = ObjectMeta {
        name: Some(location.name.clone()),
        namespace: Some(location.namespace.clone()),
        ..ObjectMeta::default()
    };
    let mut all = BTreeMap::new();
    let mut kind = None;
    if let Some(replaced) = replaced {
        metadata.labels = replaced.metadata.labels;
        metadata.annotations = replaced.metadata.annotations;
        metadata.owner_references = replaced.metadata.owner_references;
        all = replaced.data.unwrap_or_default();
        kind = replaced.type_;
        // the controller would go on using it
        all.remove(X509_KEY);
    }
    all.extend(data);
    Secret {
        metadata,
        data: Some(all),
        immutable: Some(true),
        type_: kind,
        ..Secret::default()
    }
}

async fn create(api: &Api<Secret>, location: &Location, secret: Secret) -> anyhow::Result<()> {
    match api.create(&PostParams::default(), &secret).await {
        Ok(_) => Ok(()),
        Err(error) if status(&error) == Some(409) => {
            bail!("{location} was created by somebody else just now; nothing was overwritten")
        }
        Err(error) if status(&error) == Some(404) => {
            bail!("cannot create {location}: the namespace does not exist")
        }
        Err(error) => {
            Err(anyhow!(told(&error))).with_context(|| format!("cannot create {location}"))
        }
    }
}

async fn fill(
    api: &Api<Secret>,
    location: &Location,
    pair: &KeyPair,
    found: &Secret,
) -> anyhow::Result<()> {
    let mut data = serde_json::to_value(entries(pair)).context("cannot encode the secret")?;
    if found
        .data
        .as_ref()
        .is_some_and(|data| data.contains_key(X509_KEY))
    {
        data[X509_KEY] = serde_json::Value::Null;
    }
    let patch = json!({
        "metadata": { "resourceVersion": found.metadata.resource_version },
        "data": data,
        "immutable": true,
    });
    match api
        .patch(
            &location.name,
            &PatchParams::default(),
            &Patch::Merge(&patch),
        )
        .await
    {
        Ok(_) => Ok(()),
        Err(error) if status(&error) == Some(409) => {
            bail!("{location} was changed by somebody else just now; nothing was overwritten")
        }
        Err(error) => {
            Err(anyhow!(told(&error))).with_context(|| format!("cannot write {location}"))
        }
    }
}

async fn recreate(
    api: &Api<Secret>,
    location: &Location,
    pair: &KeyPair,
    found: Secret,
) -> anyhow::Result<()> {
    note(&format!(
        "{location} is immutable: deleting and creating it again"
    ));
    let exactly = Preconditions {
        uid: found.metadata.uid.clone(),
        resource_version: found.metadata.resource_version.clone(),
    };
    let delete = DeleteParams {
        preconditions: Some(exactly),
        ..DeleteParams::default()
    };
    match api.delete(&location.name, &delete).await {
        Ok(_) => {}
        Err(error) if status(&error) == Some(409) => {
            bail!("{location} was changed by somebody else just now; nothing was overwritten")
        }
        Err(error) => {
            return Err(anyhow!(told(&error))).with_context(|| format!("cannot delete {location}"));
        }
    }
    create(api, location, secret(location, entries(pair), Some(found)))
        .await
        .context(
            "the old secret was deleted, but the new one was not created; run the command again",
        )
}

/// The HTTP status of a refusal.
fn status(error: &kube::Error) -> Option<u16> {
    match error {
        kube::Error::Api(status) if !is_page(&status.message) => Some(status.code),
        _ => None,
    }
}
