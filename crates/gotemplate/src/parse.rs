//! Reads a template.

use std::collections::BTreeMap;

use self::parser::{Parser, Scope};
use crate::error::{Fault, Outcome};
use crate::lex::{self, Kind};
use crate::syntax::{Branch, Node, OUTPUT};

mod parser;
mod pipeline;

/// The template and those that it defines, by name.
pub(crate) fn template(text: &str) -> Outcome<BTreeMap<String, Vec<Node>>> {
    let mut parser = Parser {
        tokens: lex::words(text)?,
        next: 0,
        named: BTreeMap::new(),
        scope: Scope::default(),
        depth: 0,
    };
    let mut nodes = Vec::new();
    loop {
        let token = parser.peek();
        match token.kind {
            Kind::End => break,
            Kind::Open if parser.peek_after().is_word("define") => parser.define()?,
            _ => match parser.node()? {
                Parsed::Node(node) => nodes.push(node),
                Parsed::Stop(Stop::End) => {
                    return Err(Fault::new(token.at, "there is no block for this end"));
                }
                Parsed::Stop(Stop::Else) => {
                    return Err(Fault::new(
                        token.at,
                        "there is no if, with or range for this else",
                    ));
                }
            },
        }
    }
    parser.add(OUTPUT.to_owned(), nodes, 0)?;
    Ok(parser.named)
}

enum Parsed {
    Node(Node),
    Stop(Stop),
}

/// What ends the body of a block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    End,
    /// `{{else}}`; of `{{else if` and `{{else with` the second word comes next.
    Else,
}

impl Parser<'_> {
    /// Reads nodes up to the end of a block that opened at a place.
    fn body(&mut self, open: usize) -> Outcome<(Vec<Node>, Stop)> {
        let mut nodes = Vec::new();
        loop {
            if self.peek().kind == Kind::End {
                return Err(Fault::new(open, "unclosed block: {{end}} is missing"));
            }
            match self.node()? {
                Parsed::Node(node) => nodes.push(node),
                Parsed::Stop(stop) => return Ok((nodes, stop)),
            }
        }
    }

    fn node(&mut self) -> Outcome<Parsed> {
        let token = self.take();
        if token.kind == Kind::Text {
            let text = token.text.to_owned();
            return Ok(Parsed::Node(Node::Text { at: token.at, text }));
        }
        let first = self.peek();
        let word = match first.kind {
            Kind::Word => first.text,
            _ => "",
        };
        let node = match word {
            "if" => self.deeper(|parser| parser.branch("if", token.at))?,
            "with" => self.deeper(|parser| parser.branch("with", token.at))?,
            "range" => self.deeper(|parser| parser.branch("range", token.at))?,
            "template" => self.call()?,
            "block" => self.deeper(|parser| parser.block(token.at))?,
            "break" | "continue" => self.jump()?,
            "end" => {
                self.take();
                self.expect(Kind::Close, "}}")?;
                return Ok(Parsed::Stop(Stop::End));
            }
            "else" => {
                self.take();
                if !self.peek().is_word("if") && !self.peek().is_word("with") {
                    self.expect(Kind::Close, "}}, if or with")?;
                }
                return Ok(Parsed::Stop(Stop::Else));
            }
            "define" => {
                let message = "a template is defined outside of blocks only";
                return Err(Fault::new(token.at, message));
            }
            _ => Node::Action(self.pipeline("action", Kind::Close)?),
        };
        Ok(Parsed::Node(node))
    }

    /// Reads `if`, `with` or `range` up to its end.
    fn branch(&mut self, word: &'static str, open: usize) -> Outcome<Node> {
        self.take();
        let known = self.scope.variables.len();
        let pipeline = self.pipeline(word, Kind::Close)?;
        let ranges = self.scope.ranges;
        self.scope.ranges += usize::from(word == "range");
        let (body, stop) = self.body(open)?;
        self.scope.ranges = ranges;
        let otherwise = match stop {
            Stop::End => Vec::new(),
            Stop::Else => self.otherwise(word, open)?,
        };
        self.scope.variables.truncate(known);
        let branch = Branch {
            pipeline,
            body,
            otherwise,
        };
        Ok(match word {
            "if" => Node::If(branch),
            "with" => Node::With(branch),
            _ => Node::Range(branch),
        })
    }

    fn otherwise(&mut self, word: &'static str, open: usize) -> Outcome<Vec<Node>> {
        let next = self.peek();
        if next.kind == Kind::Word {
            if next.text != word {
                let message = match word {
                    "range" => "the block is range; write else".to_owned(),
                    _ => format!("the block is {word}; write else, or else {word}"),
                };
                return Err(Fault::new(next.at, message));
            }
            // its end is the end of this block too
            let branch = self.deeper(|parser| parser.branch(word, open))?;
            return Ok(vec![branch]);
        }
        let (nodes, stop) = self.body(open)?;
        match stop {
            Stop::End => Ok(nodes),
            Stop::Else => Err(Fault::new(open, "this block has else twice")),
        }
    }

    fn jump(&mut self) -> Outcome<Node> {
        let word = self.take();
        self.expect(Kind::Close, "}}")?;
        if self.scope.ranges == 0 {
            let message = format!("{} is outside of range", word.text);
            return Err(Fault::new(word.at, message));
        }
        Ok(match word.text {
            "break" => Node::Break,
            _ => Node::Continue,
        })
    }

    /// Reads the name of a template, which is in quotes.
    fn name(&mut self) -> Outcome<(String, usize)> {
        let token = self.take();
        if !matches!(token.kind, Kind::String | Kind::RawString) {
            let message = format!(
                "here has to be the name of a template in quotes, and not {}",
                token.shown()
            );
            return Err(Fault::new(token.at, message));
        }
        let name = pipeline::string(&token)?;
        Ok((String::from_utf8_lossy(&name).into_owned(), token.at))
    }

    fn call(&mut self) -> Outcome<Node> {
        self.take();
        let (name, at) = self.name()?;
        let argument = if self.peek().kind == Kind::Close {
            self.take();
            None
        } else {
            Some(self.pipeline("template", Kind::Close)?)
        };
        Ok(Node::Template { at, name, argument })
    }

    fn block(&mut self, open: usize) -> Outcome<Node> {
        self.take();
        let (name, at) = self.name()?;
        let argument = Some(self.pipeline("block", Kind::Close)?);
        self.definition(name.clone(), open)?;
        Ok(Node::Template { at, name, argument })
    }

    /// Reads `{{define "name"}}` up to its end.
    fn define(&mut self) -> Outcome<()> {
        let open = self.take().at;
        self.take();
        let (name, _) = self.name()?;
        self.expect(Kind::Close, "}}")?;
        self.deeper(|parser| parser.definition(name, open))
    }

    /// Reads the body of a template, in which no variable from outside is known.
    fn definition(&mut self, name: String, open: usize) -> Outcome<()> {
        let outside = std::mem::take(&mut self.scope);
        let (nodes, stop) = self.body(open)?;
        self.scope = outside;
        if stop == Stop::Else {
            return Err(Fault::new(open, "a template has no else"));
        }
        self.add(name, nodes, open)
    }

    /// One that is empty gives way to another of its name.
    fn add(&mut self, name: String, nodes: Vec<Node>, at: usize) -> Outcome<()> {
        let is_empty = |nodes: &[Node]| {
            nodes
                .iter()
                .all(|node| matches!(node, Node::Text { text, .. } if text.trim().is_empty()))
        };
        match self.named.get(&name) {
            Some(before) if !is_empty(before) => {
                if is_empty(&nodes) {
                    return Ok(());
                }
                Err(Fault::new(
                    at,
                    format!("the template {name:?} is defined twice"),
                ))
            }
            _ => {
                self.named.insert(name, nodes);
                Ok(())
            }
        }
    }
}
