//! Errors as they are printed: a line for people, and with `-o json` an object for programs, which
//! get one JSON value on standard output whatever happens.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Command;
use clap::error::ErrorKind;
use serde_json::json;
use windlass_core::error::Chain;

use self::request::Request;
use super::output::look::Look;
use super::{help, output};
use crate::cluster::Connection;

mod request;

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
        let request = Request::of(arguments, command);
        let is_json = matches!(request.format(), Some("json" | "report" | "report-json"));
        match request.verb() {
            // the option of attest names a file
            None | Some("attest") => Self::Person,
            Some(_) if !is_json => Self::Person,
            Some("verify" | "verify-attestation") => Self::Verifier,
            Some(_) => Self::Program,
        }
    }

    /// Prints the error, with its causes on one line, and gives the exit code for it.
    pub(super) fn fail(self, error: &anyhow::Error) -> ExitCode {
        let text = Chain(error.as_ref()).to_string();
        self.object(&text);
        output::error(&text);
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
        if matches!(
            error.kind(),
            ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        ) {
            // a verb that is left out asks for help, as with kubectl, cosign and tkn
            let text = help::shown(&error.render(), Look::of_stdout());
            return match output::write(text) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => self.fail(&error),
            };
        }
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
            output::error(&Chain(error.as_ref()).to_string());
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
            "-Lo json",
            "-Lojson",
            "-o text -o json",
        ] {
            let line = format!("windlass --context x verify --bad {option} image");
            assert_eq!(reader(&line), Reader::Verifier, "{option}");
            let line = format!("windlass tr list {option}");
            assert_eq!(reader(&line), Reader::Program, "{option}");
        }
        for line in [
            "windlass verify -o report image",
            "windlass verify-attestation -o json image",
            "windlass --context verify verify -o json",
        ] {
            assert_eq!(reader(line), Reader::Verifier, "{line}");
        }
        for line in [
            "windlass -o json",
            "windlass verify -o text image",
            "windlass verify -o json -o text image",
            "windlass verify -- -o json",
            "windlass verify -n -o json",
            "windlass verify-attestation image",
            "windlass tr list -l -o json",
            "windlass attest -f run.yaml -o json",
        ] {
            assert_eq!(reader(line), Reader::Person, "{line}");
        }
    }

    #[test]
    fn under_the_name_of_cosign_verify_is_read_by_a_program() {
        let command = crate::cli::original::slice(Arguments::command(), Some("cosign".as_ref()));
        let words = ["cosign", "verify", "image"].map(OsString::from);
        assert_eq!(Reader::of(&words, &command), Reader::Verifier);
    }
}
