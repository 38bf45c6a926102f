//! Statements that a person has signed: a predicate in a file, about an image or a file, or a whole
//! statement.
//!
//! Source: `pkg/cosign/attestation` of `sigstore/cosign`: which predicates are JSON, and what those of
//! the type `custom` are wrapped in.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use windlass_core::json::{StrictError, strict};

/// What cosign calls the type `custom`.
const CUSTOM: &str = "https://cosign.sigstore.dev/attestation/v1";
/// The type whose predicates are text.
const SPDX: &str = "https://spdx.dev/Document";
const STATEMENT: &str = "https://in-toto.io/Statement/v0.1";
const STATEMENTS: [&str; 2] = [STATEMENT, "https://in-toto.io/Statement/v1"];
/// Largest predicate or statement: with it, an attestation is still one that verifiers read.
pub(crate) const LARGEST: usize = 8 << 20;

/// What a statement is about.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) name: String,
    /// Of the digest, such as `sha256`.
    pub(crate) algorithm: String,
    /// Lower-case hex digits.
    pub(crate) hex: String,
}

/// Why something is no predicate or no statement.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StatementError {
    /// There is nothing.
    #[error("the {what} is empty")]
    Empty { what: &'static str },
    /// It is text that is none.
    #[error("the predicate is not text")]
    Text,
    /// It is no JSON that everybody reads in the same way.
    #[error("the {what} is not valid JSON")]
    Json {
        what: &'static str,
        source: StrictError,
    },
    /// It has another form.
    #[error(
        "the predicate is not a JSON object, as this type has it; `--type custom` takes any text"
    )]
    NoObject,
    /// It is a statement already.
    #[error(
        "the predicate is a whole in-toto statement; give only its `predicate`, or the file with \
         --statement"
    )]
    Nested,
    /// It lacks what a statement has.
    #[error(
        "the statement is not one of in-toto: it needs `_type` {}, a `predicateType` and a `subject` \
         with digests",
        STATEMENTS.join(" or ")
    )]
    NoStatement,
    /// It is about something else.
    #[error("the statement is not about {subject}: that digest is not among its subjects")]
    Other { subject: String },
}

/// A predicate that was read.
#[derive(Debug)]
pub(crate) struct Predicate {
    kind: String,
    content: Value,
}

/// A statement that was read, with its bytes.
#[derive(Debug)]
pub(crate) struct Statement {
    bytes: Vec<u8>,
    digests: Vec<(String, String)>,
}

impl Predicate {
    /// Reads the predicate of a type, in the form of that.
    pub(crate) fn read(kind: &str, content: &[u8], now: Timestamp) -> Result<Self, StatementError> {
        let what = "predicate";
        if content.trim_ascii().is_empty() {
            return Err(StatementError::Empty { what });
        }
        let text = || str::from_utf8(content).map_err(|_| StatementError::Text);
        let content = match kind {
            CUSTOM => {
                let now = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                json!({ "Data": text()?, "Timestamp": now })
            }
            SPDX if !content.trim_ascii_start().starts_with(b"{") => text()?.into(),
            _ => object(content, what)?,
        };
        Ok(Self {
            kind: kind.to_owned(),
            content,
        })
    }

    /// The statement about something.
    pub(crate) fn about(&self, subject: &Subject) -> Vec<u8> {
        let statement = json!({
            "_type": STATEMENT,
            "predicateType": self.kind,
            "subject": [{
                "name": subject.name,
                "digest": { (&*subject.algorithm): subject.hex },
            }],
            "predicate": self.content,
        });
        statement.to_string().into_bytes()
    }
}

fn object(content: &[u8], what: &'static str) -> Result<Value, StatementError> {
    let text = strict(content).map_err(|source| StatementError::Json { what, source })?;
    let value: Value = serde_json::from_str(text).map_err(|_| StatementError::NoObject)?;
    let members = value.as_object().ok_or(StatementError::NoObject)?;
    let is_statement = members
        .get("_type")
        .and_then(Value::as_str)
        .is_some_and(|kind| STATEMENTS.contains(&kind));
    if is_statement && members.contains_key("predicate") {
        return Err(StatementError::Nested);
    }
    Ok(value)
}

impl Statement {
    /// Reads a statement, which is signed as it stands.
    pub(crate) fn read(bytes: Vec<u8>) -> Result<Self, StatementError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Header {
            #[serde(rename = "_type")]
            kind: String,
            predicate_type: String,
            subject: Vec<Named>,
        }
        #[derive(Deserialize)]
        struct Named {
            digest: std::collections::BTreeMap<String, String>,
        }
        let what = "statement";
        if bytes.trim_ascii().is_empty() {
            return Err(StatementError::Empty { what });
        }
        let text = strict(&bytes).map_err(|source| StatementError::Json { what, source })?;
        let header: Option<Header> = serde_json::from_str(text).ok();
        let header = header.filter(|header| {
            STATEMENTS.contains(&header.kind.as_str()) && !header.predicate_type.is_empty()
        });
        let header = header.ok_or(StatementError::NoStatement)?;
        let digests = header.subject.into_iter().flat_map(|named| named.digest);
        let digests: Vec<_> = digests.collect();
        if digests.is_empty() {
            return Err(StatementError::NoStatement);
        }
        Ok(Self { bytes, digests })
    }

    /// Its bytes, if it is about this.
    pub(crate) fn about(&self, subject: &Subject) -> Result<Vec<u8>, StatementError> {
        let is_it = |(algorithm, hex): &(String, String)| {
            *algorithm == subject.algorithm && *hex == subject.hex
        };
        if !self.digests.iter().any(is_it) {
            return Err(StatementError::Other {
                subject: format!("{}:{}", subject.algorithm, subject.hex),
            });
        }
        Ok(self.bytes.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLSA: &str = "https://slsa.dev/provenance/v1";

    fn read(kind: &str, content: &[u8]) -> Result<Value, String> {
        let predicate = Predicate::read(kind, content, Timestamp::UNIX_EPOCH);
        let predicate = predicate.map_err(|error| error.to_string())?;
        let subject = Subject {
            name: "app".to_owned(),
            algorithm: "sha256".to_owned(),
            hex: "ab".to_owned(),
        };
        Ok(serde_json::from_slice(&predicate.about(&subject)).unwrap())
    }

    #[test]
    fn a_predicate_of_any_text_is_wrapped_and_every_other_one_is_a_json_object() {
        let custom = read(CUSTOM, b"any \"text\"").unwrap();
        assert_eq!(
            custom["predicate"],
            json!({ "Data": "any \"text\"", "Timestamp": "1970-01-01T00:00:00Z" })
        );
        assert_eq!(custom["subject"][0]["digest"]["sha256"], "ab");
        let spdx = read(SPDX, b"SPDXVersion: SPDX-2.3").unwrap();
        assert_eq!(spdx["predicate"], "SPDXVersion: SPDX-2.3");
        let slsa = read(SLSA, br#"{"a": 1}"#).unwrap();
        assert_eq!(
            (&slsa["predicate"], &slsa["predicateType"]),
            (&json!({"a": 1}), &json!(SLSA))
        );
    }

    #[test]
    fn a_predicate_that_is_none_is_told_in_a_sentence() {
        for (kind, content, why) in [
            (SLSA, &b" \n"[..], "is empty"),
            (CUSTOM, b"", "is empty"),
            (CUSTOM, b"\xff\xfe", "not text"),
            (SLSA, b"{", "not valid JSON"),
            (SLSA, b"\xff", "not valid JSON"),
            (SLSA, br#"{"a":1,"a":2}"#, "not valid JSON"),
            (SLSA, b"[1]", "not a JSON object"),
            (SLSA, b"null", "not a JSON object"),
            (
                SLSA,
                br#"{"_type":"https://in-toto.io/Statement/v1","predicate":{}}"#,
                "--statement",
            ),
        ] {
            let error = read(kind, content).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_statement_is_about_its_subjects_and_nothing_else() {
        let text = r#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://x.y/z",
            "subject":[{"name":"a","digest":{"sha256":"ab"}},{"digest":{"sha512":"cd"}}],
            "predicate":{}}"#;
        let statement = Statement::read(text.as_bytes().to_vec()).unwrap();
        let subject = |algorithm: &str, hex: &str| Subject {
            name: String::new(),
            algorithm: algorithm.to_owned(),
            hex: hex.to_owned(),
        };
        for (algorithm, hex) in [("sha256", "ab"), ("sha512", "cd")] {
            let bytes = statement.about(&subject(algorithm, hex)).unwrap();
            assert_eq!(bytes, text.as_bytes());
        }
        for (algorithm, hex) in [("sha256", "cd"), ("sha512", "ab"), ("sha256", "")] {
            let error = statement.about(&subject(algorithm, hex)).unwrap_err();
            assert!(error.to_string().contains("not about"), "{error}");
        }
    }

    #[test]
    fn what_is_no_statement_is_told() {
        for (text, why) in [
            ("", "is empty"),
            ("{", "not valid JSON"),
            ("[]", "not one of in-toto"),
            (
                r#"{"_type":"x","predicateType":"y","subject":[]}"#,
                "not one of in-toto",
            ),
            (
                r#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"y","subject":[]}"#,
                "not one of in-toto",
            ),
            (
                r#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"","subject":[{"digest":{"a":"b"}}]}"#,
                "not one of in-toto",
            ),
        ] {
            let error = Statement::read(text.as_bytes().to_vec()).unwrap_err();
            assert!(error.to_string().contains(why), "{text}: {error}");
        }
    }
}
