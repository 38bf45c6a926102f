//! Reading JSON without rounding.

use std::borrow::Cow;

use super::value::{Json, JsonError, MAX_DEPTH};

struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// Names of members whose arrays and objects are kept as text.
    unread: &'static [&'static str],
}

pub(super) fn parse<'a>(
    text: &'a str,
    unread: &'static [&'static str],
) -> Result<Json<'a>, JsonError> {
    let mut parser = Parser {
        text,
        at: 0,
        unread,
    };
    let value = parser.value(0)?;
    parser.skip_space();
    if parser.at < text.len() {
        return Err(parser.syntax());
    }
    Ok(value)
}

impl<'a> Parser<'a> {
    fn syntax(&self) -> JsonError {
        JsonError::Syntax { at: self.at }
    }

    fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest
            .iter()
            .position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
            .unwrap_or(rest.len());
    }

    fn value(&mut self, depth: usize) -> Result<Json<'a>, JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::TooDeep);
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(Json::String(self.string()?)),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.syntax()),
        }
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Result<Json<'a>, JsonError> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.syntax());
        }
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Result<Json<'a>, JsonError> {
        let rest = &self.text[self.at..];
        let end = rest
            .find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'))
            .unwrap_or(rest.len());
        let number = &rest[..end];
        if serde_json::from_str::<serde::de::IgnoredAny>(number).is_err() {
            return Err(self.syntax());
        }
        self.at += end;
        Ok(Json::Number(Cow::Borrowed(number)))
    }

    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        let bytes = &self.text.as_bytes()[self.at..];
        let mut end = 1;
        let mut is_plain = true;
        loop {
            match bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => {
                    is_plain = false;
                    end += 2;
                }
                Some(0..0x20) | None => return Err(self.syntax()),
                Some(_) => end += 1,
            }
        }
        let quoted = self
            .text
            .get(self.at..=self.at + end)
            .ok_or_else(|| self.syntax())?;
        let text = if is_plain {
            Cow::Borrowed(&quoted[1..end])
        } else {
            Cow::Owned(serde_json::from_str(quoted).map_err(|_| self.syntax())?)
        };
        self.at += end + 1;
        Ok(text)
    }

    fn array(&mut self, depth: usize) -> Result<Json<'a>, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.ends_with(b']')? {
                return Ok(Json::Array(items));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json<'a>, JsonError> {
        self.at += 1;
        let mut members = Vec::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(members));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.syntax());
            }
            let key = self.string()?;
            if self.peek() != Some(b':') {
                return Err(self.syntax());
            }
            self.at += 1;
            let value = self.member(&key, depth + 1)?;
            members.push((key, value));
            if self.ends_with(b'}')? {
                return without_duplicates(members);
            }
        }
    }

    fn member(&mut self, key: &str, depth: usize) -> Result<Json<'a>, JsonError> {
        let is_composite = matches!(self.peek(), Some(b'[' | b'{'));
        if !is_composite || !self.unread.contains(&key) {
            return self.value(depth);
        }
        let start = self.at;
        let unread = std::mem::take(&mut self.unread);
        self.value(depth)?;
        self.unread = unread;
        Ok(Json::Unread(&self.text[start..self.at]))
    }

    /// Steps over a comma or the closing bracket; says whether it was the bracket.
    fn ends_with(&mut self, bracket: u8) -> Result<bool, JsonError> {
        let next = self.peek();
        if next != Some(b',') && next != Some(bracket) {
            return Err(self.syntax());
        }
        self.at += 1;
        Ok(next == Some(bracket))
    }
}

fn without_duplicates<'a>(members: Vec<(Cow<'a, str>, Json<'a>)>) -> Result<Json<'a>, JsonError> {
    let mut keys: Vec<&str> = members.iter().map(|(key, _)| &**key).collect();
    keys.sort_unstable();
    if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(JsonError::Duplicate {
            key: pair[0].to_owned(),
        });
    }
    Ok(Json::Object(members))
}
