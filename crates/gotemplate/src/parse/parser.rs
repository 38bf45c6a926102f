//! The reader of words: where it is, and what is known there.

use std::collections::BTreeMap;

use crate::error::{Fault, Outcome};
use crate::lex::{Kind, Token};
use crate::syntax::{Node, Pipeline};

/// Deepest nesting of blocks and parentheses.
const MAX_DEPTH: usize = 100;

/// Reads the words of a template, one after the other.
pub(super) struct Parser<'t> {
    pub(super) tokens: Vec<Token<'t>>,
    pub(super) next: usize,
    pub(super) named: BTreeMap<String, Vec<Node>>,
    pub(super) scope: Scope,
    pub(super) depth: usize,
}

/// What is known within one template.
pub(super) struct Scope {
    pub(super) variables: Vec<String>,
    pub(super) ranges: usize,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            variables: vec!["$".to_owned()],
            ranges: 0,
        }
    }
}

impl Token<'_> {
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }

    /// The token for a message.
    pub(super) fn shown(&self) -> String {
        match self.kind {
            Kind::End => "the end of the template".to_owned(),
            Kind::Text => "text".to_owned(),
            _ => self.text.chars().take(40).collect(),
        }
    }
}

impl<'t> Parser<'t> {
    fn at(&self, index: usize) -> Token<'t> {
        let end = Token {
            kind: Kind::End,
            text: "",
            at: 0,
            is_apart: false,
        };
        let found = self.tokens.get(index).or(self.tokens.last());
        found.copied().unwrap_or(end)
    }

    pub(super) fn peek(&self) -> Token<'t> {
        self.at(self.next)
    }

    pub(super) fn peek_after(&self) -> Token<'t> {
        self.at(self.next + 1)
    }

    pub(super) fn take(&mut self) -> Token<'t> {
        let token = self.peek();
        self.next += 1;
        token
    }

    pub(super) fn expect(&mut self, kind: Kind, wanted: &str) -> Outcome<Token<'t>> {
        let token = self.take();
        if token.kind == kind {
            return Ok(token);
        }
        let message = format!("here has to be {wanted}, and not {}", token.shown());
        Err(Fault::new(token.at, message))
    }

    /// Does something one level deeper.
    pub(super) fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        if self.depth == MAX_DEPTH {
            let message = format!("blocks and parentheses are nested more than {MAX_DEPTH} deep");
            return Err(Fault::new(self.peek().at, message));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Makes variables known to what follows.
    pub(super) fn declare(&mut self, pipeline: &Pipeline) {
        let names = pipeline.variables.iter().cloned();
        self.scope.variables.extend(names);
    }
}
