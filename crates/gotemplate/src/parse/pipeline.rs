//! Reads pipelines: commands and their terms.

use super::parser::Parser;
use crate::error::{Fault, Outcome};
use crate::function::Function;
use crate::lex::{Kind, Token};
use crate::number::number;
use crate::quote;
use crate::syntax::{Command, Pipeline, Term, TermKind};

/// The bytes of a string in any quotes.
pub(super) fn string(token: &Token<'_>) -> Outcome<Vec<u8>> {
    if token.kind == Kind::RawString {
        return Ok(token.text.trim_matches('`').replace('\r', "").into_bytes());
    }
    quote::unquoted(token.text).map_err(|message| Fault::new(token.at, message))
}

impl Parser<'_> {
    /// Reads a pipeline and what ends it. `what` is the block that it is for.
    pub(super) fn pipeline(&mut self, what: &str, end: Kind) -> Outcome<Pipeline> {
        let at = self.peek().at;
        let mut pipeline = Pipeline {
            at,
            variables: Vec::new(),
            assigns: false,
            commands: Vec::new(),
        };
        self.variables(what, &mut pipeline)?;
        self.declare(&pipeline);
        loop {
            let token = self.peek();
            if token.kind == end {
                self.take();
                break;
            }
            let command = self.command(end)?;
            let is_executable = matches!(
                command.first.kind,
                TermKind::Field(_)
                    | TermKind::Variable(..)
                    | TermKind::Function(_)
                    | TermKind::Parentheses(_)
                    | TermKind::Chain(..)
            );
            if !pipeline.commands.is_empty() && !is_executable {
                let message = "behind | has to be a function; a value cannot take another one";
                return Err(Fault::new(token.at, message));
            }
            pipeline.commands.push(command);
        }
        if pipeline.commands.is_empty() {
            let message = match what {
                "action" => "there is nothing to print; write .field, or a function".to_owned(),
                _ => format!("{what} has no value"),
            };
            return Err(Fault::new(at, message));
        }
        Ok(pipeline)
    }

    /// Reads `$x :=`, `$x =`, and in a range also `$x, $y :=`.
    fn variables(&mut self, what: &str, pipeline: &mut Pipeline) -> Outcome<()> {
        let first = self.peek();
        let after = self.peek_after().kind;
        let sets = matches!(after, Kind::Assign | Kind::Declare | Kind::Comma);
        if first.kind != Kind::Variable || !sets {
            return Ok(());
        }
        loop {
            let variable = self.expect(Kind::Variable, "a variable")?;
            pipeline.variables.push(variable.text.to_owned());
            let sign = self.take();
            match sign.kind {
                Kind::Comma if what == "range" && pipeline.variables.len() == 1 => {}
                Kind::Assign | Kind::Declare => {
                    pipeline.assigns = sign.kind == Kind::Assign;
                    return Ok(());
                }
                Kind::Comma => {
                    let message = "only range has two variables, and nothing has more";
                    return Err(Fault::new(sign.at, message));
                }
                _ => {
                    let message = format!("here has to be := or =, and not {}", sign.shown());
                    return Err(Fault::new(sign.at, message));
                }
            }
        }
    }

    /// Reads a term with its arguments, and a `|` behind them.
    fn command(&mut self, end: Kind) -> Outcome<Command> {
        let mut terms = Vec::new();
        let begin = self.peek().at;
        loop {
            let token = self.peek();
            if token.kind == Kind::Pipe {
                self.take();
                break;
            }
            if token.kind == end {
                break;
            }
            if !terms.is_empty() && !token.is_apart {
                let message = format!("a blank is missing before {}", token.shown());
                return Err(Fault::new(token.at, message));
            }
            terms.push(self.operand()?);
        }
        if terms.is_empty() {
            return Err(Fault::new(begin, "before | a value is missing"));
        }
        let arguments = terms.split_off(1);
        let first = terms
            .pop()
            .ok_or_else(|| Fault::new(begin, "a value is missing"))?;
        Ok(Command { first, arguments })
    }

    /// Reads a term and the fields that are joined to it.
    fn operand(&mut self) -> Outcome<Term> {
        let mut term = self.term()?;
        let mut fields = Vec::new();
        while self.peek().kind == Kind::Field && !self.peek().is_apart {
            let token = self.take();
            fields.push(token.text.trim_start_matches('.').to_owned());
        }
        if fields.is_empty() {
            return Ok(term);
        }
        match &mut term.kind {
            TermKind::Field(path) | TermKind::Variable(_, path) => path.extend(fields),
            TermKind::Function(_) | TermKind::Parentheses(_) => {
                let at = term.at;
                let kind = TermKind::Chain(Box::new(term), fields);
                term = Term { at, kind };
            }
            _ => {
                let message = "this has no fields; only objects of the document do";
                return Err(Fault::new(term.at, message));
            }
        }
        Ok(term)
    }

    fn term(&mut self) -> Outcome<Term> {
        let token = self.take();
        let at = token.at;
        let failed = |message: String| Fault::new(at, message);
        let kind = match token.kind {
            Kind::Dot => TermKind::Dot,
            Kind::Field => TermKind::Field(vec![token.text.trim_start_matches('.').to_owned()]),
            Kind::Variable => {
                if !self.scope.variables.iter().any(|known| known == token.text) {
                    return Err(failed(format!(
                        "there is no variable {name}; set it before with {{{{{name} := …}}}}",
                        name = token.text
                    )));
                }
                TermKind::Variable(token.text.to_owned(), Vec::new())
            }
            Kind::Number => number(token.text).map_err(failed)?,
            Kind::Character => TermKind::Integer(quote::character(token.text).map_err(failed)?),
            Kind::String | Kind::RawString => TermKind::Text(string(&token)?),
            Kind::LeftParenthesis => {
                let inside = self.deeper(|parser| {
                    parser.pipeline("the pipeline in parentheses", Kind::RightParenthesis)
                })?;
                TermKind::Parentheses(Box::new(inside))
            }
            Kind::Word => match token.text {
                "true" => TermKind::Boolean(true),
                "false" => TermKind::Boolean(false),
                "nil" => TermKind::Nil,
                "block" | "break" | "continue" | "define" | "else" | "end" | "if" | "range"
                | "template" | "with" => {
                    return Err(failed(format!(
                        "{} cannot stand here; it begins an action",
                        token.text
                    )));
                }
                name => TermKind::Function(Function::named(name).map_err(failed)?),
            },
            _ => {
                return Err(failed(format!(
                    "here has to be a value, and not {}",
                    token.shown()
                )));
            }
        };
        Ok(Term { at, kind })
    }
}
