//! `list` (`ls`): the runs of a namespace, the newest first.

use std::process::ExitCode;

use anyhow::Context;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::output::table::Table;
use super::output::{self, Format, clean};
use super::run::Kind;
use crate::cluster::Connection;
use crate::inspect::runs::Runs;
use crate::inspect::summary::Summary;

/// List runs, the newest first
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "ls",
    after_help = "Examples:
  windlass tr list
  windlass tr list -A --limit 20
  windlass pr list -n team-a --label app=shop -o name"
)]
pub(crate) struct List {
    /// Namespace of the runs (default: that of the kubeconfig context)
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// List the runs of all namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    all_namespaces: bool,
    /// json, yaml, name, jsonpath=TEMPLATE or jsonpath-as-json=TEMPLATE
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Format>,
    /// Show at most this many runs
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
    /// Only runs whose labels match: a=b, a!=b, a in (b,c)
    #[arg(short = 'l', long, visible_alias = "selector", value_name = "SELECTOR")]
    label: Option<String>,
}

/// A run, whole only where it is printed whole.
struct Listed {
    summary: Summary,
    whole: Value,
}

impl List {
    /// Lists the runs.
    pub(crate) async fn run(self, kind: Kind, connection: &Connection) -> anyhow::Result<ExitCode> {
        let client = connection.connect().await?;
        let chosen = self
            .namespace
            .as_deref()
            .unwrap_or(client.default_namespace());
        let namespace = (!self.all_namespaces).then_some(chosen);
        let runs = Runs::new(&client, kind, namespace)?;
        let whole = self
            .output
            .as_ref()
            .is_some_and(|format| !matches!(format, Format::Name));
        let listed = self.read(&runs, whole).await?;
        let text = match &self.output {
            Some(format) => {
                let name = |run: &Listed| kind.object_name(&run.summary.metadata.name);
                let names: Vec<String> = listed.iter().map(name).collect();
                format.text(&document(kind, listed), &names)?
            }
            None if listed.is_empty() => {
                nothing(kind, &runs);
                return Ok(ExitCode::SUCCESS);
            }
            None => {
                let runs: Vec<Summary> = listed.into_iter().map(|run| run.summary).collect();
                table(&runs, self.all_namespaces, Timestamp::now())
            }
        };
        output::write(&text)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Reads page by page and keeps no more than what is shown.
    async fn read(&self, runs: &Runs<'_>, whole: bool) -> anyhow::Result<Vec<Listed>> {
        let mut listed: Vec<Listed> = Vec::new();
        let mut unreadable = None;
        let keep = self.limit.unwrap_or(usize::MAX);
        let label = self.label.as_deref();
        if whole {
            runs.each(label, |items: Vec<Value>| {
                for item in items {
                    match Summary::deserialize(&item) {
                        Ok(summary) => listed.push(Listed {
                            summary,
                            whole: item,
                        }),
                        Err(error) => unreadable = Some(error),
                    }
                }
                newest_first(&mut listed, keep);
            })
            .await?;
        } else {
            runs.each(label, |items: Vec<Summary>| {
                let rows = items.into_iter().map(|summary| Listed {
                    summary,
                    whole: Value::Null,
                });
                listed.extend(rows);
                newest_first(&mut listed, keep);
            })
            .await?;
        }
        match unreadable {
            Some(error) => Err(error).context("the API server sent a run that cannot be read"),
            None => Ok(listed),
        }
    }
}

/// Sorts by namespace, then by start, runs that have not started first; then by name.
fn newest_first(listed: &mut Vec<Listed>, keep: usize) {
    listed.sort_by(|left, right| {
        let (left, right) = (&left.summary, &right.summary);
        let waiting = |run: &Summary| run.started().is_some();
        left.metadata
            .namespace
            .cmp(&right.metadata.namespace)
            .then_with(|| waiting(left).cmp(&waiting(right)))
            .then_with(|| right.started().cmp(&left.started()))
            .then_with(|| left.metadata.name.cmp(&right.metadata.name))
    });
    listed.truncate(keep);
}

/// The list object that holds the runs.
fn document(kind: Kind, listed: Vec<Listed>) -> Value {
    let items: Vec<Value> = listed
        .into_iter()
        .map(|run| with_type(kind, run.whole))
        .collect();
    json!({
        "apiVersion": "tekton.dev/v1",
        "kind": format!("{}List", kind.name()),
        "metadata": {},
        "items": items,
    })
}

/// Items of a list may come without their kind.
fn with_type(kind: Kind, mut run: Value) -> Value {
    if let Value::Object(run) = &mut run {
        run.entry("apiVersion")
            .or_insert_with(|| "tekton.dev/v1".into());
        run.entry("kind").or_insert_with(|| kind.name().into());
    }
    run
}

#[expect(
    clippy::print_stderr,
    reason = "a note to the person, not part of the list"
)]
fn nothing(kind: Kind, runs: &Runs<'_>) {
    eprintln!("No {}s found {}", kind.name(), runs.place());
}

fn table(runs: &[Summary], namespaces: bool, now: Timestamp) -> String {
    let mut table = if namespaces {
        Table::new([
            "NAMESPACE",
            "NAME",
            "STARTED",
            "DURATION",
            "STATUS",
            "SIGNED",
        ])
    } else {
        Table::new(["NAME", "STARTED", "DURATION", "STATUS", "SIGNED"])
    };
    for run in runs {
        let namespace = namespaces.then(|| clean::line(&run.metadata.namespace).into_owned());
        let name = clean::line(&run.metadata.name).into_owned();
        let signed = run.signed().to_owned();
        table.row(
            namespace
                .into_iter()
                .chain([name])
                .chain(run.cells(now))
                .chain([signed]),
        );
    }
    table.text("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(name: &str, start: Option<&str>) -> Listed {
        let whole = json!({
            "metadata": {
                "name": name, "namespace": "a",
                "annotations": {"chains.tekton.dev/signed": "true"},
            },
            "status": {
                "startTime": start, "completionTime": "2026-01-01T00:10:00Z",
                "conditions": [{"type": "Succeeded", "status": "True", "reason": "Succeeded"}],
            },
        });
        Listed {
            summary: Summary::deserialize(&whole).unwrap(),
            whole,
        }
    }

    #[test]
    fn waiting_runs_come_first_then_the_newest() {
        let mut runs = vec![
            listed("old", Some("2026-01-01T00:00:00Z")),
            listed("new", Some("2026-01-01T00:05:00Z")),
            listed("waiting", None),
        ];
        newest_first(&mut runs, 2);
        let names: Vec<_> = runs
            .iter()
            .map(|run| run.summary.metadata.name.as_str())
            .collect();
        assert_eq!(names, ["waiting", "new"]);
    }

    #[test]
    fn the_table_has_the_columns_of_tkn_and_the_signature() {
        let now = "2026-01-01T02:00:00Z".parse().unwrap();
        let run = listed("build", Some("2026-01-01T00:09:15Z")).summary;
        assert_eq!(
            table(&[run], true, now),
            "NAMESPACE   NAME    STARTED      DURATION   STATUS      SIGNED\n\
             a           build   1 hour ago   45s        Succeeded   yes\n"
        );
    }

    #[test]
    fn a_list_document_names_the_kind_of_each_run() {
        let document = document(Kind::Task, vec![listed("x", None)]);
        assert_eq!(document["kind"], "TaskRunList");
        assert_eq!(document["items"][0]["kind"], "TaskRun");
    }
}
