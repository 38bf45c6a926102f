//! The trusted root of a Sigstore instance, by The Update Framework.
//!
//! Everything starts at a root that is pinned: for the public instance the one in this program, for
//! others the one that was given with the mirror. A root that a mirror sends counts only if the pinned
//! one, or one that it led to, signed it. Nothing is believed because it was seen first.
//!
//! The public instance's root is `root.json` in the folder of this module: version 16 of the metadata of
//! <https://github.com/sigstore/root-signing>, as sigstore-trust-root 0.15.1 ships it. Its signatures
//! are checked whenever it is loaded. Source: TUF specification 1.0.

use jiff::{SignedDuration, Timestamp};
use sigstore_tuf::{Error, MetadataStore, StoreRepository, Updater};

use self::cache::Cache;
use self::mirror::Mirror;
use self::origin::{Origin, PUBLIC_ROOT};
use super::trust::TrustError;
pub(crate) use super::trust::{Fetched, Freshness};

mod cache;
pub(crate) mod followed;
mod mirror;
pub(crate) mod origin;
pub(crate) mod place;
#[cfg(test)]
mod tests;

/// The trusted root among the targets.
const TARGET: &str = "trusted_root.json";
/// What to do about a mirror that is asked by hand.
const BY_HAND: Remedies = Remedies {
    root: "with --root to `windlass trust initialize`, with --tuf-root to other verbs",
    connection: "check its address, the proxy and the network, or add --offline",
};
/// For how long what was fetched is used without asking again.
const FRESH: SignedDuration = SignedDuration::from_hours(24);

/// What to do about a mirror, which depends on who asks it.
struct Remedies {
    /// How another root is given.
    root: &'static str,
    /// What to do where there is no connection.
    connection: &'static str,
}

/// The trusted root of an origin.
pub(crate) async fn trusted_root(
    origin: &Origin,
    freshness: Freshness,
) -> Result<Fetched, TrustError> {
    let now = Timestamp::now();
    let cache = Cache::of(origin);
    let last = cache.last_fetched().filter(|last| *last <= now);
    match (freshness, last) {
        (Freshness::Offline, None) => Err(TrustError::NeverFetched {
            mirror: origin.mirror.clone(),
        }),
        (Freshness::Offline, Some(last)) => from_cache(origin, &cache, last).await,
        (Freshness::Today, Some(last)) if now.duration_since(last) < FRESH => {
            match from_cache(origin, &cache, now).await {
                Ok(fetched) => Ok(Fetched {
                    at: last,
                    ..fetched
                }),
                Err(_) => fetch(origin, cache, now).await,
            }
        }
        _ => fetch(origin, cache, now).await,
    }
}

/// What is kept, verified again from the pinned root, as of a time.
async fn from_cache(
    origin: &Origin,
    cache: &Cache,
    as_of: Timestamp,
) -> Result<Fetched, TrustError> {
    let repository = StoreRepository::new(cache.clone());
    let updater = Updater::new(repository, &origin.root).map_err(|_| TrustError::PinnedRoot)?;
    let updater = updater.with_store(cache.clone());
    let read = read(updater, as_of).await;
    read.map_err(|_| TrustError::Kept {
        folder: cache.folder().display().to_string(),
    })
}

async fn fetch(origin: &Origin, cache: Cache, now: Timestamp) -> Result<Fetched, TrustError> {
    let fetched = fetch_into(&origin.mirror, (&origin.root, &BY_HAND), cache.clone(), now).await?;
    let noted = cache.note_fetched(now);
    noted.map_err(|source| TrustError::Cache {
        folder: cache.folder().display().to_string(),
        source,
    })?;
    Ok(fetched)
}

/// Fetches from a mirror by a pinned root, with what is in a store as the oldest that counts.
async fn fetch_into(
    mirror: &str,
    (root, remedies): (&[u8], &Remedies),
    store: impl MetadataStore + 'static,
    now: Timestamp,
) -> Result<Fetched, TrustError> {
    let server = Mirror::of(mirror)?;
    let updater = Updater::new(server, root).map_err(|_| TrustError::PinnedRoot)?;
    let updater = updater.with_store(store);
    let failed = |why: String| TrustError::Mirror {
        mirror: mirror.to_owned(),
        why,
    };
    match tokio::time::timeout(mirror::PATIENCE, read(updater, now)).await {
        Ok(Ok(fetched)) => Ok(fetched),
        Ok(Err(error)) => Err(failed(reason(&error, root, remedies))),
        Err(_) => {
            let seconds = mirror::PATIENCE.as_secs();
            Err(failed(format!("it took longer than {seconds} s")))
        }
    }
}

async fn read(mut updater: Updater, now: Timestamp) -> Result<Fetched, Error> {
    updater.refresh(now).await?;
    let content = updater.get_target(TARGET, now).await?;
    let trusted = updater.trusted();
    Ok(Fetched {
        content,
        at: now,
        root_version: trusted.root().version,
        root_expires: trusted.root().expires,
        expires: trusted.timestamp().map(|timestamp| timestamp.expires),
    })
}

/// Why the metadata of a mirror is not believed. The texts of the library repeat what the mirror sent.
fn reason(error: &Error, root: &[u8], remedies: &Remedies) -> String {
    match error {
        Error::ThresholdNotMet { .. } | Error::DuplicateSignature { .. } => {
            let root = if root == PUBLIC_ROOT {
                "that of Sigstore's public instance, which counts if no other is given"
            } else {
                "the one given for it"
            };
            return format!(
                "its metadata is not signed by enough of the keys that its root leads to, {root}; get \
                 the root.json of this mirror from whoever runs it, and give it {}",
                remedies.root
            );
        }
        Error::Rollback { .. } | Error::BadRootVersion { .. } => {
            "its metadata is older than what was fetched before"
        }
        Error::Expired { role, expires } => {
            let role = match role.as_str() {
                "root" => "root",
                "snapshot" => "snapshot",
                "timestamp" => "timestamp",
                _ => "targets",
            };
            return format!("its {role} metadata has expired at {expires}");
        }
        Error::IntegrityMismatch(_) => "a file of it is not the one that its metadata names",
        Error::TargetNotFound(_) => "it has no trusted_root.json",
        Error::Transport {
            source: Some(source),
            ..
        } => match source.downcast_ref::<mirror::Failure>() {
            Some(failure @ mirror::Failure::Unreached) => {
                return format!("{failure}: {}", remedies.connection);
            }
            Some(failure) => return failure.to_string(),
            None => "a file of its metadata cannot be read",
        },
        Error::Transport { .. } => "a file of its metadata is missing, or there are too many roots",
        Error::Io { .. } => "the cache cannot be read or written",
        _ => "its metadata is malformed, or has keys that are not supported",
    }
    .to_owned()
}

/// Whether a root is one: JSON of TUF, signed by its own keys.
pub(crate) fn is_root(root: &[u8]) -> bool {
    let nowhere = StoreRepository::new(sigstore_tuf::MemoryStore::new());
    Updater::new(nowhere, root).is_ok()
}
