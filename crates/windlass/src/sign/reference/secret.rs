//! The entries of the secret that a key reference names, and what a refusal means.

use super::error::KeyRefError;
use super::location::Location;
use crate::cluster::Connection;
use crate::cluster::secret::{Secret, SecretError};
use crate::sign::entries::{Entries, NAMES};

/// Reads the entries that hold keys.
pub(super) async fn read(
    location: &Location,
    connection: &Connection,
) -> Result<Entries, KeyRefError> {
    let client = connection.connect().await;
    let client = client.map_err(|source| KeyRefError::Connect {
        location: location.clone(),
        source,
    })?;
    let secret = Secret::read(&client, &location.namespace, &location.name).await;
    let entries = secret.and_then(|secret| {
        let mut entries = secret.entries_of(&NAMES)?;
        // of others only the name is of interest, to errors
        for name in secret.names() {
            entries.entry(name.to_owned()).or_default();
        }
        Ok(entries)
    });
    entries.map_err(|source| refused(location, source))
}

fn refused(location: &Location, source: SecretError) -> KeyRefError {
    let location = location.clone();
    let status = match &source {
        SecretError::Call(error) => error.status(),
        SecretError::Malformed(_) => None,
    };
    match status {
        Some(404) => KeyRefError::Missing { location },
        Some(401 | 403) => KeyRefError::Forbidden { location },
        _ => KeyRefError::Api {
            location,
            source: Box::new(source),
        },
    }
}
