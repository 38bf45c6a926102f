//! `migrate --check`: tells what changes for a cluster when windlass takes over from Tekton Chains.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::json;

use super::output::{self, clean};
use crate::cli::namespaces::OfSettings;
use crate::cluster::{Connection, Overrides};
use crate::inspect::migration::{self, Cluster, Finding, Migration};

/// Tell what changes for a cluster that Tekton Chains signs for
///
/// Reads chains-config, windlass-config, signing-secrets, the runs and the service accounts that
/// they name, and reports what windlass does differently, with the reason and what to do. Nothing
/// is changed. Names of registries are resolved by this machine.
///
/// Exit status: 0 nothing to do, 1 there are findings, 2 something could not be read.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass migrate --check
  windlass migrate --check -n team-a
  windlass migrate --check --system-namespace openshift-pipelines -o json")]
pub(crate) struct Migrate {
    /// Report what changes, and change nothing
    #[arg(long, alias = "dry-run", required = true)]
    check: bool,
    /// Namespace of the runs (default: all)
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    #[command(flatten)]
    settings: OfSettings,
    /// Output: text or json
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Output,
}

/// How the findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Migrate {
    /// Prints the findings.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let (client, api) = connection.connect_with_hosts(Overrides::default()).await?;
        let system = self.settings.find(&client).await?;
        let found = migration::check(&Cluster {
            client: &client,
            api,
            system_namespace: &system.name,
            namespace: self.namespace.as_deref(),
        })
        .await;
        match self.output {
            Output::Text => output::write(text(&found, connection))?,
            Output::Json => output::write(format!("{:#}\n", object(&found)))?,
        }
        Ok(exit(&found))
    }
}

fn exit(found: &Migration) -> ExitCode {
    let Migration {
        findings, unread, ..
    } = found;
    ExitCode::from(match (unread.is_empty(), findings.is_empty()) {
        (false, _) => 2,
        (true, false) => 1,
        (true, true) => 0,
    })
}

fn object(found: &Migration) -> serde_json::Value {
    let findings = found.findings.iter().map(|finding| {
        json!({
            "topic": finding.topic.name(),
            "cause": finding.cause,
            "remedy": finding.remedy,
            "command": finding.command,
        })
    });
    let mut object = json!({
        "findings": findings.collect::<Vec<_>>(),
        "unread": found.unread,
        "runs": found.runs,
        "key": found.key,
    });
    if !found.unread.is_empty() {
        object["error"] = json!(format!("{} things could not be read", found.unread.len()));
    }
    object
}

fn text(found: &Migration, connection: &Connection) -> String {
    let mut text = String::new();
    let is_whole = found.unread.is_empty();
    let none = if is_whole {
        "none"
    } else {
        "none that could be read"
    };
    let key = found.key.as_deref().unwrap_or(none);
    let part = if is_whole { "" } else { " that could be read" };
    // writing to a string cannot fail
    let _ = writeln!(
        text,
        "Runs: {}{part}\nKey:  {}\n",
        found.runs,
        clean::line(key)
    );
    for (number, finding) in (1..).zip(&found.findings) {
        let Finding {
            topic,
            cause,
            remedy,
            command,
        } = finding;
        let _ = writeln!(text, "{number}. {}: {}", topic.name(), clean::line(cause));
        let _ = writeln!(text, "   what to do: {}", clean::line(remedy));
        if let Some(command) = command {
            let _ = writeln!(text, "   command:    {}", clean::line(command));
        }
        text.push('\n');
    }
    for why in &found.unread {
        let _ = writeln!(text, "not read: {}", clean::line(why));
    }
    let advice = found.unread.iter().find_map(|why| connection.advice(why));
    if let Some(advice) = advice {
        let _ = writeln!(text, "what to do: {}", clean::line(&advice));
    }
    let verdict = match (found.findings.len(), found.unread.len()) {
        (0, 0) => "Nothing to do: windlass can take over as it is.".to_owned(),
        (findings, 0) => format!("{findings} findings."),
        (findings, unread) => {
            format!("{findings} findings; {unread} things could not be read, so there may be more.")
        }
    };
    text + &verdict + "\n"
}
