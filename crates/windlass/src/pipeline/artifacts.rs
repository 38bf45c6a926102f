//! Which artifacts a run has, in which formats, and which stores each goes to: the run itself, the
//! images it built, and what indexes among those list.

use std::collections::{BTreeMap, BTreeSet};

use windlass_core::config::{ArtifactPolicy, Config, SignerKind, StoreKind};
use windlass_core::extract;
use windlass_core::format::Format;
use windlass_core::image::Image;
use windlass_core::payload::{Payload, PayloadError};
use windlass_core::retry::Retry;
use windlass_core::run::{Run, TaskRun};
use windlass_core::signed::Artifact;

use super::means::{Means, Reach};
use crate::store::oci::{self, UploadError};
use crate::store::run::{TooLarge, check_room};
use crate::unsupported::{self, Unsupported};

/// One artifact in one format.
#[derive(Debug)]
pub(crate) struct Item {
    pub(super) artifact: Artifact,
    pub(super) payload: Payload,
    /// Its part of the configuration: `taskrun`, `pipelinerun` or `oci`.
    pub(super) policy: &'static str,
    /// Who signs it.
    pub(super) signer: SignerKind,
    /// Where it goes.
    pub(super) stores: Vec<StoreKind>,
}

/// Everything that is to be signed for a run.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) items: Vec<Item>,
    pub(super) warnings: Vec<String>,
    /// Indexes that could not be read.
    pub(super) failures: Vec<UploadError>,
    /// Hosts of indexes that are not read in this pass.
    pub(super) postponed: BTreeSet<String>,
}

/// Why nothing can be signed for a run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    /// A payload could not be made.
    #[error("cannot create the {} payload", format.as_str())]
    Format {
        format: Format,
        source: PayloadError,
    },
    /// There is no such signer yet.
    #[error(transparent)]
    NoSigner(#[from] Unsupported),
    /// The run cannot be recorded, whatever its signatures are.
    #[error(transparent)]
    Store(#[from] TooLarge),
}

impl PlanError {
    /// When a repetition is worth it.
    pub(crate) fn retry(&self) -> Retry {
        match self {
            Self::Format { .. } | Self::Store(_) => Retry::Never,
            Self::NoSigner(_) => Retry::Settings,
        }
    }
}

/// Whether a run built images.
pub(crate) fn has_images(run: &Run<'_>) -> bool {
    match run {
        Run::Task(task) => !extract::images(task).0.is_empty(),
        Run::Pipeline { .. } => false,
    }
}

/// Plans what is signed for a run.
pub(super) async fn plan(run: &Run<'_>, means: Means<'_>) -> Result<Plan, PlanError> {
    let config = means.config;
    let mut plan = Plan::default();
    plan.add_run(run, config)?;
    if let Run::Task(task) = run
        && config.oci.is_enabled()
    {
        require_signer("oci", &config.oci, config)?;
        let images = plan.images(run, task, means).await;
        for image in images {
            plan.add_image(image, config);
        }
    }
    let on_run = plan.items.iter();
    let on_run = on_run.filter(|item| item.stores.contains(&StoreKind::Tekton));
    check_room(
        on_run.map(|item| (&item.artifact, &item.payload)),
        run.metadata(),
    )?;
    Ok(plan)
}

impl Plan {
    /// The run itself, if its kind is enabled.
    fn add_run(&mut self, run: &Run<'_>, config: &Config) -> Result<(), PlanError> {
        let kind = run.kind();
        let (name, policy) = (kind.singular(), config.policy(kind));
        if !policy.is_enabled() {
            return Ok(());
        }
        require_signer(name, policy, config)?;
        let format = policy.format;
        let payload = Payload::of_run(run, config, format)
            .map_err(|source| PlanError::Format { format, source })?;
        let warnings = payload.warnings.iter().map(ToString::to_string);
        self.warnings.extend(warnings);
        self.items.push(Item {
            artifact: Artifact::of_run(run),
            payload,
            policy: name,
            signer: policy.signer,
            stores: policy.storage.iter().copied().collect(),
        });
        Ok(())
    }

    /// The images that a task run built, with what they list where that is signed too.
    async fn images(&mut self, run: &Run<'_>, task: &TaskRun<'_>, means: Means<'_>) -> Vec<Image> {
        let Means {
            config,
            registries,
            reach,
            ..
        } = means;
        let (mut images, warnings) = extract::images(task);
        self.warnings
            .extend(warnings.iter().map(ToString::to_string));
        match reach {
            _ if !config.oci_recursive => {}
            Reach::Run => self.postponed = oci::hosts_of_images(&images),
            Reach::Registries(until) => {
                let (listed, failures) = registries
                    .listed(run, &images, &config.storage, until)
                    .await;
                self.failures = failures;
                for image in listed {
                    if !images.contains(&image) {
                        images.push(image);
                    }
                }
            }
        }
        if config.oci.storage.contains(&StoreKind::Tekton) {
            self.warnings.extend(clashes(&images));
        }
        images
    }

    /// An image, as the payload that is signed by itself, as a statement, or as both: in registries
    /// the encoding decides, everywhere else it is the former.
    fn add_image(&mut self, image: Image, config: &Config) {
        let encoding = config.storage.oci_encoding;
        let is_registry = |store: &StoreKind| *store == StoreKind::Oci;
        let storage = config.oci.storage.iter().copied();
        if encoding.in_bundles() && storage.clone().any(|store| is_registry(&store)) {
            self.items.push(Item {
                payload: Payload::image_statement(&image),
                artifact: Artifact::Image(image.clone()),
                policy: "oci",
                signer: config.oci.signer,
                stores: vec![StoreKind::Oci],
            });
        }
        let stores = storage.filter(|store| encoding.in_tags() || !is_registry(store));
        let stores: Vec<StoreKind> = stores.collect();
        if stores.is_empty() {
            return;
        }
        self.items.push(Item {
            payload: Payload::of_image(&image),
            artifact: Artifact::Image(image),
            policy: "oci",
            signer: config.oci.signer,
            stores,
        });
    }
}

/// Images whose annotations have the same names, since their digest is the same: the last one's
/// signature is kept, as in Chains.
fn clashes(images: &[Image]) -> Vec<String> {
    let mut last = BTreeMap::new();
    let mut clashes = Vec::new();
    for image in images {
        if let Some(earlier) = last.insert(image.short_key(), image) {
            clashes.push(format!(
                "images {earlier} and {image} have the same digest: the run's annotations contain \
                 only the signature of the latter"
            ));
        }
    }
    clashes
}

/// Refuses a signer that does not exist: nothing can be recorded without one.
fn require_signer(name: &str, policy: &ArtifactPolicy, config: &Config) -> Result<(), Unsupported> {
    unsupported::signer(name, policy, config).map_or(Ok(()), Err)
}
