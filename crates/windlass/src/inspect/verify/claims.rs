//! What a signature of an image says: its payload as cosign prints it, and its annotations.

use serde_json::{Value, json};
use windlass_core::verify::{self, Claim, Outcome};

/// Most annotations that a finding lists; whoever signs chooses them.
const LONGEST: usize = 200;

/// The payload of a signature, for programs; nothing if it is not JSON.
pub(super) fn of_payload(payload: &[u8]) -> Option<Value> {
    serde_json::from_slice(payload).ok()
}

/// The same for a statement that an image was signed.
pub(super) fn of_statement(payload: &[u8], claim: &Claim) -> Value {
    let names = verify::subject_names(payload, claim);
    json!({
        "critical": {
            "identity": { "docker-reference": names.first().map_or("", String::as_str) },
            "image": { "docker-manifest-digest": format!("{}:{}", claim.algorithm, claim.digest) },
            "type": "https://sigstore.dev/cosign/sign/v1",
        },
        "optional": annotations(payload, claim),
    })
}

/// The annotations of the subject with this digest, which is where cosign 3 has those of a signature.
fn annotations(payload: &[u8], claim: &Claim) -> Value {
    let statement: Value = serde_json::from_slice(payload).unwrap_or_default();
    let subjects = statement["subject"].as_array();
    let mut subjects = subjects.into_iter().flatten();
    let subject = subjects.find(|subject| subject["digest"][&claim.algorithm] == *claim.digest);
    let annotations = subject.and_then(|subject| subject["annotations"].as_object());
    annotations.map_or_else(|| json!({}), |found| json!(found))
}

/// Compares the annotations of a signature with those that are asked for.
pub(super) fn compare(outcome: &mut Outcome, claims: Option<&Value>, asked: &[(String, String)]) {
    let optional = claims.map_or(&Value::Null, |claims| &claims["optional"]);
    for (key, value) in asked {
        let found = match &optional[key.as_str()] {
            Value::String(found) if found == value => continue,
            Value::Null => "it has none".to_owned(),
            found => {
                let text = found.to_string();
                format!("it is {text:.LONGEST$}")
            }
        };
        let finding = format!("the annotation {key} has to be {value:?}, and {found}");
        outcome.findings.push(finding);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_annotation_that_is_asked_for_has_to_be_there_with_its_value() {
        let claims = json!({ "optional": { "build": "1", "n": 2 } });
        let findings = |asked: &[(&str, &str)]| {
            let asked: Vec<_> = asked
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect();
            let mut outcome = Outcome::default();
            compare(&mut outcome, Some(&claims), &asked);
            outcome.findings
        };
        assert!(findings(&[]).is_empty());
        assert!(findings(&[("build", "1")]).is_empty());
        assert_eq!(
            findings(&[("build", "2"), ("n", "2"), ("other", "")]).len(),
            3
        );
        let mut outcome = Outcome::default();
        compare(&mut outcome, None, &[("a".to_owned(), "b".to_owned())]);
        assert!(!outcome.holds());
    }
}
