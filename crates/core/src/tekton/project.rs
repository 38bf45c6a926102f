//! One walker for all tables: writes a JSON value as a Go program does that has decoded it into a
//! type.
//!
//! A value that the type does not allow would stop that program. Here it is left out, with a
//! warning that names it.

use std::borrow::Cow;
use std::fmt::Write;

use jiff::tz::TimeZone;

use super::schema::{Field, Kind, Shape, Struct, When};
use super::{duration, quantity, tekton_types};
use crate::json::{Json, JsonError};
use crate::run::{ParamValue, Text, timestamp};

/// What was left out.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    /// One for each value that was left out.
    pub(crate) sentences: Vec<String>,
    /// The first param or result that has no value at all, as a sentence. Chains cannot write such
    /// a part.
    pub(crate) lacks_value: Option<String>,
}

/// A type that parts of runs are projected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Projection {
    TaskRun,
    TaskRunSpec,
    PipelineRunSpec,
    FeatureFlags,
    TaskRef,
}

impl Projection {
    fn fields(self) -> Struct {
        match self {
            Self::TaskRun => tekton_types::TASK_RUN,
            Self::TaskRunSpec => tekton_types::TASK_RUN_SPEC,
            Self::PipelineRunSpec => tekton_types::PIPELINE_RUN_SPEC,
            Self::FeatureFlags => tekton_types::FEATURE_FLAGS,
            Self::TaskRef => tekton_types::TASK_REF,
        }
    }

    /// Projects a value; `path` is its place in the run, for warnings.
    pub(crate) fn apply<'a>(
        self,
        path: &'static str,
        value: Json<'a>,
        warnings: &mut Warnings,
    ) -> Json<'a> {
        let mut walker = Walker {
            path: vec![Segment::Name(path)],
            warnings,
        };
        walker.object(self.fields(), value)
    }

    /// Projects the text of a value; nothing at all counts as an empty object.
    pub(crate) fn apply_text<'a>(
        self,
        path: &'static str,
        text: Option<&'a str>,
        warnings: &mut Warnings,
    ) -> Result<Json<'a>, JsonError> {
        let value = text.map_or(Ok(Json::Null), Self::parse)?;
        Ok(self.apply(path, value, warnings))
    }

    /// Reads a value that is to be projected. Values of params stay text until it is known that
    /// they are that, because the spelling of some counts.
    pub(crate) fn parse(text: &str) -> Result<Json<'_>, JsonError> {
        Json::parse_except(text, &["value", "default"])
    }
}

enum Segment {
    Name(&'static str),
    Index(usize),
}

struct Walker<'w> {
    path: Vec<Segment>,
    warnings: &'w mut Warnings,
}

impl Walker<'_> {
    fn object<'a>(&mut self, fields: Struct, value: Json<'a>) -> Json<'a> {
        let mut members = match value {
            Json::Object(members) => members,
            Json::Null => Vec::new(),
            other => {
                self.warn("an object", &other);
                Vec::new()
            }
        };
        let mut written = Vec::new();
        for field in fields {
            let value = members
                .iter_mut()
                .find(|(name, _)| *name == field.name)
                .map(|(_, value)| std::mem::replace(value, Json::Null));
            self.path.push(Segment::Name(field.name));
            if let Some(value) = self.field(field, value) {
                written.push((Cow::Borrowed(field.name), value));
            }
            self.path.pop();
        }
        Json::Object(written)
    }

    fn field<'a>(&mut self, field: &Field, value: Option<Json<'a>>) -> Option<Json<'a>> {
        let value = match field.shape {
            Shape::One(Kind::Param) | Shape::Pointer(Kind::Param) => value,
            _ => value.map(read),
        };
        let (value, is_empty) = match field.shape {
            Shape::One(kind) => self.one(kind, value)?,
            Shape::Pointer(kind) => match value {
                None | Some(Json::Null) => (Json::Null, true),
                Some(value) => (self.value(kind, value)?, false),
            },
            Shape::List(kind) => self.list(kind, value),
            Shape::Map(kind) => self.map(kind, value),
        };
        match field.when {
            When::NotEmpty if is_empty => None,
            When::NotZero if value == Json::Null => None,
            _ => Some(value),
        }
    }

    /// A plain field, and whether it counts as empty.
    fn one<'a>(&mut self, kind: Kind, value: Option<Json<'a>>) -> Option<(Json<'a>, bool)> {
        let zero = match kind {
            Kind::Text => Json::String(Cow::Borrowed("")),
            Kind::Bool => Json::Bool(false),
            Kind::Int | Kind::IntOrString => Json::Number(Cow::Borrowed("0")),
            Kind::Time | Kind::Raw => Json::Null,
            Kind::Duration => Json::String(Cow::Borrowed("0s")),
            Kind::Quantity => Json::String(Cow::Borrowed("0")),
            Kind::Of(fields) => {
                return Some((self.object(fields, value.unwrap_or(Json::Null)), false));
            }
            Kind::Param => {
                let Some(value) = value else {
                    self.note("has no value");
                    let sentences = &self.warnings.sentences;
                    let lacks_value = &mut self.warnings.lacks_value;
                    *lacks_value = lacks_value.take().or_else(|| sentences.last().cloned());
                    return None;
                };
                return Some((param(value), false));
            }
        };
        let value = match value {
            None | Some(Json::Null) => zero.clone(),
            Some(value) => self.value(kind, value).unwrap_or_else(|| zero.clone()),
        };
        let can_be_empty = matches!(kind, Kind::Text | Kind::Bool | Kind::Int);
        let is_empty = can_be_empty && value == zero;
        Some((value, is_empty))
    }

    fn list<'a>(&mut self, kind: Kind, value: Option<Json<'a>>) -> (Json<'a>, bool) {
        let items = match value {
            None | Some(Json::Null) => return (Json::Null, true),
            Some(Json::Array(items)) => items,
            Some(other) => {
                self.warn("an array", &other);
                return (Json::Null, true);
            }
        };
        let mut written = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            self.path.push(Segment::Index(index));
            written.extend(self.one(kind, Some(item)).map(|(item, _)| item));
            self.path.pop();
        }
        let is_empty = written.is_empty();
        (Json::Array(written), is_empty)
    }

    fn map<'a>(&mut self, kind: Kind, value: Option<Json<'a>>) -> (Json<'a>, bool) {
        let members = match value {
            None | Some(Json::Null) => return (Json::Null, true),
            Some(Json::Object(members)) => members,
            Some(other) => {
                self.warn("an object", &other);
                return (Json::Null, true);
            }
        };
        let mut written: Vec<_> = members
            .into_iter()
            .filter_map(|(key, value)| Some((key, self.one(kind, Some(read(value)))?.0)))
            .collect();
        written.sort_by(|(left, _), (right, _)| left.cmp(right));
        let is_empty = written.is_empty();
        (Json::Object(written), is_empty)
    }

    /// A value that is there and not `null`; `None` if the type cannot hold it.
    fn value<'a>(&mut self, kind: Kind, value: Json<'a>) -> Option<Json<'a>> {
        let (read, expected) = match kind {
            Kind::Of(fields) => return Some(self.object(fields, value)),
            Kind::Param => return Some(param(value)),
            Kind::Raw => return Some(value.read()),
            Kind::Text => (text(&value).cloned().map(Json::String), "a string"),
            Kind::Bool => (
                matches!(value, Json::Bool(_)).then(|| value.clone()),
                "true or false",
            ),
            Kind::Int => (integer(&value), "a whole number"),
            Kind::IntOrString => (
                integer(&value).or_else(|| text(&value).cloned().map(Json::String)),
                "a whole number or a string",
            ),
            Kind::Time => (text(&value).and_then(|text| time(text)), "a time"),
            Kind::Duration => (
                text(&value)
                    .and_then(|text| duration::canonical(text))
                    .map(owned),
                "a duration",
            ),
            Kind::Quantity => (
                match &value {
                    Json::String(text) | Json::Number(text) => quantity::canonical(text),
                    _ => None,
                }
                .map(owned),
                "a quantity",
            ),
        };
        if read.is_none() {
            self.warn(expected, &value);
        }
        read
    }

    fn warn(&mut self, expected: &str, found: &Json<'_>) {
        let found = match found {
            Json::Null => "null",
            Json::Bool(_) => "a boolean",
            Json::Number(_) => "a number",
            Json::String(_) => "a string",
            Json::Array(_) => "an array",
            Json::Object(_) => "an object",
            Json::Unread(_) => "an array or an object",
        };
        self.note(&format!(
            "should be {expected} but is {found} that cannot be read as one"
        ));
    }

    fn note(&mut self, problem: &str) {
        let mut path = String::new();
        for segment in &self.path {
            match segment {
                Segment::Name(name) if path.is_empty() => path.push_str(name),
                Segment::Name(name) => {
                    path.push('.');
                    path.push_str(name);
                }
                Segment::Index(index) => {
                    // Writing to a string cannot fail.
                    let _ = write!(path, "[{index}]");
                }
            }
        }
        self.warnings
            .sentences
            .push(format!("{path} {problem}; it was left out"));
    }
}

/// The value itself, if it was left unread.
fn read(value: Json<'_>) -> Json<'_> {
    match value {
        Json::Unread(_) => value.read(),
        read => read,
    }
}

fn owned<'a>(text: String) -> Json<'a> {
    Json::String(Cow::Owned(text))
}

fn text<'j, 'a>(value: &'j Json<'a>) -> Option<&'j Cow<'a, str>> {
    match value {
        Json::String(text) => Some(text),
        _ => None,
    }
}

fn integer<'a>(value: &Json<'a>) -> Option<Json<'a>> {
    match value {
        Json::Number(text) => text.parse::<i64>().ok().map(Json::from),
        _ => None,
    }
}

/// A time in whole seconds of UTC; the zero time is `null`.
fn time<'a>(text: &str) -> Option<Json<'a>> {
    let time = timestamp(text).ok()?;
    let time = time.to_zoned(TimeZone::UTC);
    let written = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    if written == "0001-01-01T00:00:00Z" {
        return Some(Json::Null);
    }
    Some(owned(written))
}

/// The value of a param or a result by its kind: what is none of them is its JSON text.
fn param(value: Json<'_>) -> Json<'_> {
    let unread = match value {
        Json::Unread(text) => text,
        Json::Null => return Json::String(Cow::Borrowed("")),
        Json::String(_) => return value,
        other => return owned(other.to_compact()),
    };
    match ParamValue::from_json(unread) {
        ParamValue::Missing => Json::Null,
        ParamValue::String(text) => Json::String(text.into_cow()),
        ParamValue::Array(items) => Json::strings(items.into_iter().map(Text::into_cow)),
        ParamValue::Object(members) => {
            let members = members.into_iter();
            Json::text_object(members.map(|(key, value)| (key.into_cow(), value.into_cow())))
        }
    }
}
