//! The requirements of a label selector. What kube-apiserver refuses is refused, and clients show
//! the reason: it begins with what was found and what may stand there.

use serde_json::Value;

use super::token::{Token, tokens};
use crate::cluster::validate::{is_label_value, is_qualified_name};

/// A label, and what has to be true of it.
#[derive(Debug, Clone)]
pub(super) struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
    Above(i64),
    Below(i64),
}

/// All the requirements of a selector, none if it is empty.
pub(super) fn requirements(text: &str) -> Result<Vec<Requirement>, String> {
    let tokens = tokens(text);
    let mut reader = Reader { rest: &tokens };
    let mut requirements = Vec::new();
    loop {
        match reader.peek() {
            Token::End => return Ok(requirements),
            Token::Word(_) | Token::Not => {}
            other => return Err(found(other, "!, identifier, or 'end of string'")),
        }
        let requirement = reader.requirement();
        requirements
            .push(requirement.map_err(|reason| format!("unable to parse requirement: {reason}"))?);
        match (reader.next(), reader.peek()) {
            (Token::End, _) => return Ok(requirements),
            (Token::Comma, Token::Word(_) | Token::Not) => {}
            (Token::Comma, other) => return Err(found(other, "identifier after ','")),
            (other, _) => return Err(found(other, "',' or 'end of string'")),
        }
    }
}

fn found(token: Token<'_>, expected: &str) -> String {
    format!("found '{}', expected: {expected}", token.text())
}

struct Reader<'t> {
    rest: &'t [Token<'t>],
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Token<'t> {
        self.rest.first().copied().unwrap_or(Token::End)
    }

    fn next(&mut self) -> Token<'t> {
        let token = self.peek();
        self.rest = self.rest.get(1..).unwrap_or_default();
        token
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let is_absence = self.peek() == Token::Not;
        if is_absence {
            self.next();
        }
        let key = match self.next() {
            Token::Word(key) if is_qualified_name(key) => key.to_owned(),
            Token::Word(key) => return Err(format!("{key:?} is not a valid label key")),
            other => return Err(found(other, "identifier")),
        };
        if matches!(self.peek(), Token::End | Token::Comma) {
            let test = if is_absence {
                Test::Absent
            } else {
                Test::Exists
            };
            return Ok(Requirement { key, test });
        }
        let test = match self.next() {
            Token::Equal => Test::In(vec![self.value(&key)?]),
            Token::NotEqual => Test::NotIn(vec![self.value(&key)?]),
            Token::Word("in") => Test::In(self.values(&key)?),
            Token::Word("notin") => Test::NotIn(self.values(&key)?),
            Token::Above => Test::Above(self.number(&key)?),
            Token::Below => Test::Below(self.number(&key)?),
            other => return Err(found(other, "in, notin, =, ==, !=, gt, lt")),
        };
        Ok(Requirement { key, test })
    }

    /// One value, which may be empty.
    fn value(&mut self, key: &str) -> Result<String, String> {
        match self.peek() {
            Token::End | Token::Comma => Ok(String::new()),
            Token::Word(value) => {
                self.next();
                checked(key, value)
            }
            other => Err(found(other, "identifier")),
        }
    }

    fn number(&mut self, key: &str) -> Result<i64, String> {
        let value = self.value(key)?;
        let number = value.parse();
        number.map_err(|_| format!("the value {value:?} of {key} must be an integer"))
    }

    /// Values in parentheses, of which each may be empty.
    fn values(&mut self, key: &str) -> Result<Vec<String>, String> {
        match self.next() {
            Token::Open => {}
            other => return Err(found(other, "'('")),
        }
        let mut values = Vec::new();
        loop {
            let value = match self.peek() {
                Token::Word(value) => {
                    self.next();
                    checked(key, value)?
                }
                _ => String::new(),
            };
            values.push(value);
            match self.next() {
                Token::Comma => {}
                Token::Closed => return Ok(values),
                other => return Err(found(other, "',' or ')'")),
            }
        }
    }
}

fn checked(key: &str, value: &str) -> Result<String, String> {
    if is_label_value(value) {
        return Ok(value.to_owned());
    }
    Err(format!("{value:?} is not a valid value of the label {key}"))
}

impl Requirement {
    pub(super) fn is_met(&self, labels: &Value) -> bool {
        let value = labels[&self.key].as_str();
        let number = value.and_then(|value| value.parse::<i64>().ok());
        match &self.test {
            Test::Exists => value.is_some(),
            Test::Absent => value.is_none(),
            Test::In(values) => value.is_some_and(|value| values.iter().any(|one| one == value)),
            Test::NotIn(values) => value.is_none_or(|value| values.iter().all(|one| one != value)),
            Test::Above(bound) => number.is_some_and(|number| number > *bound),
            Test::Below(bound) => number.is_some_and(|number| number < *bound),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kube_apiserver_refuses_is_refused_for_the_same_reason() {
        for (text, reason) in [
            ("a=b,,c", "found ',', expected: identifier after ','"),
            ("a=b,", "found '', expected: identifier after ','"),
            (
                ",a=b",
                "found ',', expected: !, identifier, or 'end of string'",
            ),
            (
                "=b",
                "found '=', expected: !, identifier, or 'end of string'",
            ),
            (
                "a b",
                "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
            ),
            ("a=b c", "found 'c', expected: ',' or 'end of string'"),
            (
                "a===b",
                "unable to parse requirement: found '=', expected: identifier",
            ),
            (
                "a in b",
                "unable to parse requirement: found 'b', expected: '('",
            ),
            (
                "a in (b",
                "unable to parse requirement: found '', expected: ',' or ')'",
            ),
            (
                "a in (b c)",
                "unable to parse requirement: found 'c', expected: ',' or ')'",
            ),
            (
                "!",
                "unable to parse requirement: found '', expected: identifier",
            ),
            (
                "!!a",
                "unable to parse requirement: found '!', expected: identifier",
            ),
            ("a=b)", "found ')', expected: ',' or 'end of string'"),
            (
                "a/b/c=d",
                "unable to parse requirement: \"a/b/c\" is not a valid label key",
            ),
            (
                "-a",
                "unable to parse requirement: \"-a\" is not a valid label key",
            ),
            (
                "a=b:c",
                "unable to parse requirement: \"b:c\" is not a valid value of the label a",
            ),
            (
                "a in (b/c)",
                "unable to parse requirement: \"b/c\" is not a valid value of the label a",
            ),
            (
                "a>x",
                "unable to parse requirement: the value \"x\" of a must be an integer",
            ),
            (
                "a>",
                "unable to parse requirement: the value \"\" of a must be an integer",
            ),
        ] {
            assert_eq!(requirements(text).unwrap_err(), reason, "{text}");
        }
    }

    #[test]
    fn what_kube_apiserver_accepts_is_accepted() {
        for (text, count) in [
            ("", 0),
            (" ", 0),
            ("a", 1),
            ("a=", 1),
            ("a=,b", 2),
            ("a!=", 1),
            ("in=in", 1),
            ("notin in (in, notin)", 1),
            ("a in ()", 1),
            ("a in (,)", 1),
            ("x in (foo,,baz),y,z notin ()", 3),
            ("!a,example.com/b.c_d=1 , e==f", 3),
            ("a>1,b<2", 2),
        ] {
            assert_eq!(requirements(text).unwrap().len(), count, "{text}");
        }
    }
}
