//! The story of a build: what a provenance tells of it, in few words and whichever version of SLSA
//! provenance describes it.
//!
//! It is read from a statement whose signature was verified: see [`super::attestation`]. What the
//! author of the run chose is marked as claimed. Whoever signs chooses how much there is, so names
//! are cut and lists end at [`MOST`]. Sources: SLSA provenance v0.2 and v1.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::build::{Build, Definition, Input};
use super::statement::Statement;
use crate::format::{SLSA_V1, SLSA_V02};
use crate::json::strict;
use crate::run::Kind;

mod facts;

/// Most products, sources and images that are told, each.
pub const MOST: usize = 50;
/// Most characters of a text.
const LONGEST: usize = 300;
/// Most digests of one thing.
const DIGESTS: usize = 4;

/// Something with a name and digests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Material {
    /// Its URI or name.
    pub uri: String,
    /// Names of algorithms, and hexadecimal digits.
    pub digests: Vec<(String, String)>,
    /// Which file or name there, if that is told.
    pub path: String,
}

/// The first of a list, and how many there are besides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The first ones.
    pub shown: Vec<Material>,
    /// How many follow.
    pub more: usize,
}

/// What a provenance tells of its build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// What kind of run it was.
    pub kind: Kind,
    /// The builder, which the controller names.
    pub builder: String,
    /// The type of the build, which the controller names.
    pub build_type: String,
    /// The uid of the run, where the format has it.
    pub uid: Option<String>,
    /// The name of the pipeline run, where the format has it. Claimed.
    pub run: Option<String>,
    /// The pipeline, by name. Claimed.
    pub pipeline: Option<String>,
    /// The tasks, by name. Claimed.
    pub tasks: Vec<String>,
    /// The service account that it ran as.
    pub account: Option<String>,
    /// Where a resolver read its definition from.
    pub definition: Option<Material>,
    /// When it began, as it is written.
    pub started: Option<String>,
    /// When it ended, as it is written.
    pub finished: Option<String>,
    /// What it made: the subjects of the statement.
    pub products: Listed,
    /// What it was made from, by the word of params and results. Claimed.
    pub sources: Listed,
    /// The images that its steps and sidecars ran in.
    pub images: Listed,
}

impl Story {
    /// What a statement tells; nothing if it is no provenance. The signature is not looked at.
    ///
    /// ```
    /// use windlass_core::verify::Story;
    ///
    /// let statement = br#"{"_type":"https://in-toto.io/Statement/v0.1",
    ///     "predicateType":"https://slsa.dev/provenance/v0.2","subject":[],
    ///     "predicate":{"builder":{"id":"https://builder.example"}}}"#;
    /// let story = Story::of(statement).ok_or("no provenance")?;
    /// assert_eq!(story.builder, "https://builder.example");
    /// # Ok::<(), &str>(())
    /// ```
    pub fn of(statement: &[u8]) -> Option<Self> {
        let text = strict(statement).ok()?;
        let read: Statement<'_> = serde_json::from_str(text).ok()?;
        let predicate: Value = serde_json::from_str(read.predicate?.get()).ok()?;
        let (build, facts) = match read.predicate_type.as_str() {
            SLSA_V02 => (Build::v02(&predicate), facts::v02(&predicate)),
            SLSA_V1 => (Build::v1(&predicate), facts::v1(&predicate)),
            _ => return None,
        };
        let (images, others): (Vec<_>, Vec<_>) =
            build.inputs.iter().partition(|input| is_image(input));
        let is_definition = |input: &&Input<'_>| {
            let mut definitions = build.tasks.iter().chain([&build.own]);
            definitions.any(|own| own.uri == input.uri && own.digests == input.digests)
        };
        let (definitions, mut sources): (Vec<_>, Vec<_>) =
            others.into_iter().partition(is_definition);
        if sources.is_empty() {
            // a repository that holds its own pipeline is listed once
            sources = definitions;
        }
        Some(Self {
            kind: match build.kind {
                Definition::Task => Kind::Task,
                Definition::Pipeline => Kind::Pipeline,
            },
            builder: cut(build.builder),
            build_type: cut(facts.build_type),
            uid: facts.uid.map(cut),
            run: facts.run.map(cut),
            pipeline: facts.pipeline.map(cut),
            tasks: facts.tasks.into_iter().take(MOST).map(cut).collect(),
            account: facts.account.map(cut),
            definition: (!build.own.uri.is_empty()).then(|| material(&build.own)),
            started: facts.started.map(cut),
            finished: facts.finished.map(cut),
            products: Listed::of(read.subjects().map(product)),
            sources: Listed::of(sources.into_iter().map(material)),
            images: Listed::of(images.into_iter().map(material)),
        })
    }

    /// The story for programs.
    pub fn json(&self) -> Value {
        json!({
            "kind": self.kind.name(),
            "builder": self.builder,
            "buildType": self.build_type,
            "uid": self.uid,
            "run": self.run,
            "pipeline": self.pipeline,
            "tasks": self.tasks,
            "account": self.account,
            "definition": self.definition.as_ref().map(Material::json),
            "started": self.started,
            "finished": self.finished,
            "products": self.products.json(),
            "sources": self.sources.json(),
            "images": self.images.json(),
            "claimed": ["run", "pipeline", "tasks", "products", "sources"],
        })
    }
}

impl Material {
    /// The digest by an algorithm.
    pub fn digest(&self, algorithm: &str) -> Option<&str> {
        let mut digests = self.digests.iter();
        let found = digests.find(|(name, _)| name == algorithm)?;
        Some(&found.1)
    }

    fn json(&self) -> Value {
        let digest: serde_json::Map<_, _> = self
            .digests
            .iter()
            .map(|(algorithm, hex)| (algorithm.clone(), hex.as_str().into()))
            .collect();
        json!({ "uri": self.uri, "digest": digest, "path": self.path })
    }
}

impl Listed {
    fn of(all: impl IntoIterator<Item = Material>) -> Self {
        let mut all = all.into_iter();
        let mut shown: Vec<Material> = Vec::new();
        for material in all.by_ref().take(MOST) {
            if !shown.contains(&material) {
                shown.push(material);
            }
        }
        let more = all.count();
        Self { shown, more }
    }

    fn json(&self) -> Value {
        let shown: Vec<Value> = self.shown.iter().map(Material::json).collect();
        json!({ "shown": shown, "more": self.more })
    }
}

fn is_image(input: &Input<'_>) -> bool {
    input.uri.starts_with("oci://") || input.uri.starts_with("docker-pullable://")
}

fn material(input: &Input<'_>) -> Material {
    let digests = input.digests.iter().take(DIGESTS);
    Material {
        uri: cut(input.uri),
        digests: digests
            .map(|(algorithm, hex)| (cut(algorithm), cut(hex)))
            .collect(),
        path: cut(input.entry_point),
    }
}

fn product((name, digests): (&str, &BTreeMap<String, String>)) -> Material {
    let digests = digests.iter().take(DIGESTS);
    Material {
        uri: cut(name),
        digests: digests
            .map(|(algorithm, hex)| (cut(algorithm), cut(hex)))
            .collect(),
        path: String::new(),
    }
}

/// The start of a text.
fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
