//! The state of a run's signature, in one line, from its annotations.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize as _;
use serde_json::{Map, Value};
use windlass_core::annotation;
use windlass_core::certificate::Details;
use windlass_core::key::Certificate;
use windlass_core::run::Kind;

use crate::cli::output::clean;
use crate::inspect::summary::{SignatureState, Summary};

use super::field;

/// What can be said about the signature of `run`, which may have finished or not.
pub(super) fn line(kind: Kind, run: &Value, finished: bool) -> String {
    let empty = Map::new();
    let annotations = field::object(run, "/metadata/annotations").unwrap_or(&empty);
    let mark = |key: &str| annotations.get(key).and_then(Value::as_str);
    let reason = mark(annotation::REASON).map(reason);
    let summary = Summary::deserialize(run);
    let has_traces = summary.is_ok_and(|run| run.signature() == SignatureState::Signed);
    match (mark(annotation::SIGNED), mark(annotation::RETRIES)) {
        (Some("true"), _) if !has_traces => {
            "marked as signed, but nothing shows that a controller did it".to_owned()
        }
        (Some("true"), _) => {
            let key = format!("{}-{}", kind.singular(), field::text(run, "/metadata/uid"));
            signed(&key, &mark, reason.as_deref())
        }
        (Some("failed"), _) => {
            format!(
                "failed: {}",
                reason.as_deref().unwrap_or("no reason was recorded")
            )
        }
        (Some(other), _) => format!("unknown: marked as {:?}", clean::short(other)),
        (None, Some(retries)) => {
            // the first failed pass writes 0
            let passes = retries
                .parse::<u32>()
                .map_or(1, |retries| retries.saturating_add(1));
            let plural = if passes == 1 { "attempt" } else { "attempts" };
            let because = reason
                .map(|reason| format!(": {reason}"))
                .unwrap_or_default();
            format!("not yet, {passes} failed {plural}{because}")
        }
        (None, None) if finished => "not yet".to_owned(),
        (None, None) => "not yet: the run has not finished".to_owned(),
    }
}

/// A reason as a controller writes it is shown whole: its end says what to do.
fn reason(text: &str) -> String {
    if text.len() <= annotation::REASON_LIMIT {
        clean::line(text).into_owned()
    } else {
        clean::short(text)
    }
}

fn signed<'a>(key: &str, mark: &impl Fn(&str) -> Option<&'a str>, note: Option<&str>) -> String {
    let payload = mark(&annotation::payload(key)).map(|text| STANDARD.decode(text));
    let signature = mark(&annotation::signature(key)).and_then(|text| STANDARD.decode(text).ok());
    let mut line = match payload {
        Some(Ok(payload)) => {
            let envelope = signature.is_some_and(|bytes| is_envelope(&bytes));
            let wrapped = if envelope { " in a DSSE envelope" } else { "" };
            format!(
                "signed: {}, payload of {} bytes{wrapped}",
                format(&payload),
                payload.len()
            )
        }
        Some(Err(_)) => "signed, but the payload annotation is not base64".to_owned(),
        None => "signed: payload and signature are not in this run's annotations".to_owned(),
    };
    if let Some(url) = mark(annotation::TRANSPARENCY) {
        line.push_str(", log entry ");
        line.push_str(&clean::short(url));
    }
    if let Some(note) = note {
        line.push_str("; ");
        line.push_str(note);
    }
    line
}

/// Whom the certificate of a signature names, as verbs that verify take it. Nothing is verified here.
pub(super) fn identity(kind: Kind, run: &Value) -> Option<String> {
    let key = format!("{}-{}", kind.singular(), field::text(run, "/metadata/uid"));
    let annotations = field::object(run, "/metadata/annotations")?;
    let pem = annotations.get(&annotation::certificate(&key))?.as_str()?;
    let pem = STANDARD.decode(pem).ok().filter(|pem| !pem.is_empty())?;
    let Ok(certificate) = Certificate::from_pem(&pem) else {
        return Some("the certificate cannot be read".to_owned());
    };
    let details = Details::of(&certificate);
    let names = details.and_then(|it| Ok((it.identity()?, it.oidc_issuer()?)));
    Some(match names {
        Ok((identity, issuer)) => format!(
            "--certificate-identity={} --certificate-oidc-issuer={}",
            word(identity),
            word(issuer)
        ),
        Err(error) => error.to_string(),
    })
}

/// A text as one word of a shell.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/@%+=,".contains(c);
    if text.chars().all(is_plain) {
        return text.to_owned();
    }
    let text = clean::line(text);
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The payload's format, judged by its content.
fn format(payload: &[u8]) -> String {
    let Ok(payload) = serde_json::from_slice::<Value>(payload) else {
        return "unknown format".to_owned();
    };
    if payload.get("_type").is_some() {
        return match field::text(&payload, "/predicateType") {
            "https://slsa.dev/provenance/v0.2" => {
                "format in-toto (SLSA provenance v0.2)".to_owned()
            }
            "https://slsa.dev/provenance/v1" => "format in-toto (SLSA provenance v1)".to_owned(),
            other => format!("format in-toto ({})", clean::short(other)),
        };
    }
    if payload.get("critical").is_some() {
        return "format simplesigning".to_owned();
    }
    if payload.get("conditions").is_some() {
        return "format tekton".to_owned();
    }
    "unknown format".to_owned()
}

fn is_envelope(signature: &[u8]) -> bool {
    serde_json::from_slice::<Value>(signature)
        .is_ok_and(|envelope| envelope.get("payloadType").is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn state(annotations: &Value) -> String {
        let run = json!({"metadata": {"name": "n", "uid": "u-1", "annotations": annotations}});
        line(Kind::Task, &run, true)
    }

    #[test]
    fn a_signed_run_names_format_and_size() {
        let (payload, envelope) = (
            STANDARD.encode(r#"{"conditions":[]}"#),
            STANDARD.encode(r#"{"payloadType":"x"}"#),
        );
        let annotations = json!({
            "chains.tekton.dev/signed": "true",
            "chains.tekton.dev/payload-taskrun-u-1": payload,
            "chains.tekton.dev/signature-taskrun-u-1": "AAAA",
        });
        assert_eq!(
            state(&annotations),
            "signed: format tekton, payload of 17 bytes"
        );
        let statement = r#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://slsa.dev/provenance/v1"}"#;
        let annotations = json!({
            "chains.tekton.dev/signed": "true",
            "chains.tekton.dev/payload-taskrun-u-1": STANDARD.encode(statement),
            "chains.tekton.dev/signature-taskrun-u-1": envelope,
        });
        assert_eq!(
            state(&annotations),
            format!(
                "signed: format in-toto (SLSA provenance v1), payload of {} bytes in a DSSE envelope",
                statement.len()
            )
        );
    }

    #[test]
    fn a_name_in_a_certificate_is_one_word_of_a_shell() {
        assert_eq!(
            word("https://kubernetes.io/a@b"),
            "https://kubernetes.io/a@b"
        );
        assert_eq!(word("https://x/$(run)"), "'https://x/$(run)'");
        assert_eq!(word("a'b;c"), r"'a'\''b;c'");
    }

    #[test]
    fn a_signature_kept_elsewhere_is_said_so() {
        let sealed = json!({
            "chains.tekton.dev/signed": "true", "chains.tekton.dev/seal": "SHA256:x MEUC u-1",
        });
        let said = state(&sealed);
        assert!(said.contains("not in this run's annotations"), "{said}");
    }

    #[test]
    fn a_mark_that_the_author_may_have_set_is_no_signature() {
        let said = state(&json!({"chains.tekton.dev/signed": "true"}));
        assert!(said.starts_with("marked as signed, but"), "{said}");
    }

    #[test]
    fn failures_and_retries_give_their_reason() {
        let reason = "wrong \u{1b}[31mpassword";
        let failed =
            json!({"chains.tekton.dev/signed": "failed", "chains.tekton.dev/reason": reason});
        assert_eq!(state(&failed), "failed: wrong \\u{1b}[31mpassword");
        let retried = json!({"chains.tekton.dev/retries": "1", "chains.tekton.dev/reason": "slow"});
        assert_eq!(state(&retried), "not yet, 2 failed attempts: slow");
        assert_eq!(state(&json!({})), "not yet");
        assert_eq!(state(&Value::Null), "not yet");
    }
}
