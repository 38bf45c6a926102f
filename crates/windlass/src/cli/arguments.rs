//! The command line as it is typed, turned into the one that clap reads.
//!
//! Tekton's operator starts the image of the controller without a verb and with the flags of Tekton
//! Chains, which the package `flag` of Go reads: one dash or two, a value behind `=` or in the next
//! word. So a command line that has flags and no verb is the controller's, as is an empty one in a pod,
//! and the flags of the controller may be written in Go's way. In verbs of cosign, which takes `-key` for
//! `--key`, so does windlass. The words of every other verb are left as they are, since `-o` and `-n` are
//! short flags there.

use std::ffi::{OsStr, OsString};

use clap::{Arg, Command};

use super::original;

/// The verb whose flags are those of Tekton Chains.
const CONTROLLER: &str = "controller";
/// Words that ask for the help or the version of the program itself, if they come first.
const ABOUT: [&str; 4] = ["-h", "--help", "-V", "--version"];

/// Where the program is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a pod of a cluster.
    Pod,
    Elsewhere,
}

impl Place {
    /// Every pod is told where its API server is.
    pub(super) fn here() -> Self {
        if std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
            Self::Pod
        } else {
            Self::Elsewhere
        }
    }
}

/// The command line for clap: with the verb `controller` where it is meant, and with its flags in
/// clap's way.
pub(super) fn read(typed: Vec<OsString>, place: Place, command: &Command) -> Vec<OsString> {
    if !command
        .get_subcommands()
        .any(|verb| verb.get_name() == CONTROLLER && !verb.is_hide_set())
    {
        // called by the name of another program
        return as_cosign(typed, command);
    }
    let flags = Flags::of(command);
    let Some((program, words)) = typed.split_first() else {
        return typed;
    };
    let (before, after) = match flags.verb(words) {
        Some(at) if words[at] == CONTROLLER => (&words[..at], &words[at + 1..]),
        Some(_) => return as_cosign(typed, command),
        None => match words.first() {
            None if place == Place::Elsewhere => return typed,
            Some(first) if ABOUT.iter().any(|word| first == word) => return typed,
            // what many programs take for --version; the verbosity of Go's flags has a number
            Some(first) if first == "-v" && words.len() == 1 => {
                return vec![program.clone(), "--version".into()];
            }
            _ => (&[][..], words),
        },
    };
    let mut line = vec![program.clone()];
    line.extend(flags.spelt_out(before));
    line.push(CONTROLLER.into());
    line.extend(flags.spelt_out(after));
    line
}

/// The words of a verb of cosign with two dashes before every flag that has a long name.
fn as_cosign(typed: Vec<OsString>, command: &Command) -> Vec<OsString> {
    let words = typed.get(1..).unwrap_or_default();
    let Some(at) = Flags::of(command).verb(words).map(|at| at + 1) else {
        return typed;
    };
    let verb = typed[at].to_str();
    let verb = verb.filter(|verb| original::COSIGN.contains(verb));
    let Some(verb) = verb.and_then(|verb| command.find_subcommand(verb)) else {
        return typed;
    };
    let within = verb.get_subcommands().flat_map(Command::get_arguments);
    let args = verb.get_arguments().chain(within);
    let flags = Flags(args.chain(command.get_arguments()).collect());
    let mut is_flag = true;
    let mut line = typed;
    for word in &mut line[at + 1..] {
        is_flag &= word != "--";
        let short = name(word).filter(|_| is_flag && !word.as_encoded_bytes().starts_with(b"--"));
        if short.is_some_and(|(name, _)| name.len() > 1 && flags.find(name).is_some()) {
            let mut long = OsString::from("-");
            long.push(&*word);
            *word = long;
        }
    }
    line
}

/// The flags that may stand before a verb, and those of the controller.
struct Flags<'a>(Vec<&'a Arg>);

/// What follows the name of a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    /// The next word, unless there is a `=`.
    Separate,
    /// Nothing, or a value behind a `=`.
    Joined,
}

impl<'a> Flags<'a> {
    fn of(command: &'a Command) -> Self {
        let controller = command.find_subcommand(CONTROLLER);
        let own = controller.into_iter().flat_map(Command::get_arguments);
        Self(command.get_arguments().chain(own).collect())
    }

    /// Where the verb is.
    fn verb(&self, words: &[OsString]) -> Option<usize> {
        let mut at = 0;
        while let Some(word) = words.get(at) {
            match name(word) {
                None => return Some(at),
                Some((name, None)) if self.value(name) == Value::Separate => at += 2,
                Some(_) => at += 1,
            }
        }
        None
    }

    /// Flags with two dashes, each with its value.
    fn spelt_out(&self, words: &[OsString]) -> Vec<OsString> {
        let mut line = Vec::new();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let Some((name, joined)) = name(word) else {
                // Go reads no flags behind the first word that is none, and clap refuses that word
                line.push(word.clone());
                line.extend(words.cloned());
                break;
            };
            if name == "h" {
                line.push("-h".into());
                continue;
            }
            let found = self.find(name).and_then(Arg::get_long);
            let long = found.filter(|_| name.len() == 1).unwrap_or(name);
            let mut flag = OsString::from(format!("--{long}"));
            let value = match joined {
                Some(value) => Some(value.into()),
                None if self.value(name) == Value::Separate => words.next().cloned(),
                None => None,
            };
            if let Some(value) = value {
                flag.push("=");
                flag.push(value);
            }
            line.push(flag);
        }
        line
    }

    fn find(&self, name: &str) -> Option<&'a Arg> {
        let is_named = |arg: &&&Arg| {
            let aliases = arg.get_all_aliases().unwrap_or_default();
            arg.get_long() == Some(name) || aliases.contains(&name)
        };
        let is_short = |arg: &&&Arg| {
            let short = arg.get_short().map(String::from);
            short.as_deref() == Some(name)
        };
        let mut args = self.0.iter();
        let named = args.clone().find(is_named);
        named.or_else(|| args.find(is_short)).copied()
    }

    fn value(&self, name: &str) -> Value {
        match self.find(name) {
            Some(arg) if arg.get_action().takes_values() && !arg.is_require_equals_set() => {
                Value::Separate
            }
            _ => Value::Joined,
        }
    }
}

/// The name of a flag, and the value behind its `=`; `None` for a word that is no flag.
fn name(word: &OsStr) -> Option<(&str, Option<&str>)> {
    let text = word.to_str()?;
    let text = text.strip_prefix('-')?;
    let text = text.strip_prefix('-').unwrap_or(text);
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    (!name.is_empty()).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Arguments;

    fn read_in(place: Place, line: &str) -> String {
        let words = line.split_whitespace().map(OsString::from).collect();
        let read = read(words, place, &Arguments::command());
        let words: Vec<&str> = read.iter().filter_map(|word| word.to_str()).collect();
        words.join(" ")
    }

    #[test]
    fn a_program_of_another_name_has_no_controller() {
        for typed in ["cosign --key cosign.pub", "cosign", "tkn -n prod"] {
            let words: Vec<OsString> = typed.split_whitespace().map(OsString::from).collect();
            let called = words.first().map(OsString::as_os_str);
            let command = crate::cli::original::slice(Arguments::command(), called);
            assert_eq!(read(words.clone(), Place::Pod, &command), words, "{typed}");
        }
    }

    #[test]
    fn flags_without_a_verb_are_those_of_the_controller() {
        for (typed, expected) in [
            (
                "windlass -threads-per-controller=3 -kube-api-qps=40.03 -kube-api-burst=33 -disable-ha",
                "windlass controller --threads-per-controller=3 --kube-api-qps=40.03 \
                 --kube-api-burst=33 --disable-ha",
            ),
            (
                "windlass --namespace a,b -v 2 -logtostderr",
                "windlass controller --namespace=a,b --v=2 --logtostderr",
            ),
            (
                "windlass -kubeconfig config",
                "windlass controller --kubeconfig=config",
            ),
            ("windlass -unknown", "windlass controller --unknown"),
            // Go's help of the controller
            ("windlass -v=1 -h", "windlass controller --v=1 -h"),
        ] {
            assert_eq!(read_in(Place::Elsewhere, typed), expected, "{typed}");
        }
    }

    #[test]
    fn nothing_at_all_is_the_controller_in_a_pod_and_a_question_elsewhere() {
        assert_eq!(read_in(Place::Pod, "windlass"), "windlass controller");
        assert_eq!(read_in(Place::Elsewhere, "windlass"), "windlass");
    }

    #[test]
    fn flags_of_the_controller_take_one_dash_or_two_and_a_value_in_either_place() {
        for (typed, expected) in [
            (
                "windlass controller -namespace a --kube-api-qps 5 -disable-ha -h",
                "windlass controller --namespace=a --kube-api-qps=5 --disable-ha -h",
            ),
            (
                "windlass -context x controller -log-format text",
                "windlass --context=x controller --log-format=text",
            ),
            (
                "windlass -c prod -k=f controller -v=2",
                "windlass --context=prod --kubeconfig=f controller --v=2",
            ),
            // the value is the next word whatever it looks like
            (
                "windlass controller -namespace -a",
                "windlass controller --namespace=-a",
            ),
            // and what follows a word that is no flag is read by nobody
            (
                "windlass controller word -v=2",
                "windlass controller word -v=2",
            ),
            (
                "windlass controller -namespace",
                "windlass controller --namespace",
            ),
        ] {
            assert_eq!(read_in(Place::Pod, typed), expected, "{typed}");
        }
    }

    #[test]
    fn flags_of_a_verb_of_cosign_take_one_dash_or_two() {
        for (typed, expected) in [
            (
                "windlass verify -key cosign.pub -insecure-ignore-tlog=true -o json -a x=1 image",
                "windlass verify --key cosign.pub --insecure-ignore-tlog=true -o json -a x=1 image",
            ),
            (
                "windlass -c prod sign-blob -key=k -output-signature s -ojson blob",
                "windlass -c prod sign-blob --key=k --output-signature s -ojson blob",
            ),
            (
                "windlass verify-blob --signature s -kubeconfig f -- -key",
                "windlass verify-blob --signature s --kubeconfig f -- -key",
            ),
            ("windlass tr list -label a=b", "windlass tr list -label a=b"),
        ] {
            assert_eq!(read_in(Place::Elsewhere, typed), expected, "{typed}");
        }
    }

    #[test]
    fn the_words_of_other_verbs_are_left_as_they_are() {
        for typed in [
            "windlass -h",
            "windlass --version",
            "windlass tr list -n default -o json",
            "windlass --context x verify -o json image",
            "windlass --kubeconfig controller tr list -A",
            "windlass help controller",
            "windlass typo -o json",
        ] {
            assert_eq!(read_in(Place::Pod, typed), typed);
        }
    }
}
