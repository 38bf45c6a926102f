//! YAML as `kubectl` writes and reads it: one document or several, empty ones between them.
//!
//! `kubectl` quotes a string only if its own parser would read it as something else. It leaves a
//! string such as `123e4567`, which may be the start of a commit, unquoted, because the number
//! would be too large; parsers of YAML 1.2 read it as infinity. Here it is a string.

use std::borrow::Cow;

use serde_json::Value;
use serde_saphyr::{DuplicateKeyPolicy, Error, Options, UserMessageFormatter};
use windlass_core::terminal;

use super::value::Unambiguous;

/// Strings like that in one file that are put in quotes; each costs another pass.
const MOST_BARE: usize = 100;
/// Most nodes: a List of some thousand runs. The size of the file is limited besides.
const MOST_NODES: usize = 4_000_000;

/// What is wrong with a text, in one line and without a value of it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct YamlError(String);

impl From<Error> for YamlError {
    fn from(error: Error) -> Self {
        let at = |problem: String| match error.location() {
            Some(at) => format!("{problem} at line {}, column {}", at.line(), at.column()),
            None => problem,
        };
        Self(match &error {
            Error::DuplicateMappingKey { key, .. } => at(match key {
                Some(key) => format!("the member {} is there twice", terminal::quoted(key)),
                None => "a member is there twice".to_owned(),
            }),
            Error::Budget { .. } => at(format!(
                "it is nested too deep, or has more anchors or more than {MOST_NODES} values"
            )),
            _ => error.render_with_formatter(&UserMessageFormatter),
        })
    }
}

/// Reads the documents of a text, without the empty ones.
pub(super) fn read(text: &str) -> Result<Vec<Value>, YamlError> {
    let documents = parse(text)?;
    Ok(documents
        .into_iter()
        .map(|Unambiguous(value)| value)
        .collect())
}

fn parse(text: &str) -> Result<Vec<Unambiguous>, Error> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..MOST_BARE {
        let error = match serde_saphyr::from_multiple_with_options(&text, options()) {
            Ok(documents) => return Ok(documents),
            Err(error) => error,
        };
        match quoted(&text, &error) {
            Some(mended) => text = Cow::Owned(mended),
            None => return Err(error),
        }
    }
    serde_saphyr::from_multiple_with_options(&text, options())
}

fn options() -> Options {
    serde_saphyr::options! {
        with_snippet: false,
        duplicate_keys: DuplicateKeyPolicy::Error,
        budget: serde_saphyr::budget! {
            max_nodes: MOST_NODES,
            max_events: 2 * MOST_NODES,
        },
    }
}

/// The text with the number that is too large in quotes.
fn quoted(text: &str, error: &Error) -> Option<String> {
    let Error::NonFiniteFloat { value, location } = error else {
        return None;
    };
    if !value.contains(|letter: char| letter.is_ascii_digit()) {
        return None;
    }
    let line = usize::try_from(location.line()).ok()?.checked_sub(1)?;
    let column = usize::try_from(location.column()).ok()?.checked_sub(1)?;
    let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let (offset, _) = text[before..].char_indices().nth(column)?;
    let (start, rest) = text.split_at(before + offset);
    let rest = rest.strip_prefix(value.as_str())?;
    Some(format!("{start}'{value}'{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_that_is_too_large_for_a_number_stays_a_string() {
        let text = "é: 123e4567\nlist: [1e400, -1e999]\nkey: {a: 9e999}\n";
        let value = &read(text).unwrap()[0];
        assert_eq!(value["é"], "123e4567");
        assert_eq!(value["list"], serde_json::json!(["1e400", "-1e999"]));
        assert_eq!(value["key"]["a"], "9e999");
    }

    #[test]
    fn infinity_is_refused_in_one_line() {
        let error = read("a: .inf\n").unwrap_err().to_string();
        assert!(error.contains(".inf") && !error.contains('\n'), "{error}");
        let many = "- 1e999\n".repeat(MOST_BARE + 1);
        assert!(read(&many).is_err());
    }

    #[test]
    fn a_long_list_is_read() {
        let text = "- {a: b, c: d}\n".repeat(100_000);
        assert_eq!(read(&text).unwrap()[0].as_array().unwrap().len(), 100_000);
    }

    #[test]
    fn empty_documents_before_between_and_after_others_are_passed_over() {
        for text in [
            "a: 1\n---\n",
            "---\na: 1\n---\n---\n# nothing\n---\n",
            "--- \na: 1\n...\n",
            "%YAML 1.2\n---\na: 1\n",
        ] {
            assert_eq!(read(text).unwrap(), [serde_json::json!({"a": 1})], "{text}");
        }
        assert_eq!(
            read("a: 1\n---\nb: 123e4567\n").unwrap()[1]["b"],
            "123e4567"
        );
    }

    #[test]
    fn no_error_names_a_function_of_the_parser() {
        let bomb = "a: &a [x]\n".to_owned() + &"b: [*a, *a, *a]\n".repeat(3) + "b: 1\n";
        for text in [
            "a: 1\na: 2\n",
            "a: [",
            &bomb,
            "? [a]\n: 1\n? [a]\n: 2\n",
            "a: \u{0}",
        ] {
            let error = read(text).unwrap_err().to_string();
            for word in ["from_", "Policy", "Options", "serde", "{ "] {
                assert!(!error.contains(word), "{text}: {error}");
            }
        }
    }
}
