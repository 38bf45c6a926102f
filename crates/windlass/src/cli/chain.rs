//! `chain`: prints what was signed for a task run, and the signature, as `tkn chain` did.
//!
//! They are read from the annotations of the run. What is stored with an image instead is shown by
//! `windlass download` and `windlass verify`.

use std::process::ExitCode;

use anyhow::bail;
use windlass_core::run::{Kind, Run};

use super::key;
use super::namespaces;
use super::output;
use super::target::{Last, run_on_cluster, targets};
use crate::cluster::Connection;
use crate::inspect::on_cluster;
use crate::inspect::verify::{VerifyRequest, run};
use crate::sign::reference::KeyRef;
use crate::store::Wanted;
use crate::store::evidence::{Evidence, Found};

/// Print the payload or the signature that is stored on a run
#[derive(Debug, clap::Args)]
#[command(
    alias = "chains",
    after_help = "Examples:
  windlass chain payload build-7x2kq | jq .
  windlass chain signature build-7x2kq -n team-a
  windlass chain payload -S pipelinerun/release"
)]
pub(crate) struct Chain {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Print what was signed for a run, if the signature is valid
    ///
    /// Exit status: 0 printed, 1 the signature is not valid, 2 it could not be read.
    #[command(after_help = "Examples:
  windlass chain payload build-7x2kq | jq .
  windlass chain payload --last
  windlass chain payload -S pipelinerun/release")]
    Payload(Payload),
    /// Print the signature of a run: the envelope, or base64 for the format tekton
    #[command(after_help = "Examples:
  windlass chain signature build-7x2kq -n team-a
  windlass chain signature --last")]
    Signature(Signature),
}

/// Which run.
#[derive(Debug, clap::Args)]
struct Which {
    /// NAME of a task run, taskrun/NAME, pipelinerun/NAME, or KIND NAME
    #[arg(value_name = "RUN", num_args = 1..=2, required_unless_present = "last")]
    run: Vec<String>,
    /// The run created last in the namespace
    #[arg(short = 'L', long)]
    last: bool,
    /// Namespace of the run (default: that of the kubeconfig context)
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Payload {
    #[command(flatten)]
    which: Which,
    /// Print it without verifying the signature
    #[arg(short = 'S', long)]
    skip_verify: bool,
    /// Public key (default: signing-secrets of --chains-namespace)
    #[arg(long, value_name = "REF", conflicts_with = "skip_verify")]
    key: Option<KeyRef>,
    /// Namespace of signing-secrets (default: the one that has chains-config)
    #[arg(long, env = "SYSTEM_NAMESPACE", value_name = "NAMESPACE")]
    chains_namespace: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Signature {
    #[command(flatten)]
    which: Which,
    /// Taken as tkn does; the signature is printed as it is stored
    #[arg(long, hide = true, value_name = "NAMESPACE")]
    chains_namespace: Option<String>,
}

impl Chain {
    /// Prints it.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let which = match &self.verb {
            Verb::Payload(verb) => &verb.which,
            Verb::Signature(verb) => &verb.which,
        };
        let words = match &which.run[..] {
            // tkn's spelling, in which a name is that of a task run
            [name] if !which.last && !name.contains('/') => {
                vec![format!("{}/{name}", Kind::Task.singular())]
            }
            words => words.to_vec(),
        };
        let last = Last::from(which.last);
        let target = match &targets(&words, last).map_err(anyhow::Error::msg)?[..] {
            [one] => one.clone(),
            _ => bail!("name one run"),
        };
        let client = connection.connect().await?;
        let namespace = which.namespace.as_deref();
        let (kind, namespace, name) = run_on_cluster(&target, namespace, &client).await?;
        let documents = on_cluster::documents(&client, kind, &namespace, &name).await?;
        if let Verb::Payload(Payload {
            skip_verify: false,
            key,
            chains_namespace,
            ..
        }) = &self.verb
        {
            let reference = if let Some(key) = key {
                key.clone()
            } else {
                let named = chains_namespace.as_deref();
                let system = namespaces::of_secrets(named, &client).await?;
                format!("k8s://{system}/signing-secrets").parse()?
            };
            let request = VerifyRequest::of_key(&key::public(&reference, connection).await?);
            let report = run::verify(name.clone(), &documents, &request).await?;
            if let Err(why) = report.verdict() {
                output::note(&format!(
                    "error: not verified: {why}; `windlass verify {}/{name}` says more, and -S \
                     prints it nevertheless",
                    kind.singular()
                ));
                return Ok(ExitCode::from(1));
            }
        }
        let run = documents.run(&mut Vec::new())?;
        let Some(found) = own(&run).await? else {
            bail!(
                "nothing is stored on {}/{name}; see `windlass download`, and where \
                   artifacts.{}.storage stores it",
                kind.singular(),
                kind.singular()
            );
        };
        output::write(match self.verb {
            Verb::Payload(_) => payload(&found.evidence)?,
            Verb::Signature(_) => signature(&found.evidence)?,
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// What is stored for the run itself.
async fn own(run: &Run<'_>) -> anyhow::Result<Option<Found>> {
    let (key, mut own) = (run.short_key(), None);
    let see = |found: Found| {
        if found.key.as_ref() == Some(&key) {
            own = Some(found);
        }
    };
    Wanted::Run(run).each(see).await?;
    Ok(own)
}

fn payload(evidence: &Evidence) -> anyhow::Result<Vec<u8>> {
    let Some(mut payload) = evidence.payload() else {
        bail!("the payload was not found on the run, or is damaged");
    };
    payload.push(b'\n');
    Ok(payload)
}

fn signature(evidence: &Evidence) -> anyhow::Result<Vec<u8>> {
    use base64::Engine as _;
    let text = match evidence {
        Evidence::Statement { envelope, .. } => envelope.to_json(),
        Evidence::Signature { signature, .. } => {
            base64::engine::general_purpose::STANDARD.encode(signature)
        }
        Evidence::Damaged(why) | Evidence::Other(why) => bail!("the signature is damaged: {why}"),
    };
    Ok((text + "\n").into_bytes())
}
