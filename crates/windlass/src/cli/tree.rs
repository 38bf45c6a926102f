//! `tree`: lists what is attached to an image, without verifying it.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde_json::{Value, json};
use windlass_registry::{Name, Reference};

use super::access::{Access, reference, within};
use super::output::{self, Format, clean};
use crate::store::oci::attached::{self, Attached, Shelf};

/// Show what is attached to an image: signatures, attestations, referrers
///
/// Nothing is verified; use `windlass verify` for that.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass tree registry.example.com/team/app:v1
  windlass tree registry.example.com/team/app:v1 -o json | jq '.attached[].digest'")]
pub(crate) struct Tree {
    #[command(flatten)]
    access: Access,
    /// IMAGE@DIGEST or IMAGE:TAG
    #[arg(value_name = "IMAGE", value_parser = reference)]
    image: Reference,
    /// json, yaml, name, jsonpath=TEMPLATE, jsonpath-as-json=TEMPLATE or go-template=TEMPLATE
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Format>,
}

impl Tree {
    /// Prints the tree.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        within(self.access.timeout(), Box::pin(self.show())).await
    }

    async fn show(self) -> anyhow::Result<ExitCode> {
        let found = self.access.resolve(&self.image).await?;
        let [remote, tags] = [&found.remote, &found.tags].map(Shelf::Repository);
        let attached = attached::list(remote, tags, &found.digest).await?;
        let image = format!("{}@{}", self.image.repository, found.digest);
        if attached.is_empty() && self.image.digest.is_some() {
            // a digest is taken as it is typed, so that what is left of an image that was deleted is shown
            let manifest = found
                .remote
                .head_manifest(&Name::Digest(found.digest.clone()))
                .await?;
            anyhow::ensure!(
                manifest.is_some(),
                "{image} was not found, and nothing is attached to it"
            );
        }
        output::write(match &self.output {
            None => text(&image, &attached).into_bytes(),
            Some(format) => format.text(&document(&image, &attached), &[image])?,
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// What is attached, for programs.
fn document(image: &str, attached: &[Attached]) -> Value {
    let attached = attached.iter().map(|one| {
        json!({
            "place": one.place.to_string(),
            "digest": one.descriptor.digest.as_str(),
            "mediaType": one.descriptor.media_type,
            "artifactType": one.descriptor.artifact_type,
            "size": one.descriptor.size,
            "predicateType": predicate(one),
        })
    });
    json!({ "image": image, "attached": attached.collect::<Vec<_>>() })
}

/// The predicate type that the list tells.
fn predicate(attached: &Attached) -> Option<&str> {
    let annotations = attached.descriptor.annotations.as_ref()?;
    let names = ["dev.sigstore.bundle.predicateType", "predicateType"];
    let found = names.iter().find_map(|name| annotations.get(*name))?;
    Some(found)
}

fn text(image: &str, attached: &[Attached]) -> String {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in attached {
        let lines = places.entry(one.place.to_string()).or_default();
        lines.push(line(one));
    }
    let mut text = format!("{image}\n");
    if places.is_empty() {
        text.push_str("nothing is attached\n");
    }
    let last_place = places.len().saturating_sub(1);
    for (number, (place, lines)) in places.iter().enumerate() {
        let (branch, stem) = joint(number == last_place);
        text.extend([branch, place, "\n"]);
        let last = lines.len().saturating_sub(1);
        for (number, line) in lines.iter().enumerate() {
            let (branch, _) = joint(number == last);
            text.extend([stem, branch, line, "\n"]);
        }
    }
    text
}

/// What stands before a line, and before those below it.
fn joint(is_last: bool) -> (&'static str, &'static str) {
    if is_last {
        ("└── ", "    ")
    } else {
        ("├── ", "│   ")
    }
}

fn line(attached: &Attached) -> String {
    let descriptor = &attached.descriptor;
    let kind = descriptor.artifact_type.as_deref();
    let kind = kind.unwrap_or(&descriptor.media_type);
    let mut line = format!("{} {}", descriptor.digest, clean::short(kind));
    if let Some(predicate) = predicate(attached) {
        line.push(' ');
        line.push_str(&clean::short(predicate));
    }
    line
}
