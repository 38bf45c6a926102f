//! What a template consists of. Places are offsets in bytes from its start.

use crate::function::Function;

/// The name of the template itself, as in `kubectl`.
pub(crate) const OUTPUT: &str = "output";

/// One part of a template, in the order written.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Text {
        at: usize,
        text: String,
    },
    /// A pipeline whose value is printed, unless it sets a variable.
    Action(Pipeline),
    If(Branch),
    With(Branch),
    Range(Branch),
    /// The template of this name, applied to the value of the pipeline.
    Template {
        at: usize,
        name: String,
        argument: Option<Pipeline>,
    },
    Break,
    Continue,
}

/// A pipeline and what is done with and without its value.
#[derive(Debug, Clone)]
pub(crate) struct Branch {
    pub(crate) pipeline: Pipeline,
    pub(crate) body: Vec<Node>,
    pub(crate) otherwise: Vec<Node>,
}

/// Commands, each of which gets the value of the one before as its last argument.
#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    pub(crate) at: usize,
    /// The variables that the value is for, with their dollar signs.
    pub(crate) variables: Vec<String>,
    /// Whether they exist already (`=` and not `:=`).
    pub(crate) assigns: bool,
    pub(crate) commands: Vec<Command>,
}

/// A term and its arguments.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) first: Term,
    pub(crate) arguments: Vec<Term>,
}

#[derive(Debug, Clone)]
pub(crate) struct Term {
    pub(crate) at: usize,
    pub(crate) kind: TermKind,
}

#[derive(Debug, Clone)]
pub(crate) enum TermKind {
    Dot,
    Nil,
    Boolean(bool),
    Integer(i64),
    Fraction(f64),
    Text(Vec<u8>),
    /// `.a.b`.
    Field(Vec<String>),
    /// `$x.a.b`, with the dollar sign in the name.
    Variable(String, Vec<String>),
    Function(Function),
    Parentheses(Box<Pipeline>),
    /// `(…).a.b`, or the fields of a function's value.
    Chain(Box<Term>, Vec<String>),
}
