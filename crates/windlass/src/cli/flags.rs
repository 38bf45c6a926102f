//! Flags of cosign and tkn that windlass has no use for, and the spellings of Go.
//!
//! A command line that was written for the originals runs unchanged: what cannot matter is taken and
//! ignored, and the help says so; what asks for something that windlass does not do is refused with
//! the reason, since it would be worse to do something else. The flags themselves are in [`table`].

use clap::{Arg, ArgAction, ArgMatches, Command};

mod spelling;
mod table;

pub(super) use self::spelling::normal;
use self::table::{Flag, TABLE, Use};

/// The command line with these flags, which are not in its help one by one.
pub(super) fn with_all(mut command: Command) -> Command {
    for (verbs, flags) in TABLE {
        for verb in verbs {
            let path: Vec<&str> = verb.split(' ').collect();
            command = within(command, &path, &|verb| add(verb, flags));
        }
    }
    command
}

/// Changes the command below a path.
fn within(command: Command, path: &[&str], change: &dyn Fn(Command) -> Command) -> Command {
    let Some((first, rest)) = path.split_first() else {
        return change(command);
    };
    if command.find_subcommand(first).is_none() {
        return command;
    }
    let name = (*first).to_owned();
    command.mut_subcommand(name, |verb| within(verb, rest, change))
}

fn add(mut verb: Command, flags: &'static [Flag]) -> Command {
    let known: Vec<String> = verb
        .get_arguments()
        .filter_map(|argument| argument.get_long().map(str::to_owned))
        .collect();
    let new = || {
        flags
            .iter()
            .filter(|flag| !known.iter().any(|name| name == flag.long))
    };
    for flag in new() {
        let mut argument =
            Arg::new(flag.long)
                .long(flag.long)
                .hide(true)
                .action(if flag.takes_value {
                    ArgAction::Append
                } else {
                    ArgAction::SetTrue
                });
        if flag.takes_value {
            argument = argument.allow_hyphen_values(true).num_args(1);
        }
        if let Some(short) = flag.short {
            argument = argument.short(short);
        }
        verb = verb.arg(argument);
    }
    let ignored: Vec<String> = new()
        .filter(|flag| matches!(flag.then, Use::Ignored))
        .map(|flag| match flag.short {
            Some(short) => format!("-{short}/--{}", flag.long),
            None => format!("--{}", flag.long),
        })
        .collect();
    if ignored.is_empty() {
        return verb;
    }
    let note = format!(
        "Accepted for compatibility, without effect:\n{}",
        lines(&ignored)
    );
    let help = match verb.get_after_help() {
        Some(help) if help.to_string().contains("Accepted for compatibility") => {
            format!("{help},\n{}", lines(&ignored))
        }
        Some(help) => format!("{help}\n\n{note}"),
        None => note,
    };
    verb.after_help(help)
}

/// Words in lines that are short enough for any terminal.
fn lines(words: &[String]) -> String {
    const WIDTH: usize = 78;
    let mut text = String::new();
    let mut width = 0;
    for (number, word) in words.iter().enumerate() {
        let comma = if number + 1 < words.len() { "," } else { "" };
        if width > 0 && width + word.len() + 2 > WIDTH {
            text.push('\n');
            width = 0;
        }
        let blank = if width == 0 { "  " } else { " " };
        text.extend([blank, word, comma]);
        width += word.len() + 2;
    }
    text
}

/// Why a command line cannot be run as it is meant; nothing if it can.
pub(super) fn refusal(matches: &ArgMatches) -> Option<String> {
    let mut path = Vec::new();
    let mut matches = matches;
    while let Some((verb, below)) = matches.subcommand() {
        path.push(verb);
        matches = below;
    }
    let path = path.join(" ");
    let flags = TABLE
        .iter()
        .filter(|(verbs, _)| verbs.contains(&path.as_str()))
        .flat_map(|(_, flags)| flags.iter());
    flags
        .filter(|flag| match matches.try_contains_id(flag.long) {
            Ok(true) => flag.takes_value || matches.get_flag(flag.long),
            _ => false,
        })
        .find_map(|flag| match flag.then {
            Use::Ignored => None,
            Use::Refused(why) => Some(format!("--{} is not supported: {why}", flag.long)),
        })
}
