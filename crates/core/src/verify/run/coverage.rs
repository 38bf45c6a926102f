//! What a payload does not say of its run: parts that may be anything without changing it.
//!
//! Name, namespace, uid and kind are tried: if the payload is the same for a run that differs in one
//! of them, the signature does not cover it.

use serde_json::value::RawValue;

use crate::config::Config;
use crate::format::Format;
use crate::payload::Payload;
use crate::run::{Kind, Metadata, Raw, Run, Text};

/// Name of the part that says which kind of run it is.
pub(super) const KIND: &str = "kind";

/// A payload, and how it is created.
pub(super) struct Content<'a> {
    pub(super) payload: &'a [u8],
    pub(super) format: Format,
    pub(super) config: &'a Config,
}

impl Content<'_> {
    fn is_that_of(&self, run: &Run<'_>) -> bool {
        let other = Payload::of_run(run, self.config, self.format);
        other.is_ok_and(|other| other.bytes == self.payload)
    }
}

/// Names of the parts of the run that the payload does not depend on.
pub(super) fn uncovered(run: &Run<'_>, content: &Content<'_>) -> Vec<String> {
    let mut parts = Vec::new();
    if is_kind_free(run, content) {
        parts.push(KIND);
    }
    let namespace = changed(run, |metadata| metadata.namespace = other());
    let name = changed(run, |metadata| metadata.name = other());
    let uid = changed(run, |metadata| metadata.uid = other());
    for (part, other) in [("namespace", namespace), ("name", name), ("uid", uid)] {
        if content.is_that_of(&other) {
            parts.push(part);
        }
    }
    parts.extend(match (content.format, run.kind()) {
        (Format::Tekton, _) => ["labels", "annotations", "spec"].as_slice(),
        (Format::SlsaV1, Kind::Task) => &["results that name no artifact", "whether it succeeded"],
        (Format::SlsaV1, Kind::Pipeline) => &["results that name no artifact"],
        _ => &["whether it succeeded"],
    });
    let of_children = match content.format {
        Format::SlsaV2Alpha3 | Format::SlsaV2Alpha4 => run.kind() == Kind::Pipeline,
        _ => false,
    };
    if of_children && !content.config.deep_inspection {
        parts.push("results of its task runs");
    }
    parts.into_iter().map(str::to_owned).collect()
}

/// A value that no run has.
fn other<'a>() -> Text<'a> {
    Text::from("\u{0}another")
}

fn changed<'a>(run: &Run<'a>, change: fn(&mut Metadata<'_>)) -> Run<'a> {
    let mut run = run.clone();
    match &mut run {
        Run::Task(run) => change(&mut run.metadata),
        Run::Pipeline(run, _) => change(&mut run.metadata),
    }
    run
}

/// Whether a run of the other kind with the same content has the same payload.
fn is_kind_free(run: &Run<'_>, content: &Content<'_>) -> bool {
    let mut others = Kind::ALL.into_iter().filter(|kind| *kind != run.kind());
    let document = document(run.raw());
    others.any(|kind| {
        let other = kind.parse(document.as_bytes());
        other.is_ok_and(|other| content.is_that_of(&other))
    })
}

/// The run without its kind.
fn document(raw: &Raw<'_>) -> String {
    let part = |part: Option<&RawValue>| part.map_or("null", RawValue::get).to_owned();
    format!(
        r#"{{"metadata":{},"spec":{},"status":{}}}"#,
        part(raw.metadata),
        part(raw.spec),
        part(raw.status)
    )
}
