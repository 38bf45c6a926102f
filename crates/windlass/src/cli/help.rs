//! Help texts as they are shown: examples on lines of their own whatever the width of the terminal, and
//! the verbs of the program in groups.
//!
//! clap breaks every text at the width of the terminal, and an example that is broken cannot be pasted;
//! and it has no groups of verbs. Blanks within examples are written so that it does not break there,
//! and turned back when a help text is shown.

use clap::Command;
use clap::builder::StyledStr;

use super::output::look::{Look, uncoloured};

/// A blank at which clap breaks no line.
const UNBROKEN: char = '\u{a0}';

/// Narrowest help, in characters.
const LEAST_WIDTH: usize = 40;

/// The verbs of the program, by what they are for.
const GROUPS: [(&str, &[&str]); 8] = [
    (
        "Verify",
        &[
            "verify",
            "trace",
            "verify-attestation",
            "verify-blob",
            "verify-blob-attestation",
            "trust",
        ],
    ),
    ("Runs", &["taskrun", "pipelinerun", "chain"]),
    ("Before it is signed", &["explain", "payload"]),
    ("Sign", &["sign", "attest", "sign-blob", "attest-blob"]),
    (
        "Keys",
        &["generate-key-pair", "import-key-pair", "public-key"],
    ),
    (
        "Registries",
        &[
            "registry",
            "login",
            "tree",
            "triangulate",
            "download",
            "copy",
            "save",
            "load",
        ],
    ),
    (
        "Operate",
        &[
            "install",
            "controller",
            "doctor",
            "audit",
            "resign",
            "migrate",
            "uninstall",
        ],
    ),
    (
        "Try and set up",
        &[
            "demo",
            "dev",
            "completions",
            "man",
            "env",
            "version",
            "help",
        ],
    ),
];

/// The command line with examples that are not broken, each of the verb that it stands at.
pub(super) fn prepared(command: Command) -> Command {
    let columns = std::env::var("COLUMNS").ok();
    let command = match columns.as_deref().and_then(too_narrow) {
        Some(width) => command.term_width(width),
        None => command,
    };
    let command = with_whole_examples(command);
    if command.find_subcommand("pipelinerun").is_none() {
        return command;
    }
    command.mut_subcommand("pipelinerun", |verb| {
        ["list", "describe"].into_iter().fold(verb, |verb, shared| {
            verb.mut_subcommand(shared, |verb| {
                let help = verb.get_after_help().map(ToString::to_string);
                let own = |help: String| {
                    let from = format!("windlass{UNBROKEN}tr{UNBROKEN}");
                    help.replace(&from, &format!("windlass{UNBROKEN}pr{UNBROKEN}"))
                };
                match help {
                    Some(help) => verb.after_help(own(help)),
                    None => verb,
                }
            })
        })
    })
}

/// The width to take instead of one of `COLUMNS` that leaves room for a word at most.
fn too_narrow(columns: &str) -> Option<usize> {
    let width = columns.trim().parse::<usize>().ok();
    width.filter(|width| *width < LEAST_WIDTH)?;
    Some(LEAST_WIDTH)
}

fn with_whole_examples(command: Command) -> Command {
    let verbs: Vec<String> = command
        .get_subcommands()
        .map(|verb| verb.get_name().to_owned())
        .collect();
    let command = verbs.into_iter().fold(command, |command, verb| {
        command.mut_subcommand(verb, with_whole_examples)
    });
    match command.get_after_help().map(ToString::to_string) {
        Some(help) => {
            let lines: Vec<String> = help.lines().map(whole).collect();
            command.after_help(lines.join("\n"))
        }
        None => command,
    }
}

/// An example is indented; text is not.
fn whole(line: &str) -> String {
    if line.starts_with("  ") {
        line.replace(' ', &UNBROKEN.to_string())
    } else {
        line.to_owned()
    }
}

/// A help text as it is shown.
pub(super) fn shown(text: &StyledStr, look: Look) -> String {
    let text = if look == Look::PLAIN {
        text.to_string()
    } else {
        text.ansi().to_string()
    };
    grouped(&text).replace(UNBROKEN, " ")
}

/// The text with the list of the program's verbs in groups; any other text is left as it is.
fn grouped(text: &str) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    let is_heading = |line: &&str| plain(line) == "Commands:";
    let Some(begin) = lines.iter().position(is_heading) else {
        return text.to_owned();
    };
    let length = lines[begin + 1..].iter().position(|line| line.is_empty());
    let end = begin + 1 + length.unwrap_or(lines.len() - begin - 1);
    let mut entries: Vec<Vec<&str>> = Vec::new();
    for line in &lines[begin + 1..end] {
        match entries.last_mut() {
            // further lines are indented as far as what a verb does
            Some(entry) if plain(line).starts_with("   ") => entry.push(line),
            _ => entries.push(vec![line]),
        }
    }
    let name = |entry: &[&str]| {
        let words = plain(entry.first().unwrap_or(&""));
        words
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    if !entries.iter().any(|entry| name(entry) == "explain") {
        return text.to_owned();
    }
    let mut grouped: Vec<String> = lines[..begin].iter().map(ToString::to_string).collect();
    let heading = lines[begin];
    for (title, verbs) in GROUPS {
        grouped.push(heading.replace("Commands", title));
        let own = verbs.iter().filter_map(|verb| {
            let mut entries = entries.iter();
            entries.find(|entry| name(entry) == **verb)
        });
        grouped.extend(own.flatten().map(ToString::to_string));
        grouped.push(String::new());
    }
    grouped.pop();
    grouped.extend(lines[end..].iter().map(ToString::to_string));
    grouped.join("\n")
}

/// The line without colours.
fn plain(line: &str) -> String {
    uncoloured(line).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::{Arguments, flags};

    fn command() -> Command {
        prepared(flags::with_all(Arguments::command()))
    }

    /// Every verb, with those below it.
    fn all(command: &Command, found: &mut Vec<Command>) {
        for verb in command.get_subcommands() {
            if !verb.is_hide_set() && verb.get_name() != "help" {
                found.push(verb.clone());
                all(verb, found);
            }
        }
    }

    #[test]
    fn every_verb_is_in_one_group() {
        let mut command = command();
        command.build();
        let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
        let mut verbs: Vec<&str> = verbs.map(Command::get_name).collect();
        let mut grouped: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, verbs)| *verbs)
            .copied()
            .collect();
        verbs.sort_unstable();
        grouped.sort_unstable();
        if cfg!(feature = "sandbox") {
            assert_eq!(verbs, grouped);
        }
        let help = shown(&command.clone().render_help(), Look::PLAIN);
        assert!(help.contains("\nKeys:\n  generate-key-pair "), "{help}");
        assert!(!help.contains("Commands:"), "{help}");
        for verb in verbs {
            let lines = help.lines();
            let lines = lines.filter(|line| line.starts_with(&format!("  {verb} ")));
            assert_eq!(lines.count(), 1, "{verb}: {help}");
        }
    }

    #[test]
    fn no_example_is_broken_on_a_narrow_terminal_and_every_verb_has_one() {
        let mut verbs = Vec::new();
        all(&command(), &mut verbs);
        for verb in verbs {
            let name = verb.get_name().to_owned();
            let help = verb.get_after_help().map(ToString::to_string);
            let help = help.unwrap_or_default().replace(UNBROKEN, " ");
            assert!(help.contains("Examples:\n  "), "{name} has no example");
            let mut narrow = verb.clone().term_width(60);
            let text = shown(&narrow.render_long_help(), Look::PLAIN);
            for line in help.lines().filter(|line| line.starts_with("  ")) {
                assert!(
                    text.lines().any(|shown| shown == line),
                    "{name}: {line:?}\n{text}"
                );
            }
        }
    }

    #[test]
    fn examples_of_pipeline_runs_are_about_them() {
        let command = command();
        let runs = command.find_subcommand("pipelinerun").unwrap();
        for verb in ["list", "describe"] {
            let verb = runs.find_subcommand(verb).unwrap();
            let help = verb.get_after_help().unwrap().to_string();
            assert!(help.contains("windlass\u{a0}pr\u{a0}"), "{help}");
            assert!(!help.contains("windlass\u{a0}tr\u{a0}"), "{help}");
        }
    }
}
