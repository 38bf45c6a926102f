//! `kubectl`'s `JSONPath` dialect: a template of text and `{…}` actions applied to a JSON document.
//!
//! An action is a path (`{.a.b[0]}`), a quoted string, or the bounds of a loop (`{range …}`,
//! `{end}`). Each path yields any number of values, printed with a space between them. The rules
//! are those of `k8s.io/client-go/util/jsonpath` as `kubectl get` sets it up: a missing key yields
//! nothing, an index out of bounds is an error, `$` and `@` both mean the current object.
//!
//! On purpose more generous than `kubectl` where that prints nothing or fails:
//! a template without braces that starts with `.`, `$`, `@` or `[` is a path; `['a.b']` falls back
//! to the key `a.b` when there is no `a` with a `b`; commas and brackets in quotes are text;
//! integers compare with fractions; an empty list among several does not hide those after it.
//!
//! Work and output are bounded, so that no template can hang or fill the memory.

use serde_json::Value;

mod compare;
mod cursor;
mod evaluate;
mod parse;
pub mod print;
#[cfg(test)]
mod tests;

/// A parsed template.
#[derive(Debug, Clone)]
pub struct Template {
    pieces: Vec<Piece>,
}

/// What went wrong, and where in the template.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("jsonpath template, column {column}: {message}")]
pub struct JsonPathError {
    /// Column in characters, counted from 1.
    pub column: usize,
    message: String,
}

impl JsonPathError {
    fn new(column: usize, message: impl Into<String>) -> Self {
        Self {
            column,
            message: message.into(),
        }
    }
}

/// One part of a template, in the order written.
#[derive(Debug, Clone)]
enum Piece {
    Text(Value),
    Path(Path),
    /// Runs the pieces up to `end` once for each value of `path`, then goes on at `resume`.
    Range {
        path: Path,
        end: usize,
        resume: usize,
    },
    End,
}

type Path = Vec<Step>;

#[derive(Debug, Clone)]
struct Step {
    column: usize,
    kind: StepKind,
}

#[derive(Debug, Clone)]
enum StepKind {
    Field(String),
    /// A quoted key with dots in it: a path first, as in `kubectl`, else the key as written.
    DottedKey {
        path: Path,
        key: String,
    },
    Wildcard,
    Recursive,
    Slice(Slice),
    Union(Vec<Path>),
    Filter(Box<Filter>),
    /// A quoted string: one value, whatever came in.
    Text(Value),
    /// A number or boolean: one value for each that came in.
    Constant(Value),
}

#[derive(Debug, Clone, Copy)]
struct Slice {
    start: Option<i64>,
    end: SliceEnd,
    step: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
enum SliceEnd {
    /// To the end of the list.
    Open,
    At(i64),
    /// A single index: one past the start.
    AfterStart,
}

#[derive(Debug, Clone)]
struct Filter {
    left: Path,
    /// `None` asks only whether `left` yields anything.
    comparison: Option<(Operator, Path)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Template {
    /// Parses a template; the error names the column of the first thing that makes no sense.
    pub fn parse(text: &str) -> Result<Self, JsonPathError> {
        parse::template(text).map(|pieces| Self { pieces })
    }

    /// The text that `kubectl -o jsonpath=…` prints for `document`; no newline is added.
    pub fn render(&self, document: &Value) -> Result<String, JsonPathError> {
        let mut output = print::Output::text();
        evaluate::run(&self.pieces, document, &mut output)?;
        Ok(output.into_string())
    }

    /// The text that `kubectl -o jsonpath-as-json=…` prints: each action's values as a JSON array.
    pub fn render_as_json(&self, document: &Value) -> Result<String, JsonPathError> {
        let mut output = print::Output::json();
        evaluate::run(&self.pieces, document, &mut output)?;
        Ok(output.into_string())
    }
}
