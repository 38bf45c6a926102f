//! `registry`: checks an account's access to a registry, and grants it a credential.

use std::process::ExitCode;

use crate::cluster::Connection;

mod check;
mod grant;

/// Check and grant a service account's push access to a registry
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass registry check registry.example.com/team/app -n team-a --service-account build-bot
  windlass registry grant --docker-config config.json -n team-a --service-account build-bot")]
pub(crate) struct Registry {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Check(check::Check),
    Grant(grant::Grant),
}

impl Registry {
    /// Does what was asked for.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        match self.verb {
            Verb::Check(verb) => verb.run(connection).await,
            Verb::Grant(verb) => verb.run(connection).await,
        }
    }
}
