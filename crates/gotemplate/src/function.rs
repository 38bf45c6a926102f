//! The functions of Go's templates, and the two that `kubectl` adds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::value::{Item, Text};
use crate::{compare, escape, format, print};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    And,
    Base64Decode,
    Call,
    Equal,
    Exists,
    GreaterOrEqual,
    Greater,
    Html,
    Index,
    Js,
    LessOrEqual,
    Len,
    Less,
    NotEqual,
    Not,
    Or,
    Print,
    Printf,
    Println,
    Slice,
    UrlQuery,
}

/// Every function by its name, with the fewest and the most arguments.
const FUNCTIONS: [(&str, Function, usize, usize); 21] = [
    ("and", Function::And, 1, usize::MAX),
    ("base64decode", Function::Base64Decode, 1, 1),
    ("call", Function::Call, 1, usize::MAX),
    ("eq", Function::Equal, 2, usize::MAX),
    ("exists", Function::Exists, 1, usize::MAX),
    ("ge", Function::GreaterOrEqual, 2, 2),
    ("gt", Function::Greater, 2, 2),
    ("html", Function::Html, 0, usize::MAX),
    ("index", Function::Index, 1, usize::MAX),
    ("js", Function::Js, 0, usize::MAX),
    ("le", Function::LessOrEqual, 2, 2),
    ("len", Function::Len, 1, 1),
    ("lt", Function::Less, 2, 2),
    ("ne", Function::NotEqual, 2, 2),
    ("not", Function::Not, 1, 1),
    ("or", Function::Or, 1, usize::MAX),
    ("print", Function::Print, 0, usize::MAX),
    ("printf", Function::Printf, 1, usize::MAX),
    ("println", Function::Println, 0, usize::MAX),
    ("slice", Function::Slice, 1, 4),
    ("urlquery", Function::UrlQuery, 0, usize::MAX),
];

impl Function {
    /// The function of this name; the error names those that there are.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let found = FUNCTIONS.iter().find(|(known, ..)| *known == name);
        found.map(|(_, function, ..)| *function).ok_or_else(|| {
            let known: Vec<_> = FUNCTIONS.iter().map(|(known, ..)| *known).collect();
            format!(
                "there is no function {name}; there are {}. A field begins with a point: .{name}",
                known.join(", ")
            )
        })
    }

    pub(crate) fn name(self) -> &'static str {
        let found = FUNCTIONS.iter().find(|(_, known, ..)| *known == self);
        found.map_or("", |(name, ..)| name)
    }

    /// Says what is wrong with this many arguments.
    pub(crate) fn check(self, count: usize) -> Result<(), String> {
        let found = FUNCTIONS.iter().find(|(_, known, ..)| *known == self);
        let (least, most) = found.map_or((0, usize::MAX), |(_, _, least, most)| (*least, *most));
        let arguments = |count| if count == 1 { "argument" } else { "arguments" };
        if count < least {
            let at_least = if most == least { "" } else { " at least" };
            return Err(format!(
                "{} needs{at_least} {least} {}, and has {count}",
                self.name(),
                arguments(least)
            ));
        }
        if count > most {
            return Err(format!(
                "{} takes {most} {}, and has {count}",
                self.name(),
                arguments(most)
            ));
        }
        Ok(())
    }

    /// Whether an argument has to be a string.
    pub(crate) fn wants_text(self, argument: usize) -> bool {
        matches!(self, Self::Printf | Self::Base64Decode) && argument == 0
    }
}

/// The value of a function. Strings that it makes are no longer than `room`. `and` and `or` are not
/// called: they do not need all of their arguments.
pub(crate) fn call<'a>(
    function: Function,
    arguments: &[Item<'a>],
    room: usize,
) -> Result<Item<'a>, String> {
    let [first, others @ ..] = arguments else {
        return text(function, arguments, room);
    };
    let second = others.first().unwrap_or(&Item::Missing);
    let boolean = |result: Result<bool, String>| result.map(Item::Boolean);
    match function {
        Function::Call => Err(format!(
            "{} is no function; write the name of a function first, without call",
            first.noun()
        )),
        Function::Not => Ok(Item::Boolean(!first.is_true())),
        Function::Equal => {
            for other in others {
                if compare::equal(first, other)? {
                    return Ok(Item::Boolean(true));
                }
            }
            Ok(Item::Boolean(false))
        }
        Function::NotEqual => boolean(compare::equal(first, second).map(|is| !is)),
        Function::Less => boolean(compare::less(first, second)),
        Function::GreaterOrEqual => boolean(compare::less(first, second).map(|is| !is)),
        Function::LessOrEqual => boolean(less_or_equal(first, second)),
        Function::Greater => boolean(less_or_equal(first, second).map(|is| !is)),
        Function::Len => length(first),
        Function::Index => index(first, others),
        Function::Slice => slice(first, others),
        Function::Exists => Ok(Item::Boolean(exists(first, others))),
        Function::Base64Decode => decoded(first, room),
        _ => text(function, arguments, room),
    }
}

fn less_or_equal(left: &Item<'_>, right: &Item<'_>) -> Result<bool, String> {
    Ok(compare::less(left, right)? || compare::equal(left, right)?)
}

/// The functions that make a string.
fn text<'a>(function: Function, arguments: &[Item<'a>], room: usize) -> Result<Item<'a>, String> {
    let mut made = Vec::new();
    let mut printer = print::Printer::new(&mut made, room);
    match function {
        Function::Printf => {
            if let [Item::Text(format), arguments @ ..] = arguments {
                format::print(&mut printer, format.bytes(), arguments)?;
            }
        }
        Function::Println => print::line(&mut printer, arguments)?,
        Function::Print => print::all(&mut printer, arguments)?,
        _ => {
            let no_value = || Item::Text(Text::Borrowed(b"<no value>"));
            let shown: Vec<_> = arguments
                .iter()
                .map(|item| match item {
                    Item::Missing | Item::Null => no_value(),
                    other => other.clone(),
                })
                .collect();
            print::all(&mut printer, &shown)?;
            made = match function {
                Function::Html => escape::html(&made),
                Function::Js => escape::js(&made),
                _ => escape::url_query(&made),
            };
        }
    }
    Ok(Item::made(made))
}

fn length<'a>(item: &Item<'_>) -> Result<Item<'a>, String> {
    let length = match item {
        Item::Text(text) => text.bytes().len(),
        Item::List(list) => list.len(),
        Item::Map(map) => map.len(),
        other => return Err(format!("{} has no length", other.noun())),
    };
    Ok(Item::Integer(i64::try_from(length).unwrap_or(i64::MAX)))
}

/// A position in what is this long, or at its end.
fn position(index: &Item<'_>, length: usize) -> Result<usize, String> {
    let Some(number) = index.integer() else {
        return Err(format!(
            "{} is no position in a list or string; an integer is",
            index.noun()
        ));
    };
    let position = usize::try_from(number).ok();
    let position = position.filter(|position| *position <= length);
    position.ok_or_else(|| format!("position {number} is outside; the length is {length}"))
}

fn index<'a>(item: &Item<'a>, indices: &[Item<'a>]) -> Result<Item<'a>, String> {
    if matches!(item, Item::Missing | Item::Null) {
        return Err("there is no value to look into".to_owned());
    }
    let mut item = item.clone();
    for index in indices {
        item = match &item {
            Item::Map(map) => {
                let key = match index {
                    Item::Text(key) => std::str::from_utf8(key.bytes()).ok(),
                    other => {
                        return Err(format!("{} is no key of an object", other.noun()));
                    }
                };
                let member = key.and_then(|key| map.get(key));
                member.map_or(Item::Null, Item::from)
            }
            Item::List(list) => {
                let at = position(index, list.len())?;
                let element = list.get(at).map(Item::from);
                element.ok_or_else(|| outside(at, list.len()))?
            }
            Item::Text(text) => {
                let bytes = text.bytes();
                let at = position(index, bytes.len())?;
                let byte = bytes.get(at).copied().map(Item::Byte);
                byte.ok_or_else(|| outside(at, bytes.len()))?
            }
            Item::Missing | Item::Null => {
                return Err("there is no value to look into".to_owned());
            }
            other => return Err(format!("{} has nothing in it to index", other.noun())),
        };
    }
    Ok(item)
}

fn outside(position: usize, length: usize) -> String {
    format!("position {position} is outside; the length is {length}")
}

fn slice<'a>(item: &Item<'a>, indices: &[Item<'a>]) -> Result<Item<'a>, String> {
    let length = match item {
        Item::Text(_) if indices.len() == 3 => {
            return Err("a string is sliced with a start and an end only".to_owned());
        }
        Item::Text(text) => text.bytes().len(),
        Item::List(list) => list.len(),
        other => return Err(format!("{} cannot be sliced", other.noun())),
    };
    let mut bounds = [0, length, length];
    for (bound, index) in bounds.iter_mut().zip(indices) {
        *bound = position(index, length)?;
    }
    let [start, end, most] = bounds;
    if start > end || end > most {
        return Err("the bounds of a slice have to rise".to_owned());
    }
    Ok(match item {
        Item::List(list) => Item::List(list.get(start..end).unwrap_or_default()),
        Item::Text(Text::Borrowed(bytes)) => {
            Item::Text(Text::Borrowed(bytes.get(start..end).unwrap_or_default()))
        }
        Item::Text(text) => Item::made(text.bytes().get(start..end).unwrap_or_default()),
        other => other.clone(),
    })
}

/// Whether something is at the end of a path. As in `kubectl`, a value without a path always exists.
fn exists<'a>(item: &Item<'a>, path: &[Item<'a>]) -> bool {
    let mut item = item.clone();
    for index in path {
        let at = index.integer().and_then(|at| usize::try_from(at).ok());
        let found = match &item {
            Item::Map(map) => match index {
                Item::Text(key) => std::str::from_utf8(key.bytes())
                    .ok()
                    .and_then(|key| map.get(key))
                    .map(Item::from),
                Item::Missing | Item::Null => map.get("").map(Item::from),
                _ => None,
            },
            Item::List(list) => at.and_then(|at| list.get(at)).map(Item::from),
            Item::Text(text) => {
                let byte = at.and_then(|at| text.bytes().get(at).copied());
                byte.map(Item::Byte)
            }
            _ => None,
        };
        match found {
            None | Some(Item::Null) => return false,
            Some(found) => item = found,
        }
    }
    true
}

fn decoded<'a>(item: &Item<'_>, room: usize) -> Result<Item<'a>, String> {
    let Item::Text(text) = item else {
        return Err(format!("{} is no string", item.noun()));
    };
    // Go passes over line ends
    let wanted = |byte: &u8| !matches!(byte, b'\r' | b'\n');
    let encoded: Vec<u8> = text.bytes().iter().copied().filter(wanted).collect();
    if encoded.len() > room {
        return Err("the template makes more than 64 MiB of text".to_owned());
    }
    let decoded = STANDARD.decode(encoded);
    decoded
        .map(Item::made)
        .map_err(|_| "the string is not base64".to_owned())
}
