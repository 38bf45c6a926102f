//! `list` (`ls`): the runs of a namespace, the newest first.

use std::process::ExitCode;

use clap::{Arg, ArgGroup};
use jiff::Timestamp;
use serde_json::{Value, json};
use windlass_core::run::Kind;

use super::number;
use super::output::look::Look;
use super::output::table::Table;
use super::output::{self, Format, ObjectFormat, cells, clean};
use super::several_signers::{SignersFlags, WHO, is_of_signers};
use crate::cluster::Connection;
use crate::inspect::listing::{Detail, Row, newest};
use crate::inspect::runs::Runs;
use crate::inspect::summary::Summary;

mod verified;

/// List runs, the newest first
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "ls",
    group(ArgGroup::new("who").args(WHO).multiple(true)),
    mut_args(in_a_table),
    mut_arg("key", |key| {
        key.help("Verify each run with this public key, and show the result; may be repeated")
    }),
    after_help = "Examples:
  windlass tr list
  windlass tr list -A --limit 20
  windlass tr list build --reverse
  windlass tr list --key k8s://tekton-chains/signing-secrets
  windlass pr list -n team-a --label app=shop -o name"
)]
pub(crate) struct List {
    /// Namespace of the runs (default: that of the kubeconfig context)
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// List the runs of all namespaces, whatever -n says
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    #[command(flatten)]
    output: ObjectFormat,
    /// Show at most this many runs; 0 shows all
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 0,
        hide_default_value = true,
        allow_negative_numbers = true,
        value_parser = number::limit
    )]
    limit: usize,
    /// Only runs whose labels match: a=b, a!=b, a in (b,c)
    #[arg(short = 'l', long, visible_alias = "selector", value_name = "SELECTOR")]
    label: Option<String>,
    /// Leave out the headings of the table
    #[arg(long)]
    no_headers: bool,
    /// List the oldest run first
    #[arg(long)]
    reverse: bool,
    /// Keep metadata.managedFields in json and yaml
    #[arg(long)]
    show_managed_fields: bool,
    /// Use no colours on a terminal
    #[arg(short = 'C', long, alias = "nocolor")]
    no_color: bool,
    #[command(flatten)]
    signers: Box<SignersFlags>,
    /// Only runs of this Task or Pipeline
    #[arg(value_name = "TASK")]
    of: Option<String>,
}

/// A flag about signers is for the table, and says more of a key or a name.
fn in_a_table(argument: Arg) -> Arg {
    if is_of_signers(&argument) {
        argument
            .conflicts_with_all(["output", "template"])
            .requires("who")
    } else {
        argument
    }
}

impl List {
    /// Lists the runs.
    pub(crate) async fn run(self, kind: Kind, connection: &Connection) -> anyhow::Result<ExitCode> {
        let format = self.output.read()?;
        let signers = self.signers.signers(Vec::new(), connection).await?;
        let client = connection.connect().await?;
        let chosen = self
            .namespace
            .as_deref()
            .unwrap_or(client.default_namespace());
        let namespace = (!self.all_namespaces).then_some(chosen);
        let runs = Runs::new(&client, kind, namespace)?;
        let detail = match &format {
            None if self.signers.names_somebody() => Detail::Whole,
            None | Some(Format::Name) => Detail::Summary,
            Some(_) => Detail::Whole,
        };
        let (label, mut warnings) = (self.selector(kind), Vec::new());
        let newest = newest(&runs, label.as_deref(), self.limit, detail, &mut warnings);
        let mut rows = newest.await?;
        output::warn(&warnings);
        if self.reverse {
            rows.reverse();
        }
        let text = match &format {
            Some(format) => {
                let name = |row: &Row| kind.object_name(&row.summary.metadata.name);
                let names: Vec<String> = rows.iter().map(name).collect();
                let mut document = document(kind, rows);
                if !self.show_managed_fields {
                    format.without_managed_fields(&mut document);
                }
                format.text(&document, &names)?
            }
            None if rows.is_empty() => {
                output::note(&format!("No {kind}s found {}", runs.place()));
                return Ok(ExitCode::SUCCESS);
            }
            None => {
                let mut columns = Columns {
                    headings: !self.no_headers,
                    namespace: None,
                    verified: None,
                    look: Look::wanted(self.no_color),
                };
                if self.all_namespaces {
                    columns.namespace = Some(NAMESPACE);
                }
                if !signers.is_empty() {
                    columns.verified = Some(verified::cells(&rows, kind, &client, &signers).await);
                }
                let runs = rows.iter().map(|row| &row.summary);
                columns.table(runs, Timestamp::now()).into_bytes()
            }
        };
        output::write(text)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    /// The labels of the runs that are meant.
    fn selector(&self, kind: Kind) -> Option<String> {
        let of = self.of.as_ref().map(|name| match kind {
            Kind::Task => format!("tekton.dev/task={name}"),
            Kind::Pipeline => format!("tekton.dev/pipeline={name}"),
        });
        let parts: Vec<String> = self.label.clone().into_iter().chain(of).collect();
        (!parts.is_empty()).then(|| parts.join(","))
    }
}

/// The list object that contains the runs.
fn document(kind: Kind, rows: Vec<Row>) -> Value {
    let items: Vec<Value> = rows
        .into_iter()
        .map(|row| with_type(kind, row.whole))
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

/// The heading of the column that is shown for all namespaces.
const NAMESPACE: &str = "NAMESPACE";

/// Columns besides those that every list has.
#[derive(Debug)]
struct Columns {
    /// Whether the first row has the headings; they count for the width of a column.
    headings: bool,
    /// The heading of the first one.
    namespace: Option<&'static str>,
    /// The cells of the last one.
    verified: Option<Vec<&'static str>>,
    look: Look,
}

impl Columns {
    fn table<'s>(&self, runs: impl Iterator<Item = &'s Summary>, now: Timestamp) -> String {
        let names = ["NAME", "STARTED", "DURATION", "STATUS", "SIGNED"];
        let verified = self.verified.as_ref().map(|_| "VERIFIED");
        let mut table = Table::default();
        if self.headings {
            let headings = self.namespace.into_iter().chain(names).chain(verified);
            table.row(headings.map(str::to_owned));
        }
        for (at, run) in runs.enumerate() {
            let namespace = self.namespace.map(|_| run.metadata.namespace.as_str());
            let namespace = namespace.map(|name| clean::line(name).into_owned());
            let verified = self.verified.as_ref();
            let verified = verified.and_then(|cells| cells.get(at));
            let verified = verified.map(|cell| self.look.state(cell));
            let row = row(run, now, self.look);
            table.row(namespace.into_iter().chain(row).chain(verified));
        }
        table.text("")
    }
}

fn row(run: &Summary, now: Timestamp, look: Look) -> impl Iterator<Item = String> {
    let name = clean::line(&run.metadata.name).into_owned();
    let signed = look.state(cells::signed(run.signature()));
    let status = cells::status(&run.status, now, look);
    std::iter::once(name).chain(status).chain([signed])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> Value {
        json!({
            "metadata": {
                "name": "build", "namespace": "a", "uid": "u-1",
                "annotations": {
                    "chains.tekton.dev/signed": "true", "chains.tekton.dev/seal": "SHA256:x MEUC u-1",
                },
            },
            "status": {
                "startTime": "2026-01-01T00:09:15Z", "completionTime": "2026-01-01T00:10:00Z",
                "conditions": [{"type": "Succeeded", "status": "True", "reason": "Succeeded"}],
            },
        })
    }

    fn table_with_namespaces<'s>(
        runs: impl Iterator<Item = &'s Summary>,
        now: Timestamp,
    ) -> String {
        let columns = Columns {
            headings: true,
            namespace: Some(NAMESPACE),
            verified: None,
            look: Look::PLAIN,
        };
        columns.table(runs, now)
    }

    fn summary() -> Summary {
        serde_json::from_value(run()).unwrap()
    }

    #[test]
    fn the_table_has_the_columns_of_tkn_and_the_signature() {
        let now = "2026-01-01T02:00:00Z".parse().unwrap();
        assert_eq!(
            table_with_namespaces([&summary()].into_iter(), now),
            "NAMESPACE   NAME    STARTED      DURATION   STATUS      SIGNED\n\
             a           build   1 hour ago   45s        Succeeded   yes\n"
        );
    }

    #[test]
    fn a_run_that_its_author_marked_is_not_listed_as_signed() {
        // what can be written before the run has its uid
        for seal in [
            "",
            "x",
            "key signature",
            "SHA256:x MEUC",
            "SHA256:x MEUC u-2",
        ] {
            let mut run = run();
            run["metadata"]["annotations"] = json!({
                "chains.tekton.dev/signed": "true", "chains.tekton.dev/seal": seal,
            });
            run["metadata"]["managedFields"] = json!([{
                "manager": "tekton-chains-controller",
                "fieldsV1": { "f:metadata": { "f:annotations": {
                    "f:chains.tekton.dev/signed": {} } } },
            }]);
            let run: Summary = serde_json::from_value(run).unwrap();
            let table = table_with_namespaces([&run].into_iter(), Timestamp::UNIX_EPOCH);
            assert!(table.ends_with("marked\n"), "{seal}: {table}");
        }
    }

    #[test]
    fn a_list_document_names_the_kind_of_each_run() {
        let row = Row {
            summary: summary(),
            whole: run(),
        };
        let document = document(Kind::Task, vec![row]);
        assert_eq!(document["kind"], "TaskRunList");
        assert_eq!(document["items"][0]["kind"], "TaskRun");
    }
}
