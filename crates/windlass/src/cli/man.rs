//! `man DIR`: manual pages, one for each verb, from the help that the verbs have.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Arg, Command};

use super::output;
use crate::local_file;

/// Write the manual pages to a folder
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass man ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// Folder for the pages; it is made if it does not exist
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
}

impl Man {
    /// Writes the pages of `command`, the whole command line.
    pub(crate) fn run(self, mut command: Command) -> anyhow::Result<ExitCode> {
        command.build();
        std::fs::create_dir_all(&self.folder).with_context(|| {
            let folder = self.folder.display();
            format!("cannot make the folder {folder}; name one that you may write to")
        })?;
        let count = write(&self.folder, &command)?;
        output::note(&format!("{count} pages in {}", self.folder.display()));
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes the page of a verb and of those below it, and counts them.
fn write(folder: &Path, command: &Command) -> anyhow::Result<usize> {
    let name = name_of(command);
    let path = folder.join(format!("{name}.1"));
    local_file::output(&path, page(command, &name).as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))?;
    let mut count = 1;
    for below in shown(command) {
        count += write(folder, below)?;
    }
    Ok(count)
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    let verbs = command.get_subcommands();
    verbs.filter(|verb| !verb.is_hide_set() && verb.get_name() != "help")
}

fn name_of(command: &Command) -> String {
    let name = command.get_bin_name().unwrap_or(command.get_name());
    name.replace(' ', "-")
}

fn page(command: &Command, name: &str) -> String {
    let about = command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    let mut text = format!(
        ".TH {} 1 \"\" \"windlass {}\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n{}\n",
        quoted(&name.to_uppercase()),
        env!("CARGO_PKG_VERSION"),
        plain(name),
        plain(&about),
        plain(
            command
                .clone()
                .render_usage()
                .to_string()
                .trim_start_matches("Usage: ")
        ),
    );
    if let Some(long) = command.get_long_about() {
        section(&mut text, "DESCRIPTION", &paragraphs(&long.to_string()));
    }
    let mut verbs = String::new();
    for verb in shown(command) {
        let about = verb.get_about().map(ToString::to_string);
        let (name, about) = (plain(&name_of(verb)), plain(&about.unwrap_or_default()));
        // writing to a string cannot fail
        let _ = write!(verbs, ".TP\n\\fB{name}\\fR(1)\n{about}\n");
    }
    section(&mut text, "COMMANDS", &verbs);
    let options = command
        .get_arguments()
        .filter(|option| !option.is_hide_set());
    section(
        &mut text,
        "OPTIONS",
        &options.map(option).collect::<String>(),
    );
    if let Some(help) = command.get_after_help() {
        let help = plain(&help.to_string());
        section(
            &mut text,
            "EXAMPLES AND NOTES",
            &format!(".nf\n{help}\n.fi\n"),
        );
    }
    text + ".SH EXIT STATUS\n0 done or valid, 1 checked and not valid, 2 not done or not checked\n"
}

fn section(text: &mut String, title: &str, content: &str) {
    if !content.is_empty() {
        // writing to a string cannot fail
        let _ = write!(text, ".SH {title}\n{content}");
    }
}

fn option(argument: &Arg) -> String {
    let short = argument.get_short().map(|short| format!("-{short}"));
    let long = argument.get_long().map(|long| format!("--{long}"));
    let values = argument.get_value_names().unwrap_or_default();
    let values: Vec<String> = values.iter().map(|value| format!("<{value}>")).collect();
    let flags: Vec<String> = short.into_iter().chain(long).collect();
    let takes_value = argument.get_action().takes_values();
    let head = [
        flags.join(", "),
        if takes_value {
            values.join(" ")
        } else {
            String::new()
        },
    ];
    let help = argument
        .get_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    format!(".TP\n{}\n{}\n", plain(head.join(" ").trim()), plain(&help))
}

fn paragraphs(text: &str) -> String {
    plain(text).replace("\n\n", "\n.PP\n") + "\n"
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', ""))
}

/// Text without what troff reads as requests and escapes.
fn plain(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-");
    let lines = escaped.lines().map(|line| {
        if line.starts_with(['.', '\'']) {
            format!("\\&{line}")
        } else {
            line.to_owned()
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_request_of_troff() {
        assert_eq!(plain(".so x\n'y\n\\fB -"), "\\&.so x\n\\&'y\n\\efB \\-");
    }
}
