//! `windlass audit`: the state of the signature of every run.

use std::process::ExitCode;

use clap::Arg;
use jiff::Timestamp;
use windlass_core::error::Chain;
use windlass_core::run::Kind;

use self::form::{Form, Writer};
use self::progress::Progress;
use super::output;
use super::several_signers::{SignersFlags, is_of_signers};
use crate::cli::namespaces::{OfSettings, SystemNamespace};
use crate::cluster::Connection;
use crate::cluster::list::{List, ListError, Listed, Source};
use crate::cluster::runs::collection;
use crate::inspect::audit::{Auditor, Counts, Row, State};
use crate::inspect::on_cluster;
use crate::inspect::verify::ExpectedSigner;

mod form;
mod progress;

/// Runs in a page; a run may be over a megabyte.
const PAGE: usize = 50;

/// Show the state of the signature of every run
///
/// States: signed, running, exempt (nothing is to be signed), waiting, failed, marked (as signed, but
/// without a trace of a controller), unseen (finished, and no controller wrote anything on it),
/// invalid (with --verify) and unreadable. WHY says what keeps a run from being signed.
///
/// Exit status: 0 every finished run is signed or exempt, 1 some are not, 2 could not be checked.
#[derive(Debug, clap::Args)]
#[command(
    mut_args(with_verify),
    mut_arg("key", |key| key.help("Key to verify with: a file, k8s://<namespace>/<secret>, \
        env://<variable> or hashivault://<key>; repeat it for keys of the past (default: \
        signing-secrets of the system namespace)")),
    after_help = "Examples:
  windlass audit -n team-a
  windlass audit -A --state failed,waiting,unseen
  windlass audit -A --verify -o csv > audit.csv
  windlass audit -A --verify --trusted-root trusted_root.json --certificate-oidc-issuer \\
      https://oidc.example.com --certificate-identity \\
      https://kubernetes.io/namespaces/tekton-chains/serviceaccounts/tekton-chains-controller
  windlass audit -A -o json | jq .summary

--verify checks the seal of the mark, and what is stored on runs.
Signatures in registries are checked by: windlass verify IMAGE"
)]
pub(crate) struct Audit {
    /// Namespace of the runs (default: that of the kubeconfig context)
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Audit the runs of all namespaces, whatever -n says
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Only runs whose labels match: a=b, a!=b, a in (b,c)
    #[arg(short = 'l', long, visible_alias = "selector", value_name = "SELECTOR")]
    label: Option<String>,
    /// Show only runs in these states, separated by commas; all runs count for the exit status
    #[arg(
        long,
        value_name = "STATES",
        value_delimiter = ',',
        value_enum,
        hide_possible_values = true
    )]
    state: Vec<State>,
    /// Verify the seal of each run that is marked as signed, and what is stored on it
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    signers: Box<SignersFlags>,
    #[command(flatten)]
    settings: OfSettings,
    /// Output: table, csv or json
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Form,
}

/// A flag about signers counts with `--verify`.
fn with_verify(argument: Arg) -> Arg {
    if is_of_signers(&argument) {
        argument.requires("verify")
    } else {
        argument
    }
}

/// What the rows of an audit go to.
struct Sheet {
    progress: Progress,
    writer: Writer,
    counts: Counts,
}

impl Audit {
    /// Prints every run as it is read.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let client = connection.connect().await?;
        let mut warnings = Vec::new();
        let system = self.settings.find(&client).await?;
        let config = on_cluster::config(&client, &system.name, &mut warnings).await?;
        output::warn(&warnings);
        let auditor = Auditor {
            client: &client,
            config: &config,
            signers: self.signers(&system, connection).await?,
            now: Timestamp::now(),
        };
        let sources = self.sources(client.default_namespace());
        let mut sheet = Sheet {
            progress: Progress::start(&client, &sources).await,
            writer: Writer::start(self.output)?,
            counts: Counts::new(),
        };
        let mut failure = None;
        for (kind, source) in Kind::ALL.into_iter().zip(&sources) {
            // what was printed is no whole document without its end
            if let Err(error) = self.audit(kind, source, &auditor, &mut sheet).await {
                let why = Chain(error.as_ref()).to_string();
                failure = Some(match connection.advice(&why) {
                    Some(advice) => format!("{why}; {advice}"),
                    None => why,
                });
                break;
            }
        }
        let Sheet {
            progress,
            writer,
            counts,
        } = sheet;
        progress.end();
        writer.end(&counts, failure.as_deref())?;
        if let Some(failure) = failure {
            output::error(&failure);
            return Ok(ExitCode::from(2));
        }
        let is_good = counts.keys().all(|state| state.is_good());
        Ok(ExitCode::from(u8::from(!is_good)))
    }

    async fn signers(
        &self,
        system: &SystemNamespace,
        connection: &Connection,
    ) -> anyhow::Result<Vec<ExpectedSigner>> {
        let mut usual = Vec::new();
        if self.verify && !self.signers.names_somebody() {
            // whoever may make a ConfigMap anywhere would choose the key that everything is verified with
            let name = system.certain("--system-namespace")?;
            let place = format!("k8s://{name}/signing-secrets");
            usual.push(place.parse()?);
        }
        self.signers.signers(usual, connection).await
    }

    /// The lists of task runs and of pipeline runs.
    fn sources(&self, default: &str) -> [Source; 2] {
        let namespace = self.namespace.as_deref().unwrap_or(default);
        let namespace = (!self.all_namespaces).then_some(namespace);
        Kind::ALL.map(|kind| Source {
            what: format!("{}s", kind.words()),
            path: collection(kind, namespace),
            name: None,
            labels: self.label.clone(),
        })
    }

    async fn audit(
        &self,
        kind: Kind,
        source: &Source,
        auditor: &Auditor<'_>,
        sheet: &mut Sheet,
    ) -> anyhow::Result<()> {
        let mut list = List::new(auditor.client, source).in_pages_of(PAGE);
        loop {
            let row = match list.next().await {
                Ok(None) => break,
                Ok(Some(Listed::Object(object))) => auditor.judge(kind, &object).await,
                Ok(Some(Listed::TooLarge(object))) => Row {
                    kind: kind.name(),
                    namespace: String::new(),
                    why: object.to_string(),
                    name: object.name,
                    state: State::Unreadable,
                    finished: None,
                },
                Err(ListError::Call(error)) if error.status() == Some(404) => anyhow::bail!(
                    "the cluster does not serve {kind}s at tekton.dev/v1; is Tekton Pipelines \
                     installed?"
                ),
                Err(error) => return Err(error.into()),
            };
            *sheet.counts.entry(row.state).or_default() += 1;
            if self.state.is_empty() || self.state.contains(&row.state) {
                sheet.writer.row(&row)?;
            }
            sheet.progress.step();
        }
        Ok(())
    }
}
