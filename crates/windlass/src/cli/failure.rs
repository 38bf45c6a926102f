//! Errors as they are printed: a line for people, and with `-o json` an object for programs, which
//! get one object on standard output whatever happens.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Command;
use serde_json::json;
use windlass_core::error::Chain;

use super::output;
use crate::cluster::Connection;

/// Exit code for "could not be done or checked".
const FAILURE: u8 = 2;

/// Who reads what goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    Person,
    /// A program that asked for JSON.
    Program,
    /// A program that asked for a verdict as JSON.
    Verifier,
}

impl Reader {
    /// Who reads, by the arguments as they are typed: they may be the error.
    pub(super) fn of(arguments: &[OsString], command: &Command) -> Self {
        let texts: Vec<&str> = arguments.iter().filter_map(|text| text.to_str()).collect();
        let mut names = texts.iter().skip(1);
        let verb = names.find_map(|text| command.find_subcommand(text));
        let Some(verb) = verb.map(Command::get_name) else {
            return Self::Person;
        };
        let is_json = |format: &str| matches!(format, "json" | "report" | "report-json");
        let mut pairs = texts.windows(2);
        let spaced = pairs.any(|pair| matches!(pair[0], "-o" | "--output") && is_json(pair[1]));
        let joined = |text: &&str| {
            let prefixes = ["--output=", "-o=", "-o"];
            let format = prefixes.iter().find_map(|prefix| text.strip_prefix(prefix));
            format.is_some_and(is_json)
        };
        let wants_json = spaced || texts.iter().any(joined);
        match verb {
            // its option names a file
            "attest" => Self::Person,
            _ if !wants_json => Self::Person,
            "verify" => Self::Verifier,
            _ => Self::Program,
        }
    }

    /// Prints the error, with its causes on one line, and gives the exit code for it.
    pub(super) fn fail(self, error: &anyhow::Error) -> ExitCode {
        let text = Chain(error.as_ref()).to_string();
        self.object(&text);
        output::note(&format!("error: {text}"));
        ExitCode::from(FAILURE)
    }

    /// The same for an error that the cluster may have caused.
    pub(super) fn fail_at(self, connection: &Connection, error: &anyhow::Error) -> ExitCode {
        let text = Chain(error.as_ref()).to_string();
        match connection.advice(&text) {
            Some(advice) => self.fail(&anyhow::anyhow!("{text}; {advice}")),
            None => self.fail(error),
        }
    }

    /// Prints what clap has to say of the arguments, an error or a help text.
    pub(super) fn usage(self, error: &clap::Error) -> ExitCode {
        if error.use_stderr() {
            let text = error.to_string();
            self.object(text.trim_start_matches("error: ").trim_end());
        }
        // a reader that went away is no error
        let _ = error.print();
        u8::try_from(error.exit_code()).map_or(ExitCode::from(FAILURE), ExitCode::from)
    }

    fn object(self, error: &str) {
        let object = match self {
            Self::Person => return,
            Self::Program => json!({ "error": error }),
            Self::Verifier => json!({ "verified": false, "error": error }),
        };
        if let Err(error) = output::write(format!("{object:#}\n")) {
            output::note(&format!("error: {}", Chain(error.as_ref())));
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Arguments;

    fn reader(line: &str) -> Reader {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        Reader::of(&words, &Arguments::command())
    }

    #[test]
    fn a_program_is_known_by_its_output_option_however_it_is_spelt() {
        for option in [
            "-o json",
            "-ojson",
            "-o=json",
            "--output json",
            "--output=json",
        ] {
            let line = format!("windlass --context x verify --bad {option} image");
            assert_eq!(reader(&line), Reader::Verifier, "{option}");
            let line = format!("windlass tr list {option}");
            assert_eq!(reader(&line), Reader::Program, "{option}");
        }
        for line in [
            "windlass -o json",
            "windlass verify -o text image",
            "windlass attest -f run.yaml -o json",
        ] {
            assert_eq!(reader(line), Reader::Person, "{line}");
        }
    }
}
