//! The verdict of a check, told the way cosign tells it, and the flags and input of checks.

use std::process::ExitCode;
use std::str::FromStr;

use anyhow::Context as _;
use windlass_core::verify;

use super::output::{error, note};
use crate::input::{Input, MAX_CONTENT};
use crate::sigstore::MAX_BUNDLE;

/// A predicate type's URI, typed as that or as cosign's short name for it.
#[derive(Debug, Clone)]
pub(super) struct PredicateType(pub(super) String);

impl FromStr for PredicateType {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = verify::predicate_type(text).filter(|uri| !uri.contains(char::is_whitespace));
        let uri = named.ok_or(
            "expected slsaprovenance, slsaprovenance02, slsaprovenance1, link, spdx, spdxjson, \
             cyclonedx, vuln, openvex, custom or a URI",
        )?;
        Ok(Self(uri.to_owned()))
    }
}

/// Prints `Verified OK` if there are no findings, and otherwise each finding, to standard error as
/// cosign does.
pub(super) fn report(findings: &[String]) -> ExitCode {
    if findings.is_empty() {
        note("Verified OK");
        return ExitCode::SUCCESS;
    }
    for finding in findings {
        error(&format!("not verified: {finding}"));
    }
    ExitCode::from(1)
}

/// The bytes of a bundle.
pub(super) fn read_bundle(input: &Input) -> anyhow::Result<Vec<u8>> {
    let content = input.read(MAX_BUNDLE);
    content.with_context(|| format!("cannot read the bundle {input}"))
}

/// The bytes of what is signed, or of a signature.
pub(super) fn read(input: &Input, what: &str) -> anyhow::Result<Vec<u8>> {
    let content = input.read(MAX_CONTENT);
    content.with_context(|| match input {
        Input::Stdin => format!("cannot read the {what} from standard input"),
        Input::File(path) => format!("cannot read the {what} {}", path.display()),
    })
}
