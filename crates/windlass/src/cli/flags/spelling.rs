//! Go's spellings of flags: every boolean also takes a value, `--flag=true` or `--flag=F`, and of a
//! flag that is repeated the last one counts.
//!
//! clap lets a boolean have no value or always one. So the words are put into clap's form before it
//! reads them.

use std::borrow::Cow;
use std::ffi::OsString;

use clap::{Arg, ArgAction, Command};

/// The words in clap's form; the error is about a value that is none.
pub(in crate::cli) fn normal(
    words: Vec<OsString>,
    command: &Command,
) -> Result<Vec<OsString>, String> {
    let mut reader = Words {
        path: vec![command],
        read: Vec::with_capacity(words.len()),
    };
    let mut words = words.into_iter();
    reader.read.extend(words.next());
    while let Some(word) = words.next() {
        let Some(text) = word.to_str() else {
            reader.read.push(word);
            continue;
        };
        if text == "--" {
            reader.read.push(word);
            break;
        }
        if reader.take(text)? {
            // the value of a flag may look like a verb
            reader.read.extend(words.next());
        }
    }
    reader.read.extend(words);
    Ok(reader.read)
}

struct Words<'c> {
    /// The verbs so far.
    path: Vec<&'c Command>,
    read: Vec<OsString>,
}

impl Words<'_> {
    /// Takes a word; whether the next one is its value.
    fn take(&mut self, word: &str) -> Result<bool, String> {
        let word = &*self.long(word);
        let (name, value) = match word.split_once('=') {
            Some((name, value)) if word.starts_with('-') => (name, Some(value)),
            _ => (word, None),
        };
        let Some(flag) = self.flag(name) else {
            if !word.starts_with('-')
                && let Some(verb) = self.path.last().and_then(|verb| verb.find_subcommand(word))
            {
                self.path.push(verb);
            }
            self.read.push(word.into());
            return Ok(false);
        };
        let is_switch = matches!(flag.get_action(), ArgAction::SetTrue);
        match value {
            Some(value) if is_switch => {
                let names = names(flag);
                self.read
                    .retain(|word| !names.iter().any(|name| *word == **name));
                if boolean(name, value)? {
                    self.read.push(name.into());
                }
                Ok(false)
            }
            Some(value) if takes_boolean(flag) => {
                let value = boolean(name, value)?;
                self.read.push(format!("{name}={value}").into());
                Ok(false)
            }
            Some(_) => {
                self.read.push(word.into());
                Ok(false)
            }
            None => {
                let takes = matches!(flag.get_action(), ArgAction::Set | ArgAction::Append);
                let takes = takes && !flag.is_require_equals_set();
                self.read.push(word.into());
                Ok(takes)
            }
        }
    }

    /// The word, with the short form of cosign's `import-key-pair --key` written out: in every other verb
    /// that letter is the kubeconfig's.
    fn long<'w>(&self, word: &'w str) -> Cow<'w, str> {
        let is_there = self
            .path
            .last()
            .is_some_and(|verb| verb.get_name() == "import-key-pair");
        match word.strip_prefix("-k") {
            Some("") if is_there => "--key".into(),
            Some(rest) if is_there && rest.starts_with('=') => format!("--key{rest}").into(),
            _ => word.into(),
        }
    }

    /// The flag of the verb, or of one above it, that is typed like this.
    fn flag(&self, name: &str) -> Option<&Arg> {
        let long = name.strip_prefix("--");
        let short = name.strip_prefix('-').and_then(|rest| {
            let mut letters = rest.chars();
            letters.next().filter(|_| letters.as_str().is_empty())
        });
        let is_meant = |flag: &&Arg| match long {
            Some(long) => {
                let aliases = flag.get_all_aliases().unwrap_or_default();
                flag.get_long() == Some(long) || aliases.contains(&long)
            }
            None => short.is_some() && flag.get_short() == short,
        };
        let mut verbs = self.path.iter().rev();
        verbs.find_map(|verb| verb.get_arguments().find(is_meant))
    }
}

fn names(flag: &Arg) -> Vec<String> {
    let long = flag.get_long().map(|long| format!("--{long}"));
    let short = flag.get_short().map(|short| format!("-{short}"));
    long.into_iter().chain(short).collect()
}

fn takes_boolean(flag: &Arg) -> bool {
    let values = flag.get_possible_values();
    values.len() == 2
        && values
            .iter()
            .all(|value| matches!(value.get_name(), "true" | "false"))
}

fn boolean(name: &str, value: &str) -> Result<bool, String> {
    match value {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(format!(
            "{value:?} is no value of {name}; use true or false"
        )),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Arguments;

    fn read(line: &str) -> Result<String, String> {
        let words = line.split_whitespace().map(OsString::from).collect();
        let command = crate::cli::flags::with_all(Arguments::command());
        let read = normal(words, &command)?;
        let read: Vec<_> = read.iter().map(|word| word.to_string_lossy()).collect();
        Ok(read.join(" "))
    }

    #[test]
    fn a_boolean_takes_each_value_that_go_reads() {
        for (typed, meant) in [
            (
                "w tr list --all-namespaces=true",
                "w tr list --all-namespaces",
            ),
            ("w tr list --all-namespaces=F", "w tr list"),
            ("w tr list -A=1 -n x", "w tr list -A -n x"),
            ("w tr list -A --all-namespaces=false", "w tr list"),
            (
                "w sign-blob --yes=T --b64=0 f",
                "w sign-blob --yes --b64=false f",
            ),
            (
                "w verify --sk=false --offline=true i",
                "w verify --offline i",
            ),
            (
                "w tr describe --last=false --last=true",
                "w tr describe --last",
            ),
        ] {
            assert_eq!(read(typed).unwrap(), meant);
        }
        let refusal = read("w tr list --all-namespaces=maybe").unwrap_err();
        assert!(refusal.contains("use true or false"), "{refusal}");
        assert!(read("w tr list -A=").is_err());
    }

    #[test]
    fn what_is_no_boolean_stays_as_it_is() {
        for line in [
            "w --context verify tr list --limit=0 -o json",
            "w verify --key=cosign.pub image=x",
            "w sign-blob --key k -- --yes=true",
            "w unknown --all-namespaces=true",
        ] {
            assert_eq!(read(line).unwrap(), line);
        }
    }
}
