//! The requirements of a field selector. Each kind has few fields that can be selected by; another
//! one is refused, as kube-apiserver does.

use serde_json::Value;

use crate::cluster::kind::{Kind, Origin};

/// A field, and whether it has to have this value or another one.
#[derive(Debug, Clone)]
pub(super) struct FieldRequirement {
    path: Vec<String>,
    equal: bool,
    value: String,
}

/// All the requirements of a selector; commas too many are passed over.
pub(super) fn requirements(text: &str, kind: &Kind) -> Result<Vec<FieldRequirement>, String> {
    let terms = terms(text).into_iter().filter(|term| !term.is_empty());
    terms
        .map(|term| FieldRequirement::parse(text, term, kind))
        .collect()
}

/// Splits at commas that have no backslash in front of them.
fn terms(text: &str) -> Vec<&str> {
    let (mut terms, mut start, mut escaped) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                terms.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    terms.push(text.get(start..).unwrap_or_default());
    terms
}

impl FieldRequirement {
    fn parse(whole: &str, term: &str, kind: &Kind) -> Result<Self, String> {
        let mut places = term.char_indices().map(|(at, _)| term.split_at(at));
        let (name, operator) = places
            .find(|(_, rest)| rest.starts_with('=') || rest.starts_with("!="))
            .ok_or_else(|| format!("invalid selector: '{whole}'; can't understand '{term}'"))?;
        let rest = operator.trim_start_matches('!');
        let value = rest.strip_prefix("==").or(rest.strip_prefix('='));
        let value = value.unwrap_or_default();
        let equal = !operator.starts_with('!');
        let name = field_of(kind, name)?;
        Ok(Self {
            path: name.split('.').map(str::to_owned).collect(),
            equal,
            value: unescaped(value)?,
        })
    }

    pub(super) fn is_met(&self, object: &Value) -> bool {
        let found = self
            .path
            .iter()
            .fold(object, |value, field| &value[field.as_str()]);
        (found.as_str().unwrap_or_default() == self.value) == self.equal
    }
}

/// The path of the field that a selector names.
fn field_of<'n>(kind: &Kind, name: &'n str) -> Result<&'n str, String> {
    let own: &[&str] = match kind.kind {
        "Pod" => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        "Event" => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        "Namespace" => &["status.phase"],
        "Secret" => &["type"],
        _ => &[],
    };
    match name {
        "metadata.name" => Ok(name),
        "metadata.namespace" if kind.namespaced => Ok(name),
        "source" if own.contains(&name) => Ok("source.component"),
        _ if own.contains(&name) => Ok(name),
        _ if own.is_empty() && kind.origin == Origin::BuiltIn => Err(format!(
            "{name:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        )),
        _ => Err(format!("field label not supported: {name}")),
    }
}

/// A value without the backslashes that keep what follows them from being read otherwise.
fn unescaped(value: &str) -> Result<String, String> {
    let mut plain = String::with_capacity(value.len());
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some(escaped @ ('\\' | ',' | '=')) => plain.push(escaped),
                other => {
                    let other = other.map(String::from).unwrap_or_default();
                    return Err(format!(
                        "invalid field selector: invalid escape sequence: \\{other}"
                    ));
                }
            },
            ',' | '=' => {
                return Err(format!(
                    "invalid field selector: unescaped character in value: {}",
                    u32::from(letter)
                ));
            }
            _ => plain.push(letter),
        }
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::kind::KINDS;

    fn kind(name: &str) -> &'static Kind {
        KINDS.iter().find(|kind| kind.kind == name).unwrap()
    }

    #[test]
    fn a_field_that_the_kind_is_not_selected_by_is_refused() {
        for (name, text, reason) in [
            ("TaskRun", "spec.x=y", "field label not supported: spec.x"),
            ("Pod", "spec.x=y", "field label not supported: spec.x"),
            (
                "Namespace",
                "metadata.namespace=a",
                "field label not supported: metadata.namespace",
            ),
            (
                "ConfigMap",
                "data.x=y",
                "\"data.x\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
            ),
            (
                "Pod",
                "status.phase",
                "invalid selector: 'status.phase'; can't understand 'status.phase'",
            ),
            (
                "Pod",
                "metadata.name=a=b",
                "invalid field selector: unescaped character in value: 61",
            ),
            (
                "Pod",
                "metadata.name===b",
                "invalid field selector: unescaped character in value: 61",
            ),
            (
                "Pod",
                "metadata.name=a\\b",
                "invalid field selector: invalid escape sequence: \\b",
            ),
        ] {
            assert_eq!(
                requirements(text, kind(name)).unwrap_err(),
                reason,
                "{text}"
            );
        }
    }

    #[test]
    fn fields_are_compared_with_values_and_commas_too_many_are_passed_over() {
        let pod = json!({ "metadata": { "name": "a" }, "status": { "phase": "Running" } });
        for (text, is_met) in [
            ("metadata.name=a,,status.phase!=Failed,", true),
            ("metadata.name==a", true),
            ("metadata.name!=a", false),
            ("spec.nodeName=", true),
            ("metadata.name=a\\,b", false),
        ] {
            let found = requirements(text, kind("Pod")).unwrap();
            assert_eq!(found.iter().all(|one| one.is_met(&pod)), is_met, "{text}");
        }
    }
}
