//! In-toto statements: a predicate about subjects.
//!
//! Written as protojson writes them: docs/behaviour.md, "JSON of statements".

use std::borrow::Cow;

use crate::artifact::{Digests, ResolvedArtifact};
use crate::json::{Json, Object};

/// What a statement is about: a name and its digests.
pub type Subject = ResolvedArtifact;

/// A statement. Its members are written in the order of the fields, each only if it is not empty.
#[derive(Debug)]
pub(crate) struct Statement<'a> {
    pub(crate) kind: &'static str,
    pub(crate) subjects: &'a [Subject],
    pub(crate) predicate_type: &'static str,
    pub(crate) predicate: Json<'a>,
}

impl Statement<'_> {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut members = Vec::new();
        members.push(format!(
            "\"_type\":{}",
            Json::from(self.kind).to_predicate()
        ));
        if !self.subjects.is_empty() {
            let subjects: Vec<_> = self.subjects.iter().map(write_subject).collect();
            members.push(format!("\"subject\":[{}]", subjects.join(",")));
        }
        let kind = Json::from(self.predicate_type).to_predicate();
        members.push(format!("\"predicateType\":{kind}"));
        members.push(format!("\"predicate\":{}", self.predicate.to_predicate()));
        format!("{{{}}}", members.join(",")).into_bytes()
    }
}

/// Name first, then digest: subjects are messages and keep their order, unlike the predicate.
fn write_subject(subject: &Subject) -> String {
    let name = Json::from(subject.name.as_str()).to_predicate();
    if subject.digest.is_empty() {
        return format!("{{\"name\":{name}}}");
    }
    let digest = digests(&subject.digest).to_predicate();
    format!("{{\"name\":{name},\"digest\":{digest}}}")
}

/// Digests as an object.
pub(crate) fn digests(digests: &Digests) -> Json<'_> {
    Json::text_object(
        digests
            .iter()
            .map(|(algorithm, hex)| (algorithm.as_str(), hex.as_str())),
    )
}

/// A resource descriptor of SLSA v1.0; empty fields are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Descriptor {
    pub(crate) name: String,
    pub(crate) uri: String,
    pub(crate) digest: Digests,
    pub(crate) content: String,
    pub(crate) media_type: &'static str,
}

impl Descriptor {
    pub(crate) fn to_json(&self) -> Json<'_> {
        use base64::Engine as _;
        let content = base64::engine::general_purpose::STANDARD.encode(&self.content);
        Object::default()
            .with_some("name", self.name.as_str())
            .with_some("uri", self.uri.as_str())
            .with_some("digest", digests(&self.digest))
            .with_some("content", Json::String(Cow::Owned(content)))
            .with_some("mediaType", self.media_type)
            .into()
    }
}
