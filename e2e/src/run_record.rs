//! What a controller left on a run, and whether cosign accepts it.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::parts::Cosign;
use crate::shell::Shell;

/// Bound on a wait.
const LIMIT: Duration = Duration::from_secs(60);
/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(200);
/// Prefix of the annotations.
const PREFIX: &str = "chains.tekton.dev/";

/// A run read back from the cluster.
#[derive(Debug, Clone)]
pub struct RunRecord(Value);

impl RunRecord {
    /// Reads one task run.
    pub fn get(shell: &Shell, name: &str) -> Result<Self> {
        Self::of(shell, &format!("taskrun/{name}"))
    }

    /// Reads one run, named as kubectl does: `pipelinerun/NAME`.
    pub fn of(shell: &Shell, which: &str) -> Result<Self> {
        let text = shell.ok(&format!("kubectl get {which} -o json"))?;
        Ok(Self(serde_json::from_str(&text)?))
    }

    /// Reads one task run again and again until this is true of it.
    pub fn wait(shell: &Shell, name: &str, what: &str, is: impl Fn(&Self) -> bool) -> Result<Self> {
        let start = Instant::now();
        loop {
            let run = Self::get(shell, name)?;
            if is(&run) {
                return Ok(run);
            }
            let reason = run.annotation("reason");
            ensure!(
                start.elapsed() < LIMIT,
                "run {name} {what} not within {LIMIT:?}; its reason is {reason:?}"
            );
            sleep(PAUSE);
        }
    }

    /// Reads every task run of the namespace.
    pub fn all(shell: &Shell) -> Result<Vec<Self>> {
        let list: Value = serde_json::from_str(&shell.ok("kubectl get taskruns -o json")?)?;
        let items = list["items"].as_array().context("a list without items")?;
        Ok(items.iter().cloned().map(Self).collect())
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.metadata("name")
    }

    /// `metadata.uid`.
    pub fn uid(&self) -> &str {
        self.metadata("uid")
    }

    /// When it was written last, in the order of all writes to the cluster.
    pub fn written(&self) -> Result<u64> {
        let version = self.resource_version();
        version
            .parse()
            .with_context(|| format!("not a version of etcd: {version:?}"))
    }

    /// `metadata.resourceVersion`: the same as before means nothing was written since.
    pub fn resource_version(&self) -> &str {
        self.metadata("resourceVersion")
    }

    /// The annotation `chains.tekton.dev/<name>`; empty when absent.
    pub fn annotation(&self, name: &str) -> &str {
        self.0["metadata"]["annotations"][format!("{PREFIX}{name}")]
            .as_str()
            .unwrap_or_default()
    }

    /// How many annotations of the controller begin with `chains.tekton.dev/<name>`.
    pub fn count(&self, name: &str) -> usize {
        let prefix = format!("{PREFIX}{name}");
        let annotations = self.0["metadata"]["annotations"].as_object();
        annotations.map_or(0, |all| {
            all.keys().filter(|key| key.starts_with(&prefix)).count()
        })
    }

    /// Whether the controller's finalizer is on the run.
    pub fn has_finalizer(&self) -> bool {
        let finalizers = self.0["metadata"]["finalizers"].as_array();
        finalizers.is_some_and(|all| {
            let mut names = all.iter().filter_map(Value::as_str);
            names.any(|name| name.starts_with(PREFIX))
        })
    }

    /// The bytes that were signed.
    pub fn payload(&self) -> Result<Vec<u8>> {
        self.decoded("payload")
    }

    /// The signature, or the envelope when the format is an in-toto one.
    pub fn signature(&self) -> Result<Vec<u8>> {
        self.decoded("signature")
    }

    /// Whether the payload is an in-toto statement (signed in an envelope) rather than a status.
    pub fn is_statement(&self) -> Result<bool> {
        let payload: Value = serde_json::from_slice(&self.payload()?)?;
        Ok(payload.get("_type").is_some())
    }

    /// The certificate of the signature, PEM.
    pub fn certificate(&self) -> Result<Vec<u8>> {
        self.decoded("cert")
    }

    /// The certificates up to the root, PEM.
    pub fn chain(&self) -> Result<Vec<u8>> {
        self.decoded("chain")
    }

    /// Whether cosign verifies the run with the public key in the file `key`.
    pub fn verifies(&self, shell: &Shell, cosign: Cosign, key: &str) -> Result<bool> {
        shell.write("check.payload", self.payload()?)?;
        shell.write(
            "check.signature",
            self.annotation(&self.of_run("signature")),
        )?;
        shell.write("check.envelope", self.signature()?)?;
        let flags = cosign.verify_flags();
        let line = if self.is_statement()? {
            format!(
                "cosign verify-blob-attestation {flags}--key {key} --signature check.envelope \
                 --type slsaprovenance --check-claims=false /dev/null"
            )
        } else {
            format!(
                "cosign verify-blob {flags}--key {key} --signature check.signature check.payload"
            )
        };
        Ok(shell.run(&line)?.code == 0)
    }

    fn metadata(&self, field: &str) -> &str {
        self.0["metadata"][field].as_str().unwrap_or_default()
    }

    fn of_run(&self, what: &str) -> String {
        let kind = self.0["kind"].as_str().unwrap_or("TaskRun");
        format!("{what}-{}-{}", kind.to_lowercase(), self.uid())
    }

    fn decoded(&self, what: &str) -> Result<Vec<u8>> {
        let text = self.annotation(&self.of_run(what));
        ensure!(
            !text.is_empty(),
            "run {} has no {what} annotation",
            self.name()
        );
        STANDARD
            .decode(text)
            .with_context(|| format!("the {what} of run {}", self.name()))
    }
}

/// Which of two public keys verifies the run; an error unless it is exactly one.
pub fn key_of<'a>(
    run: &RunRecord,
    shell: &Shell,
    cosign: Cosign,
    [old, new]: [&'a str; 2],
) -> Result<&'a str> {
    let verified = [
        run.verifies(shell, cosign, old)?,
        run.verifies(shell, cosign, new)?,
    ];
    match verified {
        [true, false] => Ok(old),
        [false, true] => Ok(new),
        [both, _] => anyhow::bail!(
            "run {} verifies with {} of the two keys",
            run.name(),
            if both { "each" } else { "none" }
        ),
    }
}
