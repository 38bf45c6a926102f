//! What a template consists of: pieces, paths and their steps.

use serde_json::Value;

/// One part of a template, in the order written.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
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

pub(crate) type Path = Vec<Step>;

#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) column: usize,
    pub(crate) kind: StepKind,
}

#[derive(Debug, Clone)]
pub(crate) enum StepKind {
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
pub(crate) struct Slice {
    pub(crate) start: Option<i64>,
    pub(crate) end: SliceEnd,
    pub(crate) step: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum SliceEnd {
    /// To the end of the list.
    Open,
    At(i64),
    /// A single index: one past the start.
    AfterStart,
}

#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pub(crate) left: Path,
    /// `None` asks only whether `left` yields anything.
    pub(crate) comparison: Option<(Operator, Path)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}
