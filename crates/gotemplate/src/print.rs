//! Values as Go's `fmt` prints them: `map[a:1 b:2]` in the order of the keys, `[1 two]`, `<nil>`, and
//! for `printf` with flags, width and precision.

use std::fmt::Write as _;

use crate::float::{self, Form};
use crate::quote::{self, Ascii};
use crate::value::{Item, sorted};

/// Deepest document that is printed.
const MAX_DEPTH: usize = 256;

/// What stands between the percent sign and the letter.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of Go")]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Flags {
    pub(crate) width: Option<usize>,
    pub(crate) precision: Option<usize>,
    pub(crate) plus: bool,
    pub(crate) minus: bool,
    pub(crate) sharp: bool,
    pub(crate) space: bool,
    pub(crate) zero: bool,
    /// `%#v`: in the syntax of Go.
    pub(crate) as_source: bool,
}

/// Writes values behind a text that may not become longer than a limit.
#[derive(Debug)]
pub(crate) struct Printer<'o> {
    text: &'o mut Vec<u8>,
    limit: usize,
    pub(crate) flags: Flags,
}

type Written = Result<(), String>;

impl<'o> Printer<'o> {
    pub(crate) fn new(text: &'o mut Vec<u8>, limit: usize) -> Self {
        Self {
            text,
            limit,
            flags: Flags::default(),
        }
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Written {
        if self.text.len() + bytes.len() > self.limit {
            return Err("the template makes more than 64 MiB of text".to_owned());
        }
        self.text.extend_from_slice(bytes);
        Ok(())
    }

    /// An argument, by the letter of `printf`.
    pub(crate) fn item(&mut self, item: &Item<'_>, verb: char) -> Written {
        match (item, verb) {
            (Item::Missing | Item::Null, 'v' | 'T') => self.padded(b"<nil>"),
            (_, 'T') => self.text(item.go_type().as_bytes()),
            (Item::List(_) | Item::Map(_), 'p') => {
                Err("%p shows an address of memory; use %v for the value".to_owned())
            }
            _ => self.nested(item, verb, 0),
        }
    }

    fn nested(&mut self, item: &Item<'_>, verb: char, depth: usize) -> Written {
        if depth > MAX_DEPTH {
            return Err("the document is nested too deeply to print".to_owned());
        }
        match item {
            Item::Missing | Item::Null if depth == 0 => self.wrong_verb(item, verb),
            Item::Missing | Item::Null if self.flags.as_source => self.raw(b"interface {}(nil)"),
            Item::Missing | Item::Null => self.raw(b"<nil>"),
            Item::Boolean(boolean) => match verb {
                't' | 'v' => self.padded(boolean.to_string().as_bytes()),
                _ => self.wrong_verb(item, verb),
            },
            Item::Integer(number) | Item::Long(number) => {
                self.integer(item, number.unsigned_abs(), *number < 0, verb)
            }
            Item::Byte(byte) if verb == 'v' && self.flags.as_source => {
                self.flags.sharp = true;
                let written = self.digits(u64::from(*byte), false, 'x');
                self.flags.sharp = false;
                written
            }
            Item::Byte(byte) => self.integer(item, u64::from(*byte), false, verb),
            Item::Fraction(number) => self.fraction(item, *number, verb),
            Item::Text(text) => self.string(item, text.bytes(), verb),
            Item::List(list) => {
                let (open, between, close) = self.brackets("[]interface {}{", "[", "]");
                self.raw(open.as_bytes())?;
                for (index, element) in list.iter().enumerate() {
                    if index > 0 {
                        self.raw(between)?;
                    }
                    self.nested(&Item::from(element), verb, depth + 1)?;
                }
                self.raw(close.as_bytes())
            }
            Item::Map(map) => {
                let (open, between, close) = self.brackets("map[string]interface {}{", "map[", "]");
                self.raw(open.as_bytes())?;
                for (index, (key, member)) in sorted(map).into_iter().enumerate() {
                    if index > 0 {
                        self.raw(between)?;
                    }
                    let key = Item::Text(crate::value::Text::Borrowed(key.as_bytes()));
                    self.nested(&key, verb, depth + 1)?;
                    self.raw(b":")?;
                    self.nested(&Item::from(member), verb, depth + 1)?;
                }
                self.raw(close.as_bytes())
            }
        }
    }

    /// What opens, parts and closes the elements of a value.
    fn brackets<'s>(
        &self,
        source: &'s str,
        open: &'s str,
        close: &'s str,
    ) -> (&'s str, &'static [u8], &'s str) {
        if self.flags.as_source {
            (source, b", ", "}")
        } else {
            (open, b" ", close)
        }
    }

    /// What Go writes for a letter that is not for the type.
    fn wrong_verb(&mut self, item: &Item<'_>, verb: char) -> Written {
        self.raw(format!("%!{verb}(").as_bytes())?;
        match item {
            Item::Missing | Item::Null => self.raw(b"<nil>")?,
            _ => {
                self.raw(format!("{}=", item.go_type()).as_bytes())?;
                self.item(item, 'v')?;
            }
        }
        self.raw(b")")
    }

    /// Pads with blanks or zeros up to the width.
    pub(crate) fn padded(&mut self, bytes: &[u8]) -> Written {
        let length = quote::characters(bytes).count();
        let padding = self.flags.width.unwrap_or_default().saturating_sub(length);
        if padding == 0 {
            return self.raw(bytes);
        }
        let filler = if self.flags.zero && !self.flags.minus {
            b'0'
        } else {
            b' '
        };
        let padding = vec![filler; padding];
        if self.flags.minus {
            self.raw(bytes)?;
            self.raw(&padding)
        } else {
            self.raw(&padding)?;
            self.raw(bytes)
        }
    }

    fn padded_with_blanks(&mut self, text: &str) -> Written {
        let zero = std::mem::take(&mut self.flags.zero);
        let written = self.padded(text.as_bytes());
        self.flags.zero = zero;
        written
    }

    /// The first characters of a string, as many as the precision says.
    fn cut<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        let Some(precision) = self.flags.precision else {
            return bytes;
        };
        let length = |unit: Result<char, u8>| unit.map_or(1, char::len_utf8);
        let end = quote::characters(bytes).take(precision).map(length).sum();
        bytes.get(..end).unwrap_or(bytes)
    }

    fn text(&mut self, bytes: &[u8]) -> Written {
        let cut = self.cut(bytes);
        self.padded(cut)
    }

    fn string(&mut self, item: &Item<'_>, bytes: &[u8], verb: char) -> Written {
        match verb {
            'v' if self.flags.as_source => self.quoted(bytes),
            'v' | 's' => self.text(bytes),
            'q' => self.quoted(bytes),
            'x' | 'X' => self.hexadecimal(bytes, verb),
            _ => self.wrong_verb(item, verb),
        }
    }

    fn ascii(&self) -> Ascii {
        if self.flags.plus {
            Ascii::Only
        } else {
            Ascii::AndMore
        }
    }

    fn quoted(&mut self, bytes: &[u8]) -> Written {
        let cut = self.cut(bytes);
        if self.flags.sharp && quote::fits_backquotes(cut) {
            return self.padded(&[b"`", cut, b"`"].concat());
        }
        let quoted = quote::quoted(cut, self.ascii());
        self.padded(quoted.as_bytes())
    }

    fn hexadecimal(&mut self, bytes: &[u8], verb: char) -> Written {
        let length = self.flags.precision.unwrap_or(bytes.len());
        let prefix = match (self.flags.sharp, verb) {
            (false, _) => "",
            (true, 'x') => "0x",
            (true, _) => "0X",
        };
        let mut text = String::new();
        for (index, byte) in bytes.iter().take(length).enumerate() {
            if index > 0 && self.flags.space {
                text.push(' ');
            }
            if index == 0 || self.flags.space {
                text.push_str(prefix);
            }
            // writing to a string cannot fail
            let _ = match verb {
                'x' => write!(text, "{byte:02x}"),
                _ => write!(text, "{byte:02X}"),
            };
        }
        self.padded(text.as_bytes())
    }

    fn integer(&mut self, item: &Item<'_>, number: u64, is_negative: bool, verb: char) -> Written {
        match verb {
            'v' | 'd' | 'b' | 'o' | 'O' | 'x' | 'X' => self.digits(number, is_negative, verb),
            'c' => {
                let character = character(number, is_negative);
                self.padded(character.to_string().as_bytes())
            }
            'q' => {
                let character = character(number, is_negative);
                let quoted = quote::quoted_character(character, self.ascii());
                self.padded(quoted.as_bytes())
            }
            'U' => self.code_point(number, is_negative),
            _ => self.wrong_verb(item, verb),
        }
    }

    fn code_point(&mut self, number: u64, is_negative: bool) -> Written {
        // Go takes a negative number for a large one
        let number = if is_negative {
            number.wrapping_neg()
        } else {
            number
        };
        let width = self.flags.precision.unwrap_or_default().max(4);
        let mut text = format!("U+{}", filled(&format!("{number:X}"), width));
        if self.flags.sharp {
            let found = u32::try_from(number).ok().and_then(char::from_u32);
            if let Some(found) = found.filter(|found| quote::is_printable(*found)) {
                let _ = write!(text, " '{found}'");
            }
        }
        self.padded_with_blanks(&text)
    }

    fn digits(&mut self, number: u64, is_negative: bool, verb: char) -> Written {
        let sign = match (is_negative, self.flags.plus, self.flags.space) {
            (true, _, _) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        if self.flags.precision == Some(0) && number == 0 {
            return self.padded_with_blanks("");
        }
        let least = match (self.flags.precision, self.flags.width) {
            (Some(precision), _) => precision,
            (None, Some(width)) if self.flags.zero && !self.flags.minus => {
                width.saturating_sub(sign.len())
            }
            _ => 0,
        };
        let digits = match verb {
            'b' => format!("{number:b}"),
            'o' | 'O' => format!("{number:o}"),
            'x' => format!("{number:x}"),
            'X' => format!("{number:X}"),
            _ => number.to_string(),
        };
        let digits = filled(&digits, least);
        let prefix = match verb {
            'O' => "0o",
            'b' if self.flags.sharp => "0b",
            'o' if self.flags.sharp && !digits.starts_with('0') => "0",
            'x' if self.flags.sharp => "0x",
            'X' if self.flags.sharp => "0X",
            _ => "",
        };
        self.padded_with_blanks(&format!("{sign}{prefix}{digits}"))
    }

    fn fraction(&mut self, item: &Item<'_>, number: f64, verb: char) -> Written {
        let form = match verb {
            'e' | 'E' => Form::Exponent,
            'f' | 'F' => Form::Plain,
            'g' | 'G' | 'v' => Form::General,
            'b' | 'x' | 'X' => {
                return Err(format!("a fraction cannot be written with %{verb}; use %v"));
            }
            _ => return self.wrong_verb(item, verb),
        };
        if self.flags.sharp {
            return Err("a fraction cannot be written with the flag #; leave it out".to_owned());
        }
        let usual = match form {
            Form::General => None,
            Form::Exponent | Form::Plain => Some(6),
        };
        let digits = float::digits(number, form, self.flags.precision.or(usual));
        let digits = match verb {
            'E' | 'G' => digits.to_uppercase(),
            _ => digits,
        };
        let sign = match (number.is_sign_negative(), self.flags.plus, self.flags.space) {
            (true, _, _) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        let length = sign.len() + digits.len();
        let padding = self.flags.width.unwrap_or_default().saturating_sub(length);
        if self.flags.zero && !self.flags.minus {
            return self.raw(format!("{sign}{}{digits}", "0".repeat(padding)).as_bytes());
        }
        self.padded(format!("{sign}{digits}").as_bytes())
    }
}

/// Digits with zeros before them. The formats of the standard library have no room for Go's widths.
fn filled(digits: &str, width: usize) -> String {
    let zeros = width.saturating_sub(digits.len());
    "0".repeat(zeros) + digits
}

/// The character that a number is for, or the one for none.
fn character(number: u64, is_negative: bool) -> char {
    let number = u32::try_from(number).ok().filter(|_| !is_negative);
    let found = number.and_then(char::from_u32);
    found.unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The arguments one behind the other, with a blank between two that are no strings.
pub(crate) fn all(printer: &mut Printer<'_>, items: &[Item<'_>]) -> Written {
    let mut was_text = false;
    for (index, item) in items.iter().enumerate() {
        let is_text = matches!(item, Item::Text(_));
        if index > 0 && !is_text && !was_text {
            printer.raw(b" ")?;
        }
        printer.item(item, 'v')?;
        was_text = is_text;
    }
    Ok(())
}

/// The arguments with blanks between them, and a line end.
pub(crate) fn line(printer: &mut Printer<'_>, items: &[Item<'_>]) -> Written {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            printer.raw(b" ")?;
        }
        printer.item(item, 'v')?;
    }
    printer.raw(b"\n")
}
