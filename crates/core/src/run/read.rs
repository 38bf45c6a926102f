//! Reading documents: which errors there are, and where in the document they are.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::{MAX_DOCUMENT, RunError};
use super::kind::Kind;
use super::text::{Object, Text};
use crate::json::Flaw;

/// A run's document, its parts as they were written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Raw<'a> {
    /// `kind`; empty in lists.
    #[serde(borrow)]
    pub kind: Text<'a>,
    /// `apiVersion`; empty in lists.
    #[serde(borrow)]
    pub api_version: Text<'a>,
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Option<&'a RawValue>,
    /// `spec`.
    #[serde(borrow)]
    pub spec: Option<&'a RawValue>,
    /// `status`.
    #[serde(borrow)]
    pub status: Option<&'a RawValue>,
}

/// Reads the document of a run of a kind, its parts unread.
pub(super) fn envelope<'a>(document: &'a [u8], expected: Kind) -> Result<Raw<'a>, RunError> {
    if document.len() > MAX_DOCUMENT {
        return Err(RunError::TooLarge {
            size: document.len(),
        });
    }
    let raw: Raw<'a> = read(document)?;
    if !raw.kind.is_empty() && raw.kind != expected.name() {
        return Err(RunError::Kind {
            expected: expected.name(),
            found: raw.kind.to_string(),
        });
    }
    if !matches!(&*raw.api_version, "" | "tekton.dev/v1") {
        return Err(RunError::ApiVersion {
            found: raw.api_version.to_string(),
        });
    }
    Ok(raw)
}

/// Reads what a document says, as far as `T` has it.
pub(super) fn read<'a, T: Default + Deserialize<'a>>(document: &'a [u8]) -> Result<T, RunError> {
    match serde_json::from_slice::<Object<T>>(document) {
        Ok(read) => Ok(read.0),
        Err(_) => Err(located::<T>("", document)),
    }
}

/// Reads one part of a document; what is not there is empty.
pub(super) fn part<'a, T>(name: &str, raw: Option<&'a RawValue>) -> Result<T, RunError>
where
    T: Default + Deserialize<'a>,
{
    let Some(raw) = raw else {
        return Ok(T::default());
    };
    match serde_json::from_str::<Object<T>>(raw.get()) {
        Ok(read) => Ok(read.0),
        Err(_) => Err(located::<T>(name, raw.get().as_bytes())),
    }
}

/// Reads a document that could not be read once more, to learn where it is wrong. The path is
/// tracked only here because it costs time that a good document need not pay.
fn located<'a, T: Default + Deserialize<'a>>(prefix: &str, document: &'a [u8]) -> RunError {
    let mut json = serde_json::Deserializer::from_slice(document);
    let Err(error) = serde_path_to_error::deserialize::<_, Object<T>>(&mut json) else {
        let reason = json
            .end()
            .err()
            .map_or_else(String::new, |error| Flaw::from(error).to_string());
        return RunError::Field {
            path: "the end".to_owned(),
            reason,
        };
    };
    let path = match (prefix, error.path().to_string().as_str()) {
        ("", ".") => "the top".to_owned(),
        ("", path) => path.to_owned(),
        (prefix, ".") => prefix.to_owned(),
        (prefix, path) if path.starts_with('[') => format!("{prefix}{path}"),
        (prefix, path) => format!("{prefix}.{path}"),
    };
    RunError::Field {
        path,
        reason: Flaw::from(error.into_inner()).to_string(),
    }
}
