//! `windlass doctor`: says what is wrong with an installation, why, and what to do.

use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::json;

use super::output::{self, clean};
use crate::cli::namespaces::OfController;
use crate::cluster::Connection;
use crate::inspect::doctor::{Finding, Level, examine};

/// Say what is wrong with an installation, why, and what to do
///
/// Looks at Tekton's kinds, the clock, the configuration, the key, the controller and its rights, other
/// controllers, and whether accounts of runs may push. Changes nothing; in a registry, it starts and
/// cancels an upload. What you may not see is unknown.
///
/// Exit status: 0 no problem, 1 problems, 2 the cluster could not be asked.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass doctor
  windlass doctor -n openshift-pipelines
  windlass doctor -o json | jq -r '.[] | select(.level == \"problem\") | .command'")]
pub(crate) struct Doctor {
    #[command(flatten)]
    controller: OfController,
    /// Output: text or json
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Form,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    Text,
    Json,
}

impl Doctor {
    /// Prints what was found.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let client = connection.connect().await?;
        let system = self.controller.find(&client).await?;
        let findings = examine(&client, &system.name).await;
        let status = status(&findings);
        let text = match self.output {
            Form::Text => text(&findings),
            Form::Json if status == 2 => {
                let error = "nothing could be asked of the cluster";
                format!("{:#}\n", json!({ "error": error, "findings": findings }))
            }
            Form::Json => serde_json::to_string_pretty(&findings)? + "\n",
        };
        output::write(text)?;
        Ok(ExitCode::from(status))
    }
}

/// The exit status.
fn status(findings: &[Finding]) -> u8 {
    let mut levels = findings.iter().map(|one| one.level);
    if levels.clone().any(|level| level == Level::Problem) {
        1
    } else if levels.all(|level| level == Level::Unknown) {
        2
    } else {
        0
    }
}

fn text(findings: &[Finding]) -> String {
    let texts = findings.iter().map(|finding| {
        let level = match finding.level {
            Level::Ok => "ok",
            Level::Advice => "ADVICE",
            Level::Unknown => "UNKNOWN",
            Level::Problem => "PROBLEM",
        };
        let help = finding.help.iter().flat_map(|help| {
            let parts = [
                ("cause: ", &help.cause),
                ("remedy: ", &help.remedy),
                ("$ ", &help.command),
            ];
            parts.map(|(name, part)| format!("         {name}{}\n", clean::line(part)))
        });
        let (area, what) = (finding.area, clean::line(&finding.what));
        format!("{level:<8} {area}: {what}\n") + &help.collect::<String>()
    });
    texts.collect()
}
