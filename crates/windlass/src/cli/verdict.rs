//! The outcome of a check, told the way cosign tells it, and the input that checks read.

use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use windlass_core::key::PublicKey;
use windlass_core::verify;

use crate::cluster::Connection;
use crate::sign::reference::{KeyRef, KeyRefError};

/// Largest payload or signature that is read.
const LIMIT: u64 = 512 * 1024 * 1024;

/// A predicate type's URI, typed as that or as cosign's short name for it.
#[derive(Debug, Clone)]
pub(crate) struct PredicateType(pub(crate) String);

impl FromStr for PredicateType {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uri = verify::predicate_type(text).ok_or(
            "expected slsaprovenance, slsaprovenance02, slsaprovenance1, link, spdx, spdxjson, \
             cyclonedx, vuln, openvex, custom or a URI",
        )?;
        Ok(Self(uri.to_owned()))
    }
}

/// Prints `Verified OK` when there are no findings, and otherwise every part that does not match, to standard error as cosign does.
#[expect(clippy::print_stderr, reason = "the command line talks to a person")]
pub(crate) fn report(findings: &[String]) -> ExitCode {
    if findings.is_empty() {
        eprintln!("Verified OK");
        return ExitCode::SUCCESS;
    }
    for finding in findings {
        eprintln!("error: does not verify: {finding}");
    }
    ExitCode::from(1)
}

/// The key to check with. A public key that was read but is damaged is a finding, not a failure to
/// check: it may be the part that was tampered with.
pub(crate) async fn key(
    reference: &KeyRef,
    connection: &Connection,
) -> anyhow::Result<Result<PublicKey, String>> {
    match reference.load_public(connection).await {
        Ok(key) => Ok(Ok(key)),
        Err(error @ KeyRefError::NotPublic { .. }) => {
            Ok(Err(format!("{:#}", anyhow::Error::new(error))))
        }
        Err(error) => Err(error.into()),
    }
}

/// The bytes of a file, or of standard input for `-`.
pub(crate) fn read(path: &Path, what: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(LIMIT + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes))
    };
    read.with_context(|| format!("cannot read the {what} {}", path.display()))?;
    anyhow::ensure!(
        bytes.len() as u64 <= LIMIT,
        "the {what} {} is larger than {} MiB",
        path.display(),
        LIMIT >> 20
    );
    Ok(bytes)
}

/// `bytes` and what comes of decoding them as base64, once and twice.
pub(crate) fn layers(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut layers = vec![bytes.to_vec()];
    while layers.len() < 3
        && let Some(decoded) = layers.last().and_then(|outer| decode(outer))
    {
        layers.push(decoded);
    }
    layers
}

/// Standard base64, with line breaks anywhere; nothing for an empty text.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let compact: Vec<u8> = text
        .iter()
        .copied()
        .filter(|c| !c.is_ascii_whitespace())
        .collect();
    STANDARD
        .decode(compact)
        .ok()
        .filter(|bytes| !bytes.is_empty())
}

/// The lower-case hexadecimal SHA-256 of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            // writing to a string cannot fail
            let _ = write!(text, "{byte:02x}");
            text
        })
}
