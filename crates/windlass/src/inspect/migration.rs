//! Migration: what changes for a cluster when windlass takes over from Tekton Chains.
//!
//! It is read from the cluster's ConfigMaps, its signing key, its runs and their service accounts;
//! nothing is changed. What differs and does not depend on the cluster is in docs/differences.md.

use self::settings::Settings;

mod addresses;
mod credentials;
mod evidence;
mod extent;
mod finding;
mod key;
mod marks;
mod runs;
mod settings;
mod support;

pub(crate) use self::extent::{Cluster, Migration};
pub(crate) use self::finding::Finding;

/// Looks at everything. What cannot be read is told, and the rest is looked at.
pub(crate) async fn check(cluster: &Cluster<'_>) -> Migration {
    let mut found = Migration::default();
    let settings = Settings::read(cluster, &mut found).await;
    settings.check(&mut found);
    found.findings.extend(support::check(&settings));
    let public = key::check(cluster, &settings, &mut found).await;
    let evidence = evidence::Evidence::read(cluster, public, &mut found).await;
    let seen = runs::read(cluster, &settings, &evidence, &mut found).await;
    marks::check(&seen, &mut found);
    credentials::check(cluster, &settings, &seen, &mut found).await;
    addresses::check(cluster, &settings, &seen, &mut found).await;
    found
}
