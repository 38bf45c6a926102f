//! `version`: which windlass this is.

use std::process::ExitCode;

use serde_json::json;

use super::output;

/// Print the version of windlass
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass version
  windlass version --json | jq -r .gitVersion")]
pub(crate) struct Version {
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

impl Version {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let version = env!("CARGO_PKG_VERSION");
        let (os, architecture) = (std::env::consts::OS, std::env::consts::ARCH);
        let text = if self.json {
            let object = json!({
                "gitVersion": format!("v{version}"),
                "platform": format!("{os}/{architecture}"),
            });
            format!("{object:#}\n")
        } else {
            format!("windlass {version} ({os}/{architecture})\n")
        };
        output::write(text)?;
        Ok(ExitCode::SUCCESS)
    }
}
