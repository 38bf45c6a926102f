//! `resign`: has runs signed again, by taking their mark off.

use std::process::ExitCode;

use futures::{StreamExt as _, stream};
use kube::Client;
use windlass_core::annotation;
use windlass_core::error::Chain;
use windlass_core::run::Kind;

use super::output::{self, clean};
use super::target::{Last, run_on_cluster, targets};
use crate::cluster::Connection;
use crate::cluster::runs::{Head, RunId};
use crate::controller::resign::{Resigned, resign};
use crate::inspect::runs::{Runs, RunsError};
use crate::inspect::selector::{RunSelector, kind_of};

/// Runs that are written at once.
const AT_ONCE: usize = 8;

/// Have runs signed again: those that failed, or all that are named or selected
///
/// The mark of each run is taken off, and the controller signs it like any other finished run. What is
/// stored stays until it is replaced.
///
/// Exit status: 0 done, 2 if a run could not be found or written; the others are done nevertheless.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass resign build-7x2kq pr/release -n team-a
  windlass resign taskrun --last
  windlass resign --all-failed -A
  windlass resign -l app=shop --dry-run")]
pub(crate) struct Resign {
    /// NAME, taskrun/NAME (tr), pipelinerun/NAME (pr), or KIND NAME...
    #[arg(value_name = "RUN", required_unless_present_any = ["all_failed", "label", "last"])]
    #[arg(conflicts_with_all = ["all_failed", "label", "all_namespaces"])]
    runs: Vec<String>,
    /// The run created last in the namespace
    #[arg(short = 'L', long, conflicts_with_all = ["all_failed", "label", "all_namespaces"])]
    last: bool,
    /// All runs that are marked as failed
    #[arg(long)]
    all_failed: bool,
    /// All marked runs whose labels match: a=b, a!=b, a in (b,c)
    #[arg(short = 'l', long, visible_alias = "selector", value_name = "SELECTOR")]
    label: Option<String>,
    /// Namespace of the runs (default: that of the kubeconfig context)
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Runs of all namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    all_namespaces: bool,
    /// Print the runs and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// How it went with all runs.
#[derive(Debug, Default)]
struct Tally {
    done: usize,
    failed: usize,
}

impl Resign {
    /// Takes the marks off.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let client = connection.connect().await?;
        let chosen = self.namespace.as_deref();
        let chosen = chosen.unwrap_or(client.default_namespace());
        let namespace = (!self.all_namespaces).then_some(chosen);
        let mut tally = Tally::default();
        let ids = if self.runs.is_empty() && !self.last {
            self.selected(&client, namespace, &mut tally).await?
        } else {
            let runs = self.chosen(&client, chosen).await?;
            named(&client, namespace, &runs, &mut tally).await?
        };
        if self.dry_run {
            for id in &ids {
                output::write(line(id, "would be signed again"))?;
            }
            return Ok(tally.exit_code());
        }
        let mut written = stream::iter(&ids)
            .map(async |id| (id, resign(&client, id).await))
            .buffered(AT_ONCE);
        while let Some((id, resigned)) = written.next().await {
            match resigned {
                Ok(Resigned::Unmarked) => {
                    tally.done += 1;
                    output::write(line(id, "will be signed again"))?;
                }
                Ok(Resigned::NotMarked) => {
                    output::note(line(id, "has no mark, so it is signed anyway").trim_end());
                }
                Ok(Resigned::Gone) => tally.fail(line(id, "is gone").trim_end()),
                Err(error) => tally.fail(&Chain(&error).to_string()),
            }
        }
        if tally.done == 0 && tally.failed == 0 {
            output::note("no run was changed");
        }
        Ok(tally.exit_code())
    }

    /// The runs that are named, or the last one.
    async fn chosen(&self, client: &Client, namespace: &str) -> anyhow::Result<Vec<RunSelector>> {
        let named_kind = self.runs.first().and_then(|word| kind_of(word).ok());
        let targets = match named_kind {
            Some(_) => targets(&self.runs, Last::from(self.last)),
            None if self.last => targets(&self.runs, Last::Wanted),
            None => {
                let words = self.runs.iter().map(|word| word.parse());
                return Ok(words.collect::<Result<_, _>>()?);
            }
        };
        let mut runs = Vec::new();
        for target in targets.map_err(anyhow::Error::msg)? {
            let (kind, _, name) = run_on_cluster(&target, Some(namespace), client).await?;
            let kind = Some(kind);
            runs.push(RunSelector { kind, name });
        }
        Ok(runs)
    }

    /// The marked runs that the flags select.
    async fn selected(
        &self,
        client: &Client,
        namespace: Option<&str>,
        tally: &mut Tally,
    ) -> anyhow::Result<Vec<RunId>> {
        let mut ids = Vec::new();
        for kind in Kind::ALL {
            let runs = Runs::new(client, kind, namespace)?;
            let passed_over = runs
                .each(self.label.as_deref(), |object| {
                    let head: Head<'_> = serde_json::from_slice(object)?;
                    let is_meant = match head.metadata.annotation(annotation::SIGNED) {
                        Some("failed") => true,
                        Some(_) => !self.all_failed,
                        None => false,
                    };
                    if is_meant {
                        ids.push(RunId::new(kind, &head.metadata));
                    }
                    Ok(())
                })
                .await?;
            for why in passed_over {
                tally.fail(&why);
            }
        }
        Ok(ids)
    }
}

/// The runs of these names.
async fn named(
    client: &Client,
    namespace: Option<&str>,
    selectors: &[RunSelector],
    tally: &mut Tally,
) -> anyhow::Result<Vec<RunId>> {
    let mut ids = Vec::new();
    for selector in selectors {
        let mut found = Vec::new();
        for kind in Kind::ALL {
            if selector.kind.is_some_and(|only| only != kind) {
                continue;
            }
            match Runs::new(client, kind, namespace)?
                .get(&selector.name)
                .await
            {
                Ok(run) => found.extend(RunId::of(kind, run.to_string().as_bytes())),
                Err(RunsError::Missing { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        match (found.pop(), found.is_empty()) {
            (Some(id), true) => ids.push(id),
            (None, _) => tally.fail(&format!(
                "there is no run {selector}; choose another namespace with -n"
            )),
            (Some(_), false) => tally.fail(&format!(
                "{selector} is a task run and a pipeline run; write taskrun/{selector} or \
                 pipelinerun/{selector}"
            )),
        }
    }
    Ok(ids)
}

impl Tally {
    fn fail(&mut self, why: &str) {
        self.failed += 1;
        output::error(&clean::line(why));
    }

    fn exit_code(&self) -> ExitCode {
        if self.failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(2)
        }
    }
}

fn line(id: &RunId, what: &str) -> String {
    let (name, namespace) = (clean::line(&id.name), clean::line(&id.namespace));
    let name = id.kind.object_name(&name);
    format!("{name} in namespace {namespace} {what}\n")
}
