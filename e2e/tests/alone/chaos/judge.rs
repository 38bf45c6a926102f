//! What has to be so in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use windlass_core::dsse::Envelope;
use windlass_core::key::PublicKey;
use windlass_e2e::Api;
use windlass_e2e::plan::RunPlan;

use super::storm::Storm;

/// Prefix of the annotations.
const PREFIX: &str = "chains.tekton.dev/";
/// How long the last runs may take when everything works again, and how many more there may be for
/// each further second.
const LIMIT: Duration = Duration::from_secs(300);
const RUNS_A_SECOND: u64 = 10;
/// How long nothing is read after the runs were read, in times of what reading them took.
const READING: u32 = 5;
/// Images that the command line verifies.
const SAMPLE: usize = 4;

/// Waits until every run is marked.
pub(crate) fn all_is_signed(storm: &Storm<'_>, plans: &[RunPlan]) -> Result<()> {
    let (begun, count) = (Instant::now(), u64::try_from(plans.len())?);
    let limit = LIMIT + Duration::from_secs(count / RUNS_A_SECOND);
    loop {
        let asked = Instant::now();
        let runs = runs(storm)?;
        let waits = |run: &&Value| annotation(run, "signed") != Some("true");
        let waiting: Vec<&Value> = runs.iter().filter(waits).collect();
        if waiting.is_empty() {
            ensure!(runs.len() == plans.len(), "{} runs exist", runs.len());
            return Ok(());
        }
        ensure!(
            begun.elapsed() < limit,
            "{} of {} runs are not signed, such as {:#}\n{}",
            waiting.len(),
            plans.len(),
            waiting[0]["metadata"],
            said_of(storm, &waiting[0]["metadata"]["name"])?
        );
        // reading all runs is work that the controllers have to wait for
        sleep((asked.elapsed() * READING).max(Duration::from_secs(1)));
    }
}

/// The lines of the logs that name a run.
fn said_of(storm: &Storm<'_>, run: &Value) -> Result<String> {
    let name = format!("/{}\"", run.as_str().unwrap_or_default());
    let mut said = Vec::new();
    for command in &storm.commands {
        let log = command.log()?;
        let lines = log.lines().filter(|line| line.contains(&name));
        said.extend(lines.map(|line| format!("{}: {line}", command.name)));
    }
    Ok(said.join("\n"))
}

fn runs(storm: &Storm<'_>) -> Result<Vec<Value>> {
    let kubeconfig = storm.kubeconfig();
    tokio::runtime::Runtime::new()?.block_on(async {
        let api = Api::connect(&kubeconfig).await?;
        api.list("/apis/tekton.dev/v1/taskruns").await
    })
}

/// Every run, image and log is as it has to be; gives what there is to tell of them.
pub(crate) fn all_is_valid(storm: &Storm<'_>, plans: &[RunPlan]) -> Result<String> {
    let keys = keys(storm)?;
    let runs = runs(storm)?;
    let mut signed_by = BTreeMap::<String, usize>::new();
    for run in &runs {
        let name = run["metadata"]["name"].as_str().context("no name")?;
        let key = run_is_valid(run, &keys).with_context(|| format!("run {name}"))?;
        signed_by.insert(name.to_owned(), key);
    }
    let images = images_are_valid(storm, plans, &keys, &signed_by)?;
    command_line_agrees(storm, plans)?;
    nothing_secret_was_said(storm)?;
    Ok(images)
}

fn keys(storm: &Storm<'_>) -> Result<Vec<PublicKey>> {
    let keys = storm
        .keys
        .iter()
        .map(|name| Ok(PublicKey::from_pem(&storm.shell.read(name)?)?));
    keys.collect()
}

fn annotation<'r>(run: &'r Value, name: &str) -> Option<&'r str> {
    run["metadata"]["annotations"][format!("{PREFIX}{name}")].as_str()
}

/// One signature over this run, by one key, which is given; no finalizer.
fn run_is_valid(run: &Value, keys: &[PublicKey]) -> Result<usize> {
    let uid = run["metadata"]["uid"].as_str().context("no uid")?;
    let annotations = run["metadata"]["annotations"]
        .as_object()
        .context("no annotations")?;
    let prefix = format!("{PREFIX}signature-taskrun-");
    let signatures = annotations
        .keys()
        .filter(|name| name.starts_with(&prefix))
        .count();
    ensure!(signatures == 1, "{signatures} signatures");
    let finalizers = &run["metadata"]["finalizers"];
    ensure!(finalizers.is_null(), "a finalizer is left: {finalizers}");
    let envelope = annotation(run, &format!("signature-taskrun-{uid}")).context("another uid")?;
    let (key, payload) = opened(&STANDARD.decode(envelope)?, keys)?;
    let statement: Value = serde_json::from_slice(&payload)?;
    let text = statement.to_string();
    let folder = run["spec"]["params"][0]["value"]
        .as_str()
        .context("no param")?;
    ensure!(
        text.contains(&format!("\"{folder}\"")),
        "the statement of another run: {text}"
    );
    Ok(key)
}

/// Which key verifies an envelope, and what is in it. No two keys verify the same signature.
fn opened(envelope: &[u8], keys: &[PublicKey]) -> Result<(usize, Vec<u8>)> {
    let envelope = Envelope::from_json(envelope)?;
    let mut verified = keys.iter().enumerate().filter_map(|(number, key)| {
        let verified = envelope.verify(key).ok()?;
        Some((number, verified.payload.clone()))
    });
    verified.next().context("no key verifies it")
}

/// Every image has a signature and an attestation, each once for each key that signed its run; gives
/// how many there are of each kind.
fn images_are_valid(
    storm: &Storm<'_>,
    plans: &[RunPlan],
    keys: &[PublicKey],
    signed_by: &BTreeMap<String, usize>,
) -> Result<String> {
    let mut counts = BTreeMap::<_, usize>::new();
    for plan in plans {
        let Some((_, digest)) = &plan.image else {
            continue;
        };
        let repository = format!("{}/app", plan.namespace);
        let layers = |suffix: &str| {
            let tag = format!("{}.{suffix}", digest.replace(':', "-"));
            let manifest = storm.registry.manifest(&repository, &tag)?;
            keys_of_layers(storm, &manifest, keys).with_context(|| format!("{repository}:{tag}"))
        };
        let run = signed_by.get(&plan.name).copied();
        let run = run.with_context(|| format!("{} is missing", plan.name))?;
        let by = (run, layers("sig")?, layers("att")?);
        // what an earlier key has pushed before the key was changed stays; a later key has no say
        let is_by_run = |by: &BTreeSet<usize>| by.last() == Some(&run);
        ensure!(
            is_by_run(&by.1) && is_by_run(&by.2),
            "{}: {by:?}",
            plan.name
        );
        *counts.entry(by).or_default() += 1;
    }
    let lines = counts
        .into_iter()
        .map(|((run, signature, attestation), count)| {
            format!(
                "{count} images of runs signed by key {run}: signed by {signature:?}, attested by \
             {attestation:?}\n"
            )
        });
    Ok(lines.collect())
}

/// The keys that layers are by, each of which no other layer is by.
fn keys_of_layers(
    storm: &Storm<'_>,
    manifest: &Value,
    keys: &[PublicKey],
) -> Result<BTreeSet<usize>> {
    let layers = manifest["layers"].as_array().context("no layers")?;
    ensure!(!layers.is_empty(), "no layer");
    let mut by = BTreeSet::new();
    for layer in layers {
        let digest = layer["digest"].as_str().context("no digest")?;
        let content = storm.registry.blob(digest)?;
        let signature = layer["annotations"]["dev.cosignproject.cosign/signature"].as_str();
        let key = match signature.unwrap_or_default() {
            "" => opened(&content, keys)?.0,
            text => {
                let signature = STANDARD.decode(text)?;
                let verifies = |key: &PublicKey| key.verify(&content, &signature).is_ok();
                let key = keys.iter().position(verifies);
                key.context("no key verifies it")?
            }
        };
        ensure!(by.insert(key), "two layers by one key: {manifest:#}");
    }
    Ok(by)
}

/// The seals of all runs, and what is in the registry for some.
fn command_line_agrees(storm: &Storm<'_>, plans: &[RunPlan]) -> Result<()> {
    let keys = storm.keys.iter().map(|key| format!("--key {key}"));
    let keys = keys.collect::<Vec<_>>().join(" ");
    storm.shell.ok(&format!(
        "windlass audit -A --verify {keys} -o json > audit.json"
    ))?;
    let login = storm.registry.docker_config_at(&storm.registry_address());
    storm.shell.write("config.json", login)?;
    let folder = storm.shell.folder().display().to_string();
    let shell = storm.shell.clone().with("DOCKER_CONFIG", &folder);
    for (repository, digest) in plans
        .iter()
        .filter_map(|plan| plan.image.as_ref())
        .take(SAMPLE)
    {
        let check = |key: &String| {
            let line = format!("windlass verify --key {key} {repository}@{digest}");
            Ok(shell.run(&line)?.code == 0)
        };
        let verified: Vec<bool> = storm.keys.iter().map(check).collect::<Result<_>>()?;
        ensure!(
            verified.contains(&true),
            "no key verifies {repository}@{digest}"
        );
    }
    Ok(())
}

/// No log has a password, a token or a key in it.
fn nothing_secret_was_said(storm: &Storm<'_>) -> Result<()> {
    for command in &storm.commands {
        let log = command.log()?;
        ensure!(
            log.contains("signed"),
            "{} has signed nothing",
            command.name
        );
        for secret in &storm.secrets {
            let found = log.lines().find(|line| line.contains(secret.as_str()));
            ensure!(found.is_none(), "a secret is in a log: {found:?}");
        }
    }
    Ok(())
}
