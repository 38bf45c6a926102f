//! Exported runs: files as `kubectl get -o yaml` or `-o json` writes them, from which a run, its
//! task runs and the configuration are read without a cluster.

use std::collections::BTreeMap;
use std::path::Path;

use windlass_core::config::{Config, Parsed};
use windlass_core::run::MAX_DOCUMENT;

use super::documents::Documents;
use super::input::Input;
use super::selector::RunSelector;

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

/// Reads a file with task runs.
pub(crate) fn children(path: &Path) -> Result<Vec<String>, FileError> {
    read(&Input::File(path.to_owned()), content::children)
}

/// Reads a file with the ConfigMap `chains-config`.
pub(crate) fn config(path: &Path, warnings: &mut Vec<String>) -> Result<Config, FileError> {
    let input = Input::File(path.to_owned());
    let Parsed {
        config,
        warnings: found,
    } = read(&input, |text| {
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
    let text = str::from_utf8(&bytes).map_err(ContentError::from);
    let read = text.and_then(use_text);
    read.map_err(|source| FileError::Content {
        input: input.clone(),
        source,
    })
}

#[cfg(test)]
mod tests;
