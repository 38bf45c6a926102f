//! A cursor: a place in the template's text that knows its column.

use crate::error::JsonPathError;

#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    rest: &'a str,
    column: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str, column: usize) -> Self {
        Self { rest: text, column }
    }

    pub(crate) fn column(&self) -> usize {
        self.column
    }

    pub(crate) fn rest(&self) -> &'a str {
        self.rest
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(crate) fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let character = characters.next()?;
        self.rest = characters.as_str();
        self.column += 1;
        Some(character)
    }

    pub(crate) fn skip(&mut self, prefix: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(prefix) else {
            return false;
        };
        self.rest = rest;
        self.column += prefix.chars().count();
        true
    }

    /// Takes characters while `wanted` says so.
    pub(crate) fn take_while(&mut self, mut wanted: impl FnMut(char) -> bool) -> &'a str {
        let start = self.rest;
        while self.peek().is_some_and(&mut wanted) {
            self.next();
        }
        &start[..start.len() - self.rest.len()]
    }

    /// Takes up to `close`, which is consumed but not part of the result; a `close` within quotes
    /// does not count. `column` and `message` say what is unclosed.
    pub(crate) fn take_until(
        &mut self,
        close: char,
        column: usize,
        message: &str,
    ) -> Result<&'a str, JsonPathError> {
        let start = self.rest;
        let mut quote = None;
        loop {
            let before = self.rest;
            match (self.next(), quote) {
                (None | Some('\n'), _) => return Err(JsonPathError::new(column, message)),
                (Some('\\'), Some(_)) => drop(self.next()),
                (Some(found), Some(open)) if found == open => quote = None,
                (Some(found @ ('"' | '\'')), None) => quote = Some(found),
                (Some(found), None) if found == close => {
                    return Ok(&start[..start.len() - before.len()]);
                }
                (Some(_), _) => {}
            }
        }
    }
}
