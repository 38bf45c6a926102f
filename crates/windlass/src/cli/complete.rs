//! `__complete`: what a shell offers for the word under the cursor, for the scripts of
//! [`super::completions`].
//!
//! It is asked at each press of a key, so it says nothing if a cluster does not respond at once, and
//! never more than a screen can show. Names are offered only if a shell reads nothing else in them.

use std::process::ExitCode;
use std::time::Duration;

use windlass_core::run::Kind;

use super::output;
use crate::cluster::Connection;
use crate::inspect::names;
use crate::inspect::selector::kind_of;

/// Longest that a shell waits.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most words that are offered.
const MOST: usize = 200;
const OUTPUTS: [&str; 8] = [
    "json",
    "yaml",
    "name",
    "jsonpath=",
    "jsonpath-as-json=",
    "jsonpath-file=",
    "go-template=",
    "go-template-file=",
];
const FORMATS: [&str; 4] = ["in-toto", "slsa/v2alpha4", "slsa/v2alpha3", "tekton"];
const TYPES: [&str; 8] = [
    "slsaprovenance",
    "slsaprovenance1",
    "spdxjson",
    "cyclonedx",
    "vuln",
    "openvex",
    "link",
    "custom",
];

/// Print what can stand for the last word
#[derive(Debug, clap::Args)]
pub(crate) struct Complete {
    /// The words so far, the one under the cursor last
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// What is offered.
#[derive(Debug, PartialEq, Eq)]
enum Offer {
    Words(Vec<String>),
    Namespaces,
    /// Runs of a kind, each behind this.
    Runs(Kind, String),
    /// Whatever the static script offers.
    Nothing,
}

impl Complete {
    /// Prints the words, one a line; nothing if there are none.
    pub(crate) async fn run(
        self,
        connection: &Connection,
        command: &clap::Command,
    ) -> anyhow::Result<ExitCode> {
        let (current, before) = match self.words.split_last() {
            Some((current, before)) => (current.as_str(), before),
            None => ("", &[][..]),
        };
        let words = match offer(before, current, command) {
            Offer::Words(words) => words,
            Offer::Nothing => Vec::new(),
            // a shell shows no errors
            from_cluster => {
                let asked = ask(&from_cluster, namespace(before), connection);
                let asked = tokio::time::timeout(PATIENCE, asked).await;
                asked.ok().and_then(Result::ok).unwrap_or_default()
            }
        };
        let fitting = words.iter().filter(|word| word.starts_with(current));
        let lines = fitting.take(MOST).flat_map(|word| [word, "\n"]);
        output::write(lines.collect::<String>())?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn ask(
    offer: &Offer,
    namespace: Option<&str>,
    connection: &Connection,
) -> anyhow::Result<Vec<String>> {
    let client = connection.connect().await?;
    let namespace = namespace.unwrap_or(client.default_namespace());
    Ok(match offer {
        Offer::Namespaces => names::namespaces(&client).await?,
        Offer::Runs(kind, before) => {
            let names = names::runs(&client, *kind, namespace).await?;
            names.iter().map(|name| format!("{before}{name}")).collect()
        }
        Offer::Words(_) | Offer::Nothing => Vec::new(),
    })
}

/// The namespace that was typed.
fn namespace(words: &[String]) -> Option<&str> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "-n" || word == "--namespace" {
            return words.next().map(String::as_str);
        }
        if let Some(name) = word.strip_prefix("--namespace=") {
            return Some(name);
        }
    }
    None
}

fn offer(before: &[String], current: &str, command: &clap::Command) -> Offer {
    let words = |words: &[&str]| Offer::Words(words.iter().map(ToString::to_string).collect());
    let (verb, rest) = verb(before, command);
    match before.last().map(String::as_str) {
        Some("-n" | "--namespace" | "--system-namespace" | "--chains-namespace") => {
            return Offer::Namespaces;
        }
        Some("-o" | "--output") => {
            return formats(verb).map_or_else(|| words(&OUTPUTS), Offer::Words);
        }
        Some("--format") => return words(&FORMATS),
        Some("--type") => return words(&TYPES),
        _ => {}
    }
    if current.starts_with('-') {
        return Offer::Nothing;
    }
    match rest.as_slice() {
        [kind, "describe" | "logs" | "cancel" | "delete"] => match kind_of(kind) {
            Ok(kind) => Offer::Runs(kind, String::new()),
            Err(_) => Offer::Nothing,
        },
        ["chain", _] => Offer::Runs(Kind::Task, String::new()),
        ["verify" | "trace" | "explain" | "payload" | "attest" | "resign"] => {
            let last = before.last().and_then(|word| kind_of(word).ok());
            match (last, current.split_once('/')) {
                (Some(kind), _) => Offer::Runs(kind, String::new()),
                (None, Some((word, _))) => match kind_of(word) {
                    Ok(kind) => Offer::Runs(kind, format!("{word}/")),
                    Err(_) => Offer::Nothing,
                },
                (None, None) if "taskrun/".starts_with(current) && !current.is_empty() => {
                    words(&["taskrun/"])
                }
                (None, None) if "pipelinerun/".starts_with(current) && !current.is_empty() => {
                    words(&["pipelinerun/"])
                }
                _ => Offer::Nothing,
            }
        }
        _ => Offer::Nothing,
    }
}

/// The verb that was typed, and its path by its names.
fn verb<'a>(words: &[String], command: &'a clap::Command) -> (&'a clap::Command, Vec<&'a str>) {
    let (mut verb, mut path) = (command, Vec::new());
    for word in words {
        if let Some(below) = verb.find_subcommand(word) {
            verb = below;
            path.push(below.get_name());
        }
    }
    (verb, path)
}

/// The formats that a verb lists.
fn formats(verb: &clap::Command) -> Option<Vec<String>> {
    let mut arguments = verb.get_arguments();
    let output = arguments.find(|argument| argument.get_long() == Some("output"))?;
    let values: Vec<String> = output
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    (!values.is_empty()).then_some(values)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Arguments;

    fn offered(line: &str) -> Offer {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (current, before) = words.split_last().unwrap();
        offer(before, current, &Arguments::command())
    }

    #[test]
    fn runs_are_offered_where_a_run_is_named() {
        for (line, kind, before) in [
            ("tr describe ", Kind::Task, ""),
            ("taskrun logs -n a b", Kind::Task, ""),
            ("pr describe ", Kind::Pipeline, ""),
            ("chain payload ", Kind::Task, ""),
            ("verify --key k taskrun/b", Kind::Task, "taskrun/"),
            ("trace pr/", Kind::Pipeline, "pr/"),
            ("explain pipelinerun ", Kind::Pipeline, ""),
        ] {
            assert_eq!(
                offered(line),
                Offer::Runs(kind, before.to_owned()),
                "{line}"
            );
        }
        for line in ["tr list ", "verify ", "verify --k", "", "pod describe "] {
            assert_eq!(offered(line), Offer::Nothing, "{line}");
        }
    }

    #[test]
    fn formats_are_those_of_the_verb() {
        let has = |line: &str, word: &str| {
            let Offer::Words(words) = offered(line) else {
                panic!("{line}");
            };
            words.iter().any(|one| one == word)
        };
        assert!(has("trace -o ", "svg"));
        assert!(!has("trace -o ", "yaml"));
        assert!(has("tr list -o ", "yaml"));
        assert!(has("explain --format ", "slsa/v2alpha4"));
        assert!(has("verify --type ", "slsaprovenance1"));
        assert!(has("verify ta", "taskrun/"));
        assert_eq!(offered("tr list -n "), Offer::Namespaces);
    }

    #[test]
    fn the_namespace_that_was_typed_is_looked_in() {
        let typed = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            namespace(&words).map(str::to_owned)
        };
        assert_eq!(typed("tr describe -n a").as_deref(), Some("a"));
        assert_eq!(typed("tr --namespace=b list").as_deref(), Some("b"));
        assert_eq!(typed("tr list"), None);
    }
}
