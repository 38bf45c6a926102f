//! Exported runs: files as `kubectl get -o yaml` or `-o json` writes them, from which a run, its
//! task runs and the configuration are read without a cluster.

use std::collections::BTreeMap;

use windlass_core::config::{Config, Parsed};
use windlass_core::run::MAX_DOCUMENT;

use super::documents::Documents;
use super::selector::RunSelector;
use crate::input::Input;

use self::error::ContentError;
pub(crate) use self::error::FileError;

mod choice;
mod content;
mod error;
mod value;
mod yaml;

/// Reads a file with the run, in which there may be others and its task runs.
pub(crate) fn run(input: &Input, selector: Option<&RunSelector>) -> Result<Documents, FileError> {
    read(input, |text| content::run(text, selector))
}

/// Every run of some bytes that belongs to no other, with its name. `input` is where they are from.
pub(crate) fn all_runs(input: &Input, bytes: &[u8]) -> Result<Vec<(String, Documents)>, FileError> {
    parse(input, bytes, content::all_runs)
}

/// The run of some bytes that is meant. `input` is where they are from.
pub(crate) fn run_of(
    input: &Input,
    bytes: &[u8],
    selector: &RunSelector,
) -> Result<Documents, FileError> {
    parse(input, bytes, |text| content::run(text, Some(selector)))
}

/// Reads a file with task runs.
pub(crate) fn children(input: &Input) -> Result<Vec<String>, FileError> {
    read(input, content::children)
}

/// Reads a file with the ConfigMap `chains-config`.
pub(crate) fn config(input: &Input, warnings: &mut Vec<String>) -> Result<Config, FileError> {
    let Parsed {
        config,
        warnings: found,
        ..
    } = read(input, |text| {
        let entries = content::config_map(text)?;
        Ok(Config::parse(&entries, &BTreeMap::new())?)
    })?;
    warnings.extend(found.iter().map(ToString::to_string));
    Ok(config)
}

fn read<T>(
    input: &Input,
    use_text: impl FnOnce(&str) -> Result<T, ContentError>,
) -> Result<T, FileError> {
    let bytes = input.read(MAX_DOCUMENT);
    let bytes = bytes.map_err(|source| FileError::Read {
        input: input.clone(),
        source,
    })?;
    parse(input, &bytes, use_text)
}

fn parse<T>(
    input: &Input,
    bytes: &[u8],
    use_text: impl FnOnce(&str) -> Result<T, ContentError>,
) -> Result<T, FileError> {
    let text = str::from_utf8(bytes).map_err(|error| ContentError::Text(error.valid_up_to()));
    let read = text.and_then(use_text);
    read.map_err(|source| FileError::Content {
        input: input.clone(),
        source,
    })
}

#[cfg(test)]
mod tests;
