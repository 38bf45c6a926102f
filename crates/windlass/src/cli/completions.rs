//! `completions SHELL`: a completion script for the shell.

use std::process::ExitCode;

use clap_complete::Shell;

use super::output;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "completion",
    after_help = "Examples:
  windlass completions bash > ~/.local/share/bash-completion/completions/windlass
  source <(windlass completions zsh)"
)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Prints the script for `command`, the whole command line.
    pub(crate) fn run(self, mut command: clap::Command) -> anyhow::Result<ExitCode> {
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        output::write(script)?;
        Ok(ExitCode::SUCCESS)
    }
}
