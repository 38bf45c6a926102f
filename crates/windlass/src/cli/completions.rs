//! `completions SHELL`: a completion script for the shell.
//!
//! Verbs and flags are in the script. Names of runs and namespaces, and values of flags, are asked for
//! at each press of the key with [`super::complete`].

use std::process::ExitCode;

use clap_complete::Shell;

use super::output;

/// Print a completion script for a shell
///
/// In bash, zsh and fish it also completes names of runs and namespaces, and formats.
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

/// Asks windlass first, and the script if it has nothing to say.
const BASH: &str = r#"
_NAME_names() {
    local name
    COMPREPLY=()
    while IFS= read -r name; do
        COMPREPLY+=("$name")
    done < <(NAME __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 0 ]]; then
        _NAME "$@"
    elif [[ ${COMPREPLY[0]} == *[/=] ]]; then
        compopt -o nospace
    fi
}
complete -F _NAME_names -o bashdefault -o default NAME
"#;
const ZSH: &str = r#"
_NAME_names() {
    local -a names
    names=("${(@f)$(NAME __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n ${names[1]} ]]; then
        local -a begun whole
        begun=("${(@M)names:#*[/=]}")
        whole=("${(@)names:#*[/=]}")
        # more is typed behind these, without a blank
        (( $#begun )) && compadd -S '' -- "${begun[@]}"
        (( $#whole )) && compadd -- "${whole[@]}"
    else
        _NAME "$@"
    fi
}
compdef _NAME_names NAME
"#;
/// The quotes keep a word that is still empty, which fish would leave out.
const FISH: &str = r#"
function __NAME_names
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    NAME __complete -- $words[2..] "$current" 2>/dev/null
end
complete -c NAME -a '(__NAME_names)'
"#;

impl Completions {
    /// Prints the script for `command`, the whole command line.
    pub(crate) fn run(self, command: &clap::Command) -> anyhow::Result<ExitCode> {
        let name = command.get_name().to_owned();
        let mut command = visible(command);
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, &name, &mut script);
        let names = match self.shell {
            Shell::Bash => BASH,
            Shell::Zsh => ZSH,
            Shell::Fish => FISH,
            _ => "",
        };
        script.extend_from_slice(names.replace("NAME", &name).as_bytes());
        output::write(script)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The command without the verbs that no person types; clap puts hidden ones into its scripts too.
fn visible(command: &clap::Command) -> clap::Command {
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    clap::Command::new(env!("CARGO_PKG_NAME"))
        .version(env!("CARGO_PKG_VERSION"))
        .args(command.get_arguments().cloned())
        .subcommands(verbs.cloned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn hidden_verbs_are_in_no_script() {
        for shell in [
            Shell::Bash,
            Shell::Zsh,
            Shell::Fish,
            Shell::PowerShell,
            Shell::Elvish,
        ] {
            let mut command = visible(&crate::cli::Arguments::command());
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, "windlass", &mut script);
            let script = String::from_utf8(script).unwrap();
            assert!(script.contains("generate-key-pair"), "{shell}");
            assert!(script.contains("kubeconfig"), "{shell}");
            assert!(!script.contains("__complete"), "{shell}");
        }
    }
}
