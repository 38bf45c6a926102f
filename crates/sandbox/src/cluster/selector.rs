//! Label and field selectors: which objects of a kind a list, watch or deletion is about.
//! Grammar: the "Labels and Selectors" page of the Kubernetes documentation.

use serde_json::Value;

use crate::cluster::status::Status;
use crate::query::Query;

/// All requirements must be met.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<FieldRequirement>,
}

#[derive(Debug, Clone)]
struct Requirement {
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

#[derive(Debug, Clone)]
struct FieldRequirement {
    path: Vec<String>,
    equal: bool,
    value: String,
}

impl Selector {
    pub(crate) fn from_query(query: &Query) -> Result<Self, Status> {
        let labels = split(query.get("labelSelector").unwrap_or_default())
            .into_iter()
            .map(Requirement::parse)
            .collect::<Result<_, _>>()?;
        let fields = split(query.get("fieldSelector").unwrap_or_default())
            .into_iter()
            .map(FieldRequirement::parse)
            .collect::<Result<_, _>>()?;
        Ok(Self { labels, fields })
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        self.labels
            .iter()
            .all(|requirement| requirement.is_met(labels))
            && self
                .fields
                .iter()
                .all(|requirement| requirement.is_met(object))
    }
}

impl Requirement {
    fn parse(text: &str) -> Result<Self, Status> {
        let (key, condition) = read_requirement(text).ok_or_else(|| {
            Status::bad_request(format!("unable to parse requirement: found '{text}'"))
        })?;
        Ok(Self {
            key: key.trim().to_owned(),
            test: condition,
        })
    }

    fn is_met(&self, labels: &Value) -> bool {
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

fn read_requirement(text: &str) -> Option<(&str, Test)> {
    let text = text.trim();
    if let Some(key) = text.strip_prefix('!') {
        return Some((valid_key(key)?, Test::Absent));
    }
    if let Some((head, set)) = text.split_once('(') {
        let values = set
            .strip_suffix(')')?
            .split(',')
            .map(|one| one.trim().to_owned())
            .collect();
        let mut words = head.split_whitespace();
        let key = valid_key(words.next()?)?;
        return match (words.next()?, words.next()) {
            ("in", None) => Some((key, Test::In(values))),
            ("notin", None) => Some((key, Test::NotIn(values))),
            _ => None,
        };
    }
    if let Some((key, value)) = text.split_once("!=") {
        return Some((valid_key(key)?, Test::NotIn(vec![value.trim().to_owned()])));
    }
    if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return Some((valid_key(key)?, Test::In(vec![value.trim().to_owned()])));
    }
    if let Some((key, value)) = text.split_once('>') {
        return Some((valid_key(key)?, Test::Above(value.trim().parse().ok()?)));
    }
    if let Some((key, value)) = text.split_once('<') {
        return Some((valid_key(key)?, Test::Below(value.trim().parse().ok()?)));
    }
    Some((valid_key(text)?, Test::Exists))
}

fn valid_key(text: &str) -> Option<&str> {
    let key = text.trim();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    (!key.is_empty() && key.chars().all(allowed)).then_some(key)
}

impl FieldRequirement {
    fn parse(text: &str) -> Result<Self, Status> {
        let parts = text
            .split_once("!=")
            .map(|(path, value)| (path, value, false))
            .or_else(|| {
                text.split_once("==")
                    .map(|(path, value)| (path, value, true))
            })
            .or_else(|| {
                text.split_once('=')
                    .map(|(path, value)| (path, value, true))
            });
        let Some((path, value, equal)) = parts else {
            return Err(Status::bad_request(format!(
                "invalid field selector: '{text}'"
            )));
        };
        let path = path.trim().split('.').map(str::to_owned).collect();
        Ok(Self {
            path,
            equal,
            value: value.trim().to_owned(),
        })
    }

    fn is_met(&self, object: &Value) -> bool {
        let found = self
            .path
            .iter()
            .fold(object, |value, field| &value[field.as_str()]);
        (found.as_str().unwrap_or_default() == self.value) == self.equal
    }
}

/// Splits at commas outside parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_u32);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}
