//! The store `oci`: signatures and attestations attached to the image, in its registry.
//!
//! With the encoding `dsse` they are layers of two manifests under the tags `sha256-HEX.sig` and
//! `sha256-HEX.att`; with `sigstore-bundle` each is a referrer of the image; with `both`, which is
//! windlass's own, each is kept in both ways (docs/behaviour.md, "Store oci"). What is
//! there already is known by its payload and by the key that signed, so storing twice adds nothing.
//!
//! `storage.oci.repository` applies to tags. A referrer must be in the repository of its image, so
//! for bundles it applies only if that repository contains the image too.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::{StreamExt, stream};
use kube::Client as Kube;
use tokio::time::{Instant, timeout_at};
use windlass_core::config::Storage;
use windlass_core::error::Chain;
use windlass_core::image::Image;
use windlass_core::payload::Payload;
use windlass_core::run::Run;
use windlass_core::signed::{Artifact, Signed};
use windlass_registry::{Append, Options, Tenant};

use self::access::{Access, Owner};
pub(crate) use self::attach::{Target, attach, attestations_of_type};
pub(crate) use self::bundle::file_of as bundle_file;
pub(crate) use self::clients::{Exemptions, client, options};
pub(crate) use self::earlier::Earlier;
pub(crate) use self::error::UploadError;
pub(crate) use self::identity::Identity;
pub(crate) use self::index::listed_at;
pub(crate) use self::layout::Layout;
pub(crate) use self::place::repository_of;
use self::push::{Pushed, push};
pub(crate) use self::upload::layouts_of;
use self::upload::{Upload, uploads};
pub(crate) use self::workstation::{Nearness, Route, open, open_unasked, options_of_workstation};
use crate::telemetry::Circuits;

mod access;
mod accounts;
mod attach;
pub(crate) mod attached;
mod bundle;
mod certificates;
mod clients;
pub(crate) mod credentials;
mod earlier;
mod equivalent;
mod error;
mod helpers;
mod identity;
mod index;
mod layer;
mod layout;
mod place;
mod push;
mod upload;
mod workstation;

/// Uploads of one signed artifact under way at once.
const AT_ONCE: usize = 8;
/// Registry hosts of a run that count.
const MOST_HOSTS: usize = 16;
/// Places of one signed artifact that are looked into for earlier signatures.
const LOOKED_INTO: usize = 4;
/// Most failures of one pass that the log lists.
const REPORTED: usize = 10;

/// The registries that runs push to.
pub(crate) struct Oci {
    access: Access,
}

/// Entries that were written and have to settle before they are read back.
#[derive(Debug)]
pub(crate) struct Settling {
    /// On whose behalf they were written.
    tenant: Tenant,
    appends: Vec<Append>,
    after: Duration,
    /// What people should know once it is stored.
    warnings: Vec<String>,
}

/// How far an artifact got.
#[derive(Debug)]
pub(crate) enum Stored {
    /// It has no place in a registry: it is about no image, or no statement.
    Nowhere,
    /// It was everywhere already.
    Present,
    /// It was written, and read back where others write too.
    Written,
    /// Some of it has yet to be read back.
    Settling(Settling),
}

impl Settling {
    /// How many entries there are.
    pub(crate) fn weight(&self) -> usize {
        self.appends.len()
    }

    /// How long there is nothing to do.
    pub(crate) fn after(&self) -> Duration {
        self.after
    }
}

impl Oci {
    /// Registries that are spoken to like this, by a process with this identity. One that does not
    /// respond in time is left in peace for the first of these pauses, and for the second at most.
    pub(crate) fn new(
        kube: Kube,
        options: Options,
        identity: Identity,
        pauses: (Duration, Duration),
    ) -> Self {
        Self {
            access: Access::new(kube, options, identity, pauses),
        }
    }

    /// Shows which hosts are left in peace among these.
    pub(crate) fn showing(mut self, circuits: Circuits) -> Self {
        self.access.show_in(circuits);
        self
    }

    /// Stores an artifact wherever it belongs. Whatever fails, the other places are tried too.
    pub(crate) async fn put(
        &self,
        run: &Run<'_>,
        signed: &Signed,
        storage: &Storage,
        until: Instant,
        warnings: &mut Vec<String>,
    ) -> Result<Stored, Vec<UploadError>> {
        let uploads = uploads(run, signed, storage, warnings);
        if uploads.is_empty() {
            return Ok(Stored::Nowhere);
        }
        let owner = self.access.owner(run, storage).await;
        let owner = owner.map_err(|error| vec![error])?;
        // each future is made when its turn comes, so that a thousand images take no more memory
        let each = stream::iter(uploads).map(|upload| self.push(&owner, signed, upload, until));
        // in the order in which they were asked for, whichever is done first
        let mut each = each.buffered(AT_ONCE);
        let mut sum = Sum::of(owner.tenant());
        while let Some((pushed, found)) = each.next().await {
            warnings.extend(found);
            sum.add(pushed);
        }
        warnings.sort();
        warnings.dedup();
        self.report(&sum.tenant, &sum.failures);
        sum.result(warnings)
    }

    /// Tells the log what registries said, which runs do not repeat.
    fn report(&self, tenant: &Tenant, failures: &[UploadError]) {
        let texts = failures.iter().map(|failure| Chain(failure).to_string());
        let texts: BTreeSet<_> = texts.map(|text| self.access.mask(tenant, &text)).collect();
        for text in texts.iter().take(REPORTED) {
            tracing::warn!("{}", text.replace(char::is_control, " "));
        }
        if let Some(more) = texts.len().checked_sub(REPORTED).filter(|more| *more > 0) {
            tracing::warn!("{more} more failures of the same run are not listed");
        }
    }

    async fn push(
        &self,
        owner: &Owner<'_>,
        signed: &Signed,
        upload: Upload,
        until: Instant,
    ) -> (Result<Pushed, UploadError>, Vec<String>) {
        let mut warnings = Vec::new();
        let host = match place::host_of(&upload.image, owner.storage) {
            Ok(host) => host,
            Err(error) => return (Err(error), warnings),
        };
        let pushing = Box::pin(push(&self.access, owner, signed, &upload, &mut warnings));
        let pushed = self.access.ask(owner, &host, until, pushing).await;
        let pushed = pushed.map_err(|error| self.access.explain(owner, &upload.image, error));
        (pushed, warnings)
    }

    /// Signatures of the same payload that are in the places that an artifact goes to. None of them is checked.
    pub(crate) async fn earlier(
        &self,
        run: &Run<'_>,
        signed: &Signed,
        storage: &Storage,
        until: Instant,
    ) -> Result<Vec<Earlier>, UploadError> {
        let uploads = uploads(run, signed, storage, &mut Vec::new());
        let mut found = Vec::new();
        if uploads.is_empty() {
            return Ok(found);
        }
        let owner = self.access.owner(run, storage).await?;
        for upload in uploads.iter().take(LOOKED_INTO) {
            let host = place::host_of(&upload.image, storage)?;
            let looking = Box::pin(earlier::earlier(&self.access, &owner, signed, upload));
            let looked = self.access.ask(&owner, &host, until, looking).await;
            let there = looked.map_err(|error| {
                let error = self.access.explain(&owner, &upload.image, error);
                self.report(&owner.tenant(), std::slice::from_ref(&error));
                error
            })?;
            for one in there {
                earlier::add(&mut found, one);
            }
        }
        Ok(found)
    }

    /// Reads back what has settled.
    pub(crate) async fn confirm(
        &self,
        settling: Settling,
        until: Instant,
        warnings: &mut Vec<String>,
    ) -> Result<Stored, Vec<UploadError>> {
        warnings.extend(settling.warnings);
        // a clock that tests move by hand does not see how long the run has waited
        self.access.clock().advance(settling.after);
        let each = stream::iter(settling.appends).map(|append| advance(append, until));
        let mut each = each.buffered(AT_ONCE);
        let mut sum = Sum::of(settling.tenant);
        while let Some(pushed) = each.next().await {
            sum.add(pushed);
        }
        self.report(&sum.tenant, &sum.failures);
        sum.result(warnings)
    }

    /// What those of these images that are indexes list. What could not be found out is among the
    /// failures.
    pub(crate) async fn listed(
        &self,
        run: &Run<'_>,
        images: &[Image],
        storage: &Storage,
        until: Instant,
    ) -> (Vec<Image>, Vec<UploadError>) {
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        if images.is_empty() {
            return (found, failures);
        }
        let owner = match self.access.owner(run, storage).await {
            Ok(owner) => owner,
            Err(error) => return (found, vec![error]),
        };
        for image in images {
            let listed = async {
                let host = repository_of(image)?.registry().to_owned();
                let listing = index::listed(&self.access, &owner, image);
                self.access.ask(&owner, &host, until, listing).await
            };
            match listed.await {
                Ok(listed) => found.extend(listed),
                Err(error) => failures.push(self.access.explain(&owner, image, error)),
            }
        }
        self.report(&owner.tenant(), &failures);
        (found, failures)
    }
}

/// The registry hosts that an artifact goes to.
pub(crate) fn hosts_of(
    artifact: &Artifact,
    payload: &Payload,
    storage: &Storage,
) -> BTreeSet<String> {
    let images = upload::images(artifact, payload, &mut Vec::new());
    let hosts = images.iter().map(|image| place::host_of(image, storage));
    bounded(hosts.filter_map(Result::ok))
}

/// The registry hosts that have these images.
pub(crate) fn hosts_of_images(images: &[Image]) -> BTreeSet<String> {
    let repositories = images.iter().map(repository_of).filter_map(Result::ok);
    bounded(repositories.map(|repository| repository.registry().to_owned()))
}

/// As many hosts as are kept in memory for a run that waits. One that names more is bounded by the
/// share of its namespace alone.
fn bounded(hosts: impl Iterator<Item = String>) -> BTreeSet<String> {
    let hosts: BTreeSet<String> = hosts.collect();
    hosts.into_iter().take(MOST_HOSTS).collect()
}

async fn advance(mut append: Append, until: Instant) -> Result<Pushed, UploadError> {
    let registry = append.repository().registry().to_owned();
    let Ok(advanced) = timeout_at(until, append.advance()).await else {
        return Err(UploadError::Cut { registry });
    };
    Ok(Pushed::by(append, advanced?))
}

/// What several uploads come to.
struct Sum {
    /// On whose behalf.
    tenant: Tenant,
    written: usize,
    appends: Vec<Append>,
    after: Duration,
    failures: Vec<UploadError>,
}

impl Sum {
    fn of(tenant: Tenant) -> Self {
        Self {
            tenant,
            written: 0,
            appends: Vec::new(),
            after: Duration::ZERO,
            failures: Vec::new(),
        }
    }

    fn add(&mut self, pushed: Result<Pushed, UploadError>) {
        match pushed {
            Ok(Pushed::Present) => {}
            Ok(Pushed::Written) => self.written += 1,
            Ok(Pushed::Settling(append, time)) => {
                self.appends.push(*append);
                self.after = self.after.max(time);
            }
            Err(error) => self.failures.push(error),
        }
    }

    fn result(self, warnings: &[String]) -> Result<Stored, Vec<UploadError>> {
        if !self.failures.is_empty() {
            return Err(self.failures);
        }
        if !self.appends.is_empty() {
            return Ok(Stored::Settling(Settling {
                tenant: self.tenant,
                appends: self.appends,
                after: self.after,
                warnings: warnings.to_vec(),
            }));
        }
        Ok(if self.written > 0 {
            Stored::Written
        } else {
            Stored::Present
        })
    }
}
