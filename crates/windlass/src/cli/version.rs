//! `version`: which windlass this is, and which commit it is built from.

use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::json;

use super::output;

/// What stands where the build was told nothing.
const UNKNOWN: &str = "unknown";

/// Print the version of windlass
///
/// The commit and its date are those of the source; a development build does not know them.
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
        let (commit, date) = source(env!("WINDLASS_COMMIT"), env!("WINDLASS_TIME"));
        let text = if self.json {
            let object = json!({
                "gitVersion": format!("v{version}"),
                "gitCommit": commit,
                "buildDate": date,
                "platform": format!("{os}/{architecture}"),
            });
            format!("{object:#}\n")
        } else {
            format!("windlass {version} ({os}/{architecture})\ncommit {commit}, date {date}\n")
        };
        output::write(text)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The commit and the time of the source, as the build tells them.
fn source(commit: &str, seconds: &str) -> (String, String) {
    let time = seconds.parse().ok();
    let time = time.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let commit = if commit.is_empty() { UNKNOWN } else { commit };
    (
        commit.to_owned(),
        time.map_or_else(|| UNKNOWN.to_owned(), |time| time.to_string()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_and_its_time_are_those_of_the_source_or_unknown() {
        let (commit, date) = source("33aa", "1767225600");
        assert_eq!((&*commit, &*date), ("33aa", "2026-01-01T00:00:00Z"));
        let unknown = (UNKNOWN.to_owned(), UNKNOWN.to_owned());
        assert_eq!(source("", ""), unknown);
        assert_eq!(source("", "99999999999999999999"), unknown);
    }
}
