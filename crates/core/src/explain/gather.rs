//! Gives each hint alone to the functions that make the payload, to see what it becomes.

use indexmap::IndexMap;

use super::builder::ExplanationBuilder;
use super::dependencies::is_definition;
use super::origin::{Origin, Part, PartKind, Place, part};
use super::{digest, near};
use crate::artifact::ResolvedArtifact;
use crate::extract::hints::{
    self, ARTIFACT_DIGEST, ARTIFACT_INPUTS, ARTIFACT_OUTPUTS, ARTIFACT_URI, IMAGE_DIGEST,
    IMAGE_URL, IMAGES,
};
use crate::extract::{Git, GitSource, image_used};
use crate::format::Format;
use crate::image::Image;
use crate::run::{ParamValue, Provenance, RunResult, TaskRun, Text};
use crate::warning::Notes;

impl ExplanationBuilder {
    /// A task run that is explained itself: its subjects, its images and its dependencies.
    pub(super) fn task(&mut self, run: &TaskRun<'_>) {
        let place = Place {
            kind: "TaskRun",
            run: &run.metadata.name,
            pipeline_task: None,
            step: None,
            is_top: true,
        };
        for (image, origin) in self.task_subjects(run, place) {
            self.images.add(image, origin);
        }
        if !self.format.is_statement() {
            return;
        }
        if self.format != Format::SlsaV1 {
            self.definition(run.status.provenance.as_ref(), "task", place);
        }
        self.images_used(run, place);
        if self.is_narrow() {
            self.step_sources(run, place);
            self.step_actions(run, place);
        }
        self.task_sources(run, place);
    }

    /// What the results of a task run, and of its steps where they count, name. Gives the images
    /// of the run's own results.
    pub(super) fn task_subjects(
        &mut self,
        run: &TaskRun<'_>,
        place: Place<'_>,
    ) -> Vec<(Image, Origin)> {
        if self.is_narrow() {
            for step in &run.status.steps {
                let place = Place {
                    step: Some(&step.name),
                    ..place
                };
                self.hints(place, &step.results);
            }
        } else {
            near::step_results(self, place, &run.status.steps);
        }
        self.hints(place, &run.status.results)
    }

    /// Subjects that results name; the images among them are given back.
    pub(super) fn hints(
        &mut self,
        place: Place<'_>,
        results: &[RunResult<'_>],
    ) -> Vec<(Image, Origin)> {
        let mut images = Vec::new();
        for group in pairs(results, IMAGE_URL, IMAGE_DIGEST) {
            self.image_hints(place, &group, &names(&group), &mut images);
        }
        for result in results.iter().filter(|result| &*result.name == IMAGES) {
            for (index, reference) in hints::references(result.value.text()).enumerate() {
                let one = RunResult {
                    name: result.name.clone(),
                    kind: Text::default(),
                    value: ParamValue::String(Text::from(reference)),
                };
                let via = vec![part(PartKind::Result, format!("{IMAGES}[{index}]"))];
                self.image_hints(place, &[one], &via, &mut images);
            }
        }
        if self.is_narrow() {
            near::broad_pairs(self, place, &pairs(results, ARTIFACT_URI, ARTIFACT_DIGEST));
        } else {
            for group in pairs(results, ARTIFACT_URI, ARTIFACT_DIGEST) {
                let mut notes = Notes::default();
                let artifacts = hints::artifact_pairs(&group, &mut notes);
                self.found(place, &group, artifacts, notes);
            }
        }
        let outputs = results
            .iter()
            .filter(|result| result.name.ends_with(ARTIFACT_OUTPUTS));
        for output in outputs {
            let group = std::slice::from_ref(output);
            self.image_hints(place, group, &names(group), &mut images);
            let mut notes = Notes::default();
            let artifacts = if self.is_narrow() {
                hints::build_artifacts(group, &mut notes)
            } else {
                hints::outputs(group, &mut notes)
            };
            near::output(self, place, output);
            self.found(place, group, artifacts, notes);
        }
        near::results(self, place, results);
        images
    }

    fn image_hints(
        &mut self,
        place: Place<'_>,
        group: &[RunResult<'_>],
        via: &[Part],
        images: &mut Vec<(Image, Origin)>,
    ) {
        let mut notes = Notes::default();
        let position = match via {
            [one] if one.name.starts_with("IMAGES[") => format!("{}: ", one.name),
            _ => String::new(),
        };
        for image in hints::images(group, &mut notes) {
            let artifact = ResolvedArtifact::new(image.repository(), "sha256", image.hex());
            let origin = place.origin(via.to_vec());
            self.subjects.add(artifact, "", origin.clone());
            images.push((image, origin));
        }
        self.note(place, &position, notes, image_fault(group));
    }

    fn found(
        &mut self,
        place: Place<'_>,
        group: &[RunResult<'_>],
        artifacts: Vec<ResolvedArtifact>,
        notes: Notes,
    ) {
        for artifact in artifacts {
            self.subjects.add(artifact, "", place.origin(names(group)));
        }
        self.note(place, "", notes, fault(group));
    }

    pub(super) fn definition(
        &mut self,
        provenance: Option<&Provenance<'_>>,
        role: &str,
        place: Place<'_>,
    ) {
        let Some(source) = provenance.and_then(|provenance| provenance.ref_source.as_ref()) else {
            return;
        };
        let digests = source.digest.iter();
        let artifact = ResolvedArtifact {
            name: source.uri.to_string(),
            digest: digests
                .map(|(algorithm, hex)| (algorithm.to_string(), hex.to_string()))
                .collect(),
        };
        let what = match role {
            "pipeline" => "pipeline",
            role if role.starts_with("stepAction/") => "step action",
            _ => "task",
        };
        let via = vec![part(PartKind::Definition, what)];
        let is_kept = self.format != Format::SlsaV1 && is_definition(role);
        let class = if is_kept { role } else { "" };
        self.dependencies.add(artifact, class, place.origin(via));
    }

    pub(super) fn images_used(&mut self, run: &TaskRun<'_>, place: Place<'_>) {
        let steps = run.status.steps.iter();
        let steps = steps.map(|step| (PartKind::StepImage, &step.name, &step.image_id));
        let sidecars = run.status.sidecars.iter();
        let sidecars =
            sidecars.map(|sidecar| (PartKind::SidecarImage, &sidecar.name, &sidecar.image_id));
        for (kind, name, image) in steps.chain(sidecars) {
            if let Some(artifact) = image_used(image) {
                let origin = place.origin(vec![part(kind, name.as_str())]);
                self.dependencies.add(artifact, "", origin);
            }
        }
    }

    pub(super) fn step_actions(&mut self, run: &TaskRun<'_>, place: Place<'_>) {
        for step in &run.status.steps {
            let place = Place {
                step: Some(&step.name),
                ..place
            };
            let role = format!("stepAction/{}", step.name);
            self.definition(step.provenance.as_ref(), &role, place);
        }
    }

    pub(super) fn step_sources(&mut self, run: &TaskRun<'_>, place: Place<'_>) {
        for step in &run.status.steps {
            let place = Place {
                step: Some(&step.name),
                ..place
            };
            self.git(&Git::of_step(step), place);
            self.inputs(&step.results, place);
        }
    }

    pub(super) fn task_sources(&mut self, run: &TaskRun<'_>, place: Place<'_>) {
        self.git(&Git::of_task(run), place);
        self.inputs(&run.status.results, place);
    }

    pub(super) fn inputs(&mut self, results: &[RunResult<'_>], place: Place<'_>) {
        let inputs = results
            .iter()
            .filter(|result| result.name.ends_with(ARTIFACT_INPUTS));
        for input in inputs {
            let mut notes = Notes::default();
            let group = std::slice::from_ref(input);
            for artifact in hints::inputs(group, &mut notes) {
                let origin = place.origin(names(group));
                self.dependencies.add(artifact, "", origin);
            }
            self.note(place, "", notes, fault(group));
        }
    }

    pub(super) fn git(&mut self, git: &Git<'_>, place: Place<'_>) {
        let mut notes = Notes::default();
        if let Some(artifact) = git.source(&mut notes) {
            let url = git_part(git.url_source, crate::extract::GIT_URL);
            let commit = git_part(git.commit_source, crate::extract::GIT_COMMIT);
            let origin = place.origin(url.into_iter().chain(commit).collect());
            self.dependencies.add(artifact, "", origin);
        }
        self.note(place, "", notes, None);
        near::git(self, place, git);
    }
}

fn git_part(source: GitSource, name: &str) -> Option<Part> {
    let kind = match source {
        GitSource::Nowhere => return None,
        GitSource::Default => PartKind::ParamDefault,
        GitSource::Param => PartKind::Param,
        GitSource::Result => PartKind::Result,
    };
    Some(part(kind, name))
}

/// Results that belong together by the start of their names, in the order of the first of them.
fn pairs<'a>(results: &[RunResult<'a>], uri: &str, digest: &str) -> Vec<Vec<RunResult<'a>>> {
    let mut groups: IndexMap<&str, Vec<RunResult<'a>>> = IndexMap::new();
    for result in results {
        let marker = result
            .name
            .strip_suffix(uri)
            .or_else(|| result.name.strip_suffix(digest));
        if let Some(marker) = marker {
            groups.entry(marker).or_default().push(result.clone());
        }
    }
    groups.into_values().collect()
}

fn names(group: &[RunResult<'_>]) -> Vec<Part> {
    let mut names: Vec<&str> = group.iter().map(|result| &*result.name).collect();
    names.dedup();
    let names = names.into_iter();
    names.map(|name| part(PartKind::Result, name)).collect()
}

/// Why the digest of a hint cannot be used.
fn fault(group: &[RunResult<'_>]) -> Option<String> {
    if let [one] = group
        && (one.name.ends_with(ARTIFACT_OUTPUTS) || one.name.ends_with(ARTIFACT_INPUTS))
    {
        return near::object_fault(&one.value);
    }
    let is_digest = |name: &str| name.ends_with(IMAGE_DIGEST) || name.ends_with(ARTIFACT_DIGEST);
    let digest = group.iter().rfind(|result| is_digest(&result.name))?;
    let text = digest.value.text().trim();
    if text.is_empty() {
        return Some(format!("{} exists but is empty", digest.name));
    }
    digest::fault(text)
}

fn image_fault(group: &[RunResult<'_>]) -> Option<String> {
    match group {
        [one] if &*one.name == IMAGES => {
            let (_, digest) = one.value.text().split_once('@')?;
            digest::fault(digest)
        }
        group => fault(group),
    }
}
