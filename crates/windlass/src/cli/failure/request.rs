//! What a command line asks for, read without clap: the words may be what is wrong with it.

use std::ffi::OsString;

use clap::{Arg, Command};

/// The flag that names a format.
const LONG: &str = "output";
const SHORT: char = 'o';

/// The verb that is asked for, and the format of its output.
pub(super) struct Request<'c> {
    /// The program, its verb, and the verb below that.
    path: Vec<&'c Command>,
    format: Option<String>,
}

impl<'c> Request<'c> {
    /// Reads the words as far as they are known.
    pub(super) fn of(words: &[OsString], command: &'c Command) -> Self {
        let mut request = Self {
            path: vec![command],
            format: None,
        };
        let texts: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
        let mut texts = texts.into_iter().skip(1);
        while let Some(word) = texts.next() {
            if word == "--" {
                break;
            }
            let Some((name, value)) = request.flag(word) else {
                request.enter(word);
                continue;
            };
            let value = match value {
                Value::None => continue,
                Value::Joined(value) => Some(value),
                Value::Next => texts.next(),
            };
            if name == LONG {
                request.format = value.map(str::to_owned);
            }
        }
        request
    }

    /// The name of the verb below the program.
    pub(super) fn verb(&self) -> Option<&'c str> {
        self.path.get(1).map(|verb| verb.get_name())
    }

    /// The format, as it is typed or by default.
    pub(super) fn format(&self) -> Option<&str> {
        self.format.as_deref().or_else(|| {
            let flag = self.known(|flag| flag.get_long() == Some(LONG))?;
            flag.get_default_values().first()?.to_str()
        })
    }

    fn enter(&mut self, word: &str) {
        let verb = self.path.last();
        self.path
            .extend(verb.and_then(|verb| verb.find_subcommand(word)));
    }

    /// The flag of a word, and where its value is; `None` if the word is no flag. Of several short
    /// flags in a word it is the last one, which alone can have a value.
    fn flag<'w>(&self, word: &'w str) -> Option<(&'c str, Value<'w>)> {
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (long, None),
            };
            let is_meant = |flag: &Arg| {
                let aliases = flag.get_all_aliases().unwrap_or_default();
                flag.get_long() == Some(name) || aliases.contains(&name)
            };
            let flag = self.known(is_meant);
            let takes = flag.map_or(name == LONG, takes_next);
            let name = flag.and_then(Arg::get_long);
            let name = name.unwrap_or(if long.starts_with(LONG) { LONG } else { "" });
            return Some((name, Value::of(value, takes)));
        }
        let cluster = word.strip_prefix('-').filter(|rest| !rest.is_empty())?;
        for (at, letter) in cluster.char_indices() {
            let flag = self.known(|flag| flag.get_short() == Some(letter));
            if !flag.map_or(letter == SHORT, takes_next) {
                continue;
            }
            let rest = &cluster[at + letter.len_utf8()..];
            let value = (!rest.is_empty()).then(|| rest.strip_prefix('=').unwrap_or(rest));
            let name = if letter == SHORT { LONG } else { "" };
            return Some((name, Value::of(value, true)));
        }
        Some(("", Value::None))
    }

    /// The flag of the verb, or of one above it, that is meant.
    fn known(&self, is_meant: impl Fn(&Arg) -> bool) -> Option<&'c Arg> {
        let mut verbs = self.path.iter().rev();
        verbs.find_map(|verb| verb.get_arguments().find(|flag| is_meant(flag)))
    }
}

/// Where the value of a flag is.
enum Value<'w> {
    None,
    /// In the same word.
    Joined(&'w str),
    /// It is the next word.
    Next,
}

impl<'w> Value<'w> {
    fn of(joined: Option<&'w str>, takes_next: bool) -> Self {
        match joined {
            Some(value) => Self::Joined(value),
            None if takes_next => Self::Next,
            None => Self::None,
        }
    }
}

fn takes_next(flag: &Arg) -> bool {
    flag.get_action().takes_values() && !flag.is_require_equals_set()
}
