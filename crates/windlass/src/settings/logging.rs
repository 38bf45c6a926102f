//! The ConfigMap for logging, by the name that Chains reads from `CONFIG_LOGGING_NAME`: the level of
//! log lines, followed while the controller runs. Like Chains, windlass takes `loglevel.watcher`, and
//! without it the level of `zap-logger-config`.

use kube::Client;
use serde::Deserialize;
use tokio::sync::mpsc;
use windlass_core::error::Chain;
use windlass_core::json::Flaw;

use super::Data;
use super::map::{self, Map};
use crate::telemetry::{Level, LogLevel};

/// Entry for the level of the controller, which Chains calls its watcher.
const LEVEL: &str = "loglevel.watcher";
/// Entry for the whole configuration of the logger of Chains.
const LOGGER: &str = "zap-logger-config";

/// Why a level is not known.
#[derive(Debug, thiserror::Error)]
enum LevelError {
    /// The logger's configuration is no JSON object with a level.
    #[error("{LOGGER} is not a JSON object with a level")]
    Logger(#[from] Flaw),
    /// The level is none of zap's.
    #[error("{entry} is not a level; use debug, info, warn or error")]
    Unknown { entry: &'static str },
}

/// Follows the map and sets the level; never ends.
pub(crate) async fn run(client: &Client, namespace: &str, name: &str, level: &LogLevel) {
    let (sender, mut receiver) = mpsc::channel(1);
    let apply = async {
        while let Some((name, map)) = receiver.recv().await {
            // without the map, the level stays, as with Chains
            let Map::Present { data, .. } = map else {
                continue;
            };
            match level_of(&data) {
                Ok(new) => level.set(new),
                Err(error) => {
                    let error = Chain(&error);
                    tracing::warn!("{namespace}/{name}: {error}; the level of the log stays");
                }
            }
        }
    };
    tokio::join!(map::follow(client, namespace, name, sender), apply);
}

fn level_of(data: &Data) -> Result<Level, LevelError> {
    #[derive(Deserialize)]
    struct Logger {
        #[serde(default)]
        level: String,
    }
    let (entry, text) = match (data.get(LEVEL), data.get(LOGGER)) {
        (Some(level), _) if !level.is_empty() => (LEVEL, level.clone()),
        (_, Some(logger)) if !logger.is_empty() => {
            let read = serde_json::from_str::<Logger>(logger).map_err(Flaw::from)?;
            (LOGGER, read.level)
        }
        _ => return Ok(Level::Info),
    };
    parse(&text).ok_or(LevelError::Unknown { entry })
}

/// A level of zap. Its levels above error are for a program that ends.
fn parse(text: &str) -> Option<Level> {
    Some(match &*text.to_ascii_lowercase() {
        "debug" => Level::Debug,
        "" | "info" => Level::Info,
        "warn" | "warning" => Level::Warn,
        "error" | "dpanic" | "panic" | "fatal" => Level::Error,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(entries: &[(&str, &str)]) -> Result<Level, String> {
        let entries = entries.iter();
        let entries = entries.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        level_of(&entries.collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_level_is_that_of_the_watcher_or_else_that_of_the_logger() {
        let logger = (LOGGER, r#"{"level": "warn", "encoding": "json"}"#);
        for (entries, expected) in [
            (&[][..], Level::Info),
            (&[logger], Level::Warn),
            (&[logger, (LEVEL, "debug")], Level::Debug),
            (&[logger, (LEVEL, "")], Level::Warn),
            (&[(LEVEL, "ERROR")], Level::Error),
            (&[(LEVEL, "dpanic")], Level::Error),
            // the entry of the shipped map, which Chains does not read either
            (&[("loglevel.controller", "debug")], Level::Info),
            (&[(LOGGER, "{}")], Level::Info),
        ] {
            assert_eq!(level(entries), Ok(expected), "{entries:?}");
        }
    }

    #[test]
    fn what_is_no_level_is_named_without_its_text() {
        for entries in [
            (LEVEL, "loud"),
            (LOGGER, r#"{"level": "loud"}"#),
            (LOGGER, "level: loud"),
            (LOGGER, r#"{"level": 3}"#),
        ] {
            let error = level(&[entries]).unwrap_err();
            assert!(
                error.contains(entries.0) && !error.contains("loud"),
                "{error}"
            );
        }
    }
}
