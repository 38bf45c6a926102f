//! The formats of `printf`.

use crate::print::{Flags, Printer};
use crate::value::Item;

/// Largest width and precision that Go takes.
const MOST: usize = 1_000_000;

/// Writes the arguments as the format says. What is wrong with a format is written where it is, as in
/// Go: `%!d(string=x)`, `%!d(MISSING)`.
pub(crate) fn print(
    printer: &mut Printer<'_>,
    format: &[u8],
    arguments: &[Item<'_>],
) -> Result<(), String> {
    let mut format = Format {
        rest: format,
        arguments,
        next: 0,
        is_reordered: false,
        is_index_good: true,
    };
    loop {
        let end = format.rest.iter().position(|byte| *byte == b'%');
        let (text, rest) = format.rest.split_at(end.unwrap_or(format.rest.len()));
        printer.raw(text)?;
        let Some((_, rest)) = rest.split_first() else {
            break;
        };
        format.rest = rest;
        format.verb(printer)?;
    }
    let left = arguments.get(format.next..).unwrap_or_default();
    if format.is_reordered || left.is_empty() {
        return Ok(());
    }
    printer.flags = Flags::default();
    printer.raw(b"%!(EXTRA ")?;
    for (index, item) in left.iter().enumerate() {
        if index > 0 {
            printer.raw(b", ")?;
        }
        if !matches!(item, Item::Missing | Item::Null) {
            printer.raw(format!("{}=", item.go_type()).as_bytes())?;
        }
        printer.item(item, 'v')?;
    }
    printer.raw(b")")
}

struct Format<'f, 'a> {
    rest: &'f [u8],
    arguments: &'f [Item<'a>],
    next: usize,
    is_reordered: bool,
    is_index_good: bool,
}

impl Format<'_, '_> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        if is_there {
            self.skip(1);
        }
        is_there
    }

    /// Writes one argument; the percent sign is taken.
    fn verb(&mut self, printer: &mut Printer<'_>) -> Result<(), String> {
        self.is_index_good = true;
        printer.flags = Flags::default();
        let flags = &mut printer.flags;
        while let Some(byte) = self.peek() {
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => break,
            }
            self.skip(1);
        }
        let mut is_indexed = self.index();
        if self.take(b'*') {
            is_indexed = false;
            match self.integer() {
                Some(width) => {
                    if width < 0 {
                        printer.flags.minus = true;
                        printer.flags.zero = false;
                    }
                    printer.flags.width = usize::try_from(width.unsigned_abs()).ok();
                }
                None => printer.raw(b"%!(BADWIDTH)")?,
            }
        } else {
            printer.flags.width = self.number();
            if is_indexed && printer.flags.width.is_some() {
                self.is_index_good = false;
            }
        }
        if self.rest.len() > 1 && self.take(b'.') {
            if is_indexed {
                self.is_index_good = false;
            }
            is_indexed = self.index();
            if self.take(b'*') {
                is_indexed = false;
                match self.integer() {
                    Some(precision) if precision >= 0 => {
                        printer.flags.precision = usize::try_from(precision).ok();
                    }
                    // a negative one is none, and is told like one that is no number
                    _ => printer.raw(b"%!(BADPREC)")?,
                }
            } else {
                printer.flags.precision = Some(self.number().unwrap_or_default());
            }
        }
        if !is_indexed {
            self.index();
        }
        let Some(verb) = self.letter() else {
            return printer.raw(b"%!(NOVERB)");
        };
        if verb == '%' {
            return printer.raw(b"%");
        }
        if !self.is_index_good {
            return printer.raw(format!("%!{verb}(BADINDEX)").as_bytes());
        }
        let Some(item) = self.arguments.get(self.next) else {
            return printer.raw(format!("%!{verb}(MISSING)").as_bytes());
        };
        self.next += 1;
        if matches!(verb, 'v' | 'w') {
            printer.flags.as_source = std::mem::take(&mut printer.flags.sharp);
            printer.flags.plus = false;
        }
        printer.item(item, verb)
    }

    fn letter(&mut self) -> Option<char> {
        let length = self.rest.len().min(4);
        let (verb, length) = match crate::quote::characters(self.rest.get(..length)?).next()? {
            Ok(found) => (found, found.len_utf8()),
            Err(_) => (char::REPLACEMENT_CHARACTER, 1),
        };
        self.skip(length);
        Some(verb)
    }

    /// Digits; too large a number ends the format, as in Go.
    fn number(&mut self) -> Option<usize> {
        let mut number = None;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            let before = number.unwrap_or_default();
            if before > MOST {
                self.rest = &[];
                return None;
            }
            number = Some(before * 10 + usize::from(digit - b'0'));
            self.skip(1);
        }
        number
    }

    /// The next argument as a width or precision.
    fn integer(&mut self) -> Option<i64> {
        let item = self.arguments.get(self.next)?;
        self.next += 1;
        let most = i64::try_from(MOST).unwrap_or(i64::MAX);
        item.integer()
            .filter(|number| (-most..=most).contains(number))
    }

    /// Takes `[N]`, the number of the next argument; whether it was there.
    fn index(&mut self) -> bool {
        if self.peek() != Some(b'[') {
            return false;
        }
        self.is_reordered = true;
        let close = self.rest.iter().position(|byte| *byte == b']');
        let Some(close) = close.filter(|_| self.rest.len() >= 3) else {
            self.is_index_good = false;
            self.skip(1);
            return false;
        };
        let digits = self.rest.get(1..close).unwrap_or_default();
        let digits = std::str::from_utf8(digits).ok();
        let digits = digits.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let number: Option<usize> = digits.and_then(|text| text.parse().ok());
        self.skip(close + 1);
        let index = number.and_then(|number| number.checked_sub(1));
        if let Some(index) = index.filter(|index| *index < self.arguments.len()) {
            self.next = index;
            return true;
        }
        self.is_index_good = false;
        number.is_some()
    }
}
