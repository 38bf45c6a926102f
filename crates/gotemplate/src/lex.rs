//! Words of a template: text, and what stands between `{{` and `}}`.

use crate::error::{Fault, Outcome};

/// Longest template, in bytes.
const MAX_TEMPLATE: usize = 1 << 20;
/// What Go trims.
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// `{{`.
    Open,
    /// `}}`.
    Close,
    /// A name of a function, or a word of the language.
    Word,
    /// `.name`.
    Field,
    /// `.`.
    Dot,
    /// `$name`.
    Variable,
    Number,
    Character,
    String,
    RawString,
    /// `=`.
    Assign,
    /// `:=`.
    Declare,
    Pipe,
    Comma,
    LeftParenthesis,
    RightParenthesis,
    End,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Token<'t> {
    pub(crate) kind: Kind,
    pub(crate) text: &'t str,
    pub(crate) at: usize,
    /// Whether there is space before it.
    pub(crate) is_apart: bool,
}

/// The words of a template; the last one is the end.
pub(crate) fn words(text: &str) -> Outcome<Vec<Token<'_>>> {
    if text.len() > MAX_TEMPLATE {
        let message = format!("the template is longer than {MAX_TEMPLATE} bytes");
        return Err(Fault::new(0, message));
    }
    let mut lexer = Lexer {
        text,
        at: 0,
        tokens: Vec::new(),
    };
    while lexer.text_and_opening()? {
        lexer.action()?;
    }
    lexer.push(Kind::End, text.len(), false);
    Ok(lexer.tokens)
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    tokens: Vec<Token<'t>>,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// What begins at `start` and ends here.
    fn push(&mut self, kind: Kind, start: usize, is_apart: bool) {
        self.tokens.push(Token {
            kind,
            text: self.text.get(start..self.at).unwrap_or_default(),
            at: start,
            is_apart,
        });
    }

    /// Takes text, comments and the next `{{`; whether there is one.
    fn text_and_opening(&mut self) -> Outcome<bool> {
        loop {
            let start = self.at;
            let Some(length) = self.rest().find("{{") else {
                self.at = self.text.len();
                if start < self.at {
                    self.push(Kind::Text, start, false);
                }
                return Ok(false);
            };
            let open = start + length;
            let inside = &self.text[open + 2..];
            let trims = inside
                .strip_prefix('-')
                .is_some_and(|rest| rest.starts_with(SPACE));
            let before = &self.text[start..open];
            let before = if trims {
                before.trim_end_matches(SPACE)
            } else {
                before
            };
            self.at = start + before.len();
            if !before.is_empty() {
                self.push(Kind::Text, start, false);
            }
            // the marker is the minus and one space
            self.at = open + if trims { 4 } else { 2 };
            if !self.rest().starts_with("/*") {
                self.tokens.push(Token {
                    kind: Kind::Open,
                    text: "{{",
                    at: open,
                    is_apart: false,
                });
                return Ok(true);
            }
            self.comment(open)?;
        }
    }

    fn comment(&mut self, open: usize) -> Outcome<()> {
        let Some(length) = self.rest()[2..].find("*/") else {
            return Err(Fault::new(open, "unclosed comment: */ is missing"));
        };
        self.at += length + 4;
        if !self.closing() {
            return Err(Fault::new(self.at, "a comment ends with */}} or */ -}}"));
        }
        Ok(())
    }

    /// Takes `}}` or ` -}}`, and then the space that it trims; whether there was one.
    fn closing(&mut self) -> bool {
        let rest = self.rest();
        if rest.starts_with("}}") {
            self.at += 2;
            return true;
        }
        let trimmed = rest.strip_prefix(SPACE);
        if trimmed.is_some_and(|rest| rest.starts_with("-}}")) {
            self.at += 4;
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches(SPACE).len();
            return true;
        }
        false
    }

    /// Takes the words up to `}}`.
    fn action(&mut self) -> Outcome<()> {
        let mut open = Vec::new();
        let mut is_apart = false;
        loop {
            let start = self.at;
            if self.closing() {
                if let Some(unclosed) = open.pop() {
                    return Err(Fault::new(unclosed, "unclosed parenthesis: ) is missing"));
                }
                self.tokens.push(Token {
                    kind: Kind::Close,
                    text: "}}",
                    at: start,
                    is_apart,
                });
                return Ok(());
            }
            let Some(first) = self.peek() else {
                let open = self.tokens.iter().rfind(|token| token.kind == Kind::Open);
                let open = open.map_or(0, |token| token.at);
                return Err(Fault::new(open, "unclosed action: }} is missing"));
            };
            self.at += first.len_utf8();
            if SPACE.contains(&first) {
                is_apart = true;
                continue;
            }
            let kind = self.word(first, start)?;
            match kind {
                Kind::LeftParenthesis => open.push(start),
                Kind::RightParenthesis if open.pop().is_none() => {
                    return Err(Fault::new(start, "there is no ( for this )"));
                }
                _ => {}
            }
            self.push(kind, start, is_apart);
            is_apart = false;
        }
    }

    /// Takes the rest of a word that begins with `first`.
    fn word(&mut self, first: char, start: usize) -> Outcome<Kind> {
        Ok(match first {
            '=' => Kind::Assign,
            ':' if self.peek() == Some('=') => {
                self.at += 1;
                Kind::Declare
            }
            '|' => Kind::Pipe,
            ',' => Kind::Comma,
            '(' => Kind::LeftParenthesis,
            ')' => Kind::RightParenthesis,
            '"' => self.quoted('"', Kind::String, start)?,
            '\'' => self.quoted('\'', Kind::Character, start)?,
            '`' => self.raw(start)?,
            '.' if self.peek().is_some_and(|next| next.is_ascii_digit()) => self.number(start),
            '.' => match self.name()? {
                0 => Kind::Dot,
                _ => Kind::Field,
            },
            '$' => {
                self.name()?;
                Kind::Variable
            }
            '+' | '-' | '0'..='9' => self.number(start),
            letter if is_part(letter) => {
                self.name()?;
                Kind::Word
            }
            other => {
                let message = format!("{other:?} has no meaning in an action; text is quoted");
                return Err(Fault::new(start, message));
            }
        })
    }

    /// Takes letters and digits, and says how many; what follows has to end a word.
    fn name(&mut self) -> Outcome<usize> {
        let rest = self.rest();
        let length = rest.find(|next| !is_part(next)).unwrap_or(rest.len());
        self.at += length;
        let rest = self.rest();
        let ends = rest.is_empty()
            || rest.starts_with(SPACE)
            || rest.starts_with(['.', ',', '|', ':', ')', '('])
            || rest.starts_with("}}");
        match rest.chars().next() {
            Some('{') if rest.starts_with("{{") => {
                Err(Fault::new(self.at, "}} is missing before this {{"))
            }
            Some(next) if !ends => {
                let message = format!(
                    "{next:?} cannot stand in a name; write (index . \"NAME\") for such a key"
                );
                Err(Fault::new(self.at, message))
            }
            _ => Ok(length),
        }
    }

    fn number(&mut self, start: usize) -> Kind {
        self.at = start;
        let rest = self.rest();
        let mut before = ' ';
        let is_part = |next: char| {
            let exponent = matches!(before, 'e' | 'E' | 'p' | 'P') && !is_hexadecimal(rest, before);
            let is_sign = matches!(next, '+' | '-') && (before == ' ' || exponent);
            before = next;
            is_sign || next == '.' || is_part(next)
        };
        let end = rest.find(negated(is_part)).unwrap_or(rest.len());
        self.at += end;
        Kind::Number
    }

    fn quoted(&mut self, quote: char, kind: Kind, start: usize) -> Outcome<Kind> {
        let unclosed = || Fault::new(start, format!("unclosed string: {quote} is missing"));
        loop {
            let next = self.peek().ok_or_else(unclosed)?;
            self.at += next.len_utf8();
            match next {
                '\n' => return Err(unclosed()),
                '\\' => {
                    let escaped = self.peek().filter(|next| *next != '\n');
                    self.at += escaped.ok_or_else(unclosed)?.len_utf8();
                }
                found if found == quote => return Ok(kind),
                _ => {}
            }
        }
    }

    fn raw(&mut self, start: usize) -> Outcome<Kind> {
        let Some(length) = self.rest().find('`') else {
            return Err(Fault::new(start, "unclosed string: ` is missing"));
        };
        self.at += length + 1;
        Ok(Kind::RawString)
    }
}

/// In hexadecimal numbers, `e` is a digit.
fn is_hexadecimal(number: &str, letter: char) -> bool {
    let digits = number.trim_start_matches(['+', '-']);
    let is_prefixed = digits.starts_with("0x") || digits.starts_with("0X");
    is_prefixed && matches!(letter, 'e' | 'E')
}

fn negated(mut is_part: impl FnMut(char) -> bool) -> impl FnMut(char) -> bool {
    move |next| !is_part(next)
}

/// Whether a character may stand in a name.
fn is_part(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}
