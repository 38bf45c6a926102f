//! The name that windlass is called by: under the name of an original, as of a link to windlass in
//! `PATH`, it shows the verbs of that one, with its defaults.

use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitCode;

use clap::Command;

/// The verbs of cosign.
pub(super) const COSIGN: [&str; 21] = [
    "attest",
    "attest-blob",
    "completions",
    "copy",
    "download",
    "env",
    "generate-key-pair",
    "import-key-pair",
    "load",
    "login",
    "public-key",
    "save",
    "sign",
    "sign-blob",
    "tree",
    "triangulate",
    "verify",
    "verify-attestation",
    "verify-blob",
    "verify-blob-attestation",
    "version",
];
/// The verbs of tkn.
const TKN: [&str; 5] = ["chain", "completions", "pipelinerun", "taskrun", "version"];

/// The last part of the path that windlass was called by.
fn name_of(called: Option<&OsStr>) -> Option<&str> {
    called.and_then(|path| Path::new(path).file_name()?.to_str())
}

/// The exit status for whoever calls it by this name: tkn has one for whatever goes wrong.
pub(super) fn status(code: ExitCode, called: Option<&OsStr>) -> ExitCode {
    match name_of(called) {
        Some("tkn") if code != ExitCode::SUCCESS => ExitCode::FAILURE,
        _ => code,
    }
}

/// The command line for whoever calls it by this name.
pub(super) fn slice(command: Command, called: Option<&OsStr>) -> Command {
    match name_of(called) {
        Some("cosign") => {
            let command = only(command, "cosign", &COSIGN);
            // as cosign, whose output others read
            command.mut_subcommand("verify", |verb| {
                verb.mut_arg("output", |format| format.default_value("json"))
            })
        }
        Some("tkn") => only(command, "tkn", &TKN),
        _ => command,
    }
}

/// The command line under another name, in whose help there are these verbs only.
fn only(command: Command, name: &'static str, verbs: &[&str]) -> Command {
    let all: Vec<String> = command
        .get_subcommands()
        .map(|verb| verb.get_name().to_owned())
        .collect();
    let hidden = all
        .into_iter()
        .filter(|verb| !verbs.contains(&verb.as_str()));
    let command = hidden.fold(command, |command, verb| {
        command.mut_subcommand(verb, |verb| verb.hide(true))
    });
    command.name(name).bin_name(name)
}
