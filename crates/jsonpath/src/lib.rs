//! `kubectl`'s `JSONPath` dialect: a template of text and `{…}` actions applied to a JSON document.
//!
//! An action is a path (`{.a.b[0]}`), a quoted string, or the bounds of a loop (`{range …}`,
//! `{end}`). Each path yields any number of values, printed with a space between them. The rules
//! are those of `k8s.io/client-go/util/jsonpath` as `kubectl get` sets it up: a missing key yields
//! nothing, an index out of bounds is an error, `$` and `@` both mean the current object.
//!
//! Deliberately more lenient than `kubectl` where that prints nothing or fails: a template without
//! braces that starts with `.`, `$`, `@` or `[` is a path; `['a.b']` falls back to the key `a.b`
//! when there is no `a` with a `b`; commas and brackets in quotes are text; integers compare with
//! fractions; an empty list among several does not hide those after it.
//!
//! Work and output are bounded, so that no template can hang or fill the memory.

use serde_json::Value;

pub use self::error::JsonPathError;
use self::print::Output;
use self::syntax::Piece;

mod compare;
mod cursor;
mod error;
mod evaluate;
mod item;
mod parse;
pub mod print;
mod syntax;
#[cfg(test)]
mod tests;

/// A parsed template.
///
/// ```
/// use windlass_jsonpath::Template;
///
/// let list = serde_json::json!({"items": [{"name": "a"}, {"name": "b"}]});
/// let template = Template::parse("{range .items[*]}{.name};{end}")?;
/// assert_eq!(template.render(&list)?, "a;b;");
/// # Ok::<(), windlass_jsonpath::JsonPathError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Template {
    pieces: Vec<Piece>,
}

impl Template {
    /// Parses a template; the error names the column of the first thing that makes no sense.
    pub fn parse(text: &str) -> Result<Self, JsonPathError> {
        parse::template(text).map(|pieces| Self { pieces })
    }

    /// The text that `kubectl -o jsonpath=…` prints for `document`; no newline is added.
    pub fn render(&self, document: &Value) -> Result<String, JsonPathError> {
        let mut output = Output::text();
        evaluate::run(&self.pieces, document, &mut output)?;
        Ok(output.into_string())
    }

    /// The text that `kubectl -o jsonpath-as-json=…` prints: each action's values as a JSON array.
    pub fn render_as_json(&self, document: &Value) -> Result<String, JsonPathError> {
        let mut output = Output::json();
        evaluate::run(&self.pieces, document, &mut output)?;
        Ok(output.into_string())
    }
}
