//! Literals in quotes, with Go's escapes, and values written as such literals.

use std::fmt::Write as _;

/// The bytes of a literal in double quotes, which it comes with. The error says what is wrong.
pub(crate) fn unquoted(literal: &str) -> Result<Vec<u8>, String> {
    let inside = literal.get(1..literal.len().saturating_sub(1));
    let mut rest = inside.unwrap_or_default();
    let mut bytes = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        match escaped(&mut rest, '"')? {
            Unit::Byte(byte) => bytes.push(byte),
            Unit::Character(character) => {
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
    Ok(bytes)
}

/// The number of a character in single quotes, which it comes with.
pub(crate) fn character(literal: &str) -> Result<i64, String> {
    let inside = literal.get(1..literal.len().saturating_sub(1));
    let mut rest = inside.unwrap_or_default();
    let none = || format!("{literal} is not one character");
    if rest.is_empty() {
        return Err(none());
    }
    let number = match escaped(&mut rest, '\'')? {
        Unit::Byte(byte) => i64::from(byte),
        Unit::Character(character) => i64::from(u32::from(character)),
    };
    if rest.is_empty() {
        Ok(number)
    } else {
        Err(none())
    }
}

enum Unit {
    Byte(u8),
    Character(char),
}

/// Takes a character or an escape.
fn escaped(rest: &mut &str, quote: char) -> Result<Unit, String> {
    let mut characters = rest.chars();
    let first = characters.next().unwrap_or_default();
    if first != '\\' {
        *rest = characters.as_str();
        return Ok(Unit::Character(first));
    }
    let letter = characters.next().unwrap_or_default();
    let unknown = || format!("unknown escape \\{letter} in a string");
    let number = |characters: &mut std::str::Chars<'_>, first: u32, count, radix| {
        let mut number = first;
        for _ in 0..count {
            let digit = characters.next().and_then(|digit| digit.to_digit(radix));
            number = number * radix + digit.ok_or_else(unknown)?;
        }
        Ok::<u32, String>(number)
    };
    let byte = |number: u32| u8::try_from(number).map(Unit::Byte).map_err(|_| unknown());
    let of = |number: u32| {
        let character = char::from_u32(number).map(Unit::Character);
        character.ok_or_else(|| format!("\\{letter}{number:x} is no character"))
    };
    let unit = match letter {
        'a' => Unit::Byte(7),
        'b' => Unit::Byte(8),
        'f' => Unit::Byte(12),
        'n' => Unit::Byte(b'\n'),
        'r' => Unit::Byte(b'\r'),
        't' => Unit::Byte(b'\t'),
        'v' => Unit::Byte(11),
        '\\' => Unit::Byte(b'\\'),
        'x' => byte(number(&mut characters, 0, 2, 16)?)?,
        'u' => of(number(&mut characters, 0, 4, 16)?)?,
        'U' => {
            // eight digits may be more than 32 bits have
            let digits: String = characters.by_ref().take(8).collect();
            let is_number =
                digits.len() == 8 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            if !is_number {
                return Err(unknown());
            }
            of(u32::from_str_radix(&digits, 16).map_err(|_| unknown())?)?
        }
        '0'..='7' => {
            let first = letter.to_digit(8).unwrap_or_default();
            byte(number(&mut characters, first, 2, 8)?)?
        }
        found if found == quote => Unit::Character(found),
        _ => return Err(unknown()),
    };
    *rest = characters.as_str();
    Ok(unit)
}

/// What bytes are in UTF-8: characters, and bytes that begin none.
pub(crate) fn characters(bytes: &[u8]) -> impl Iterator<Item = Result<char, u8>> {
    bytes.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid().chars().map(Ok);
        valid.chain(chunk.invalid().iter().copied().map(Err))
    })
}

/// The bytes as a literal in double quotes; of ASCII only, if that is wanted.
pub(crate) fn quoted(bytes: &[u8], ascii: Ascii) -> String {
    let mut text = String::from('"');
    for unit in characters(bytes) {
        push(&mut text, unit, '"', ascii);
    }
    text.push('"');
    text
}

/// A character as a literal in single quotes.
pub(crate) fn quoted_character(character: char, ascii: Ascii) -> String {
    let mut text = String::from('\'');
    push(&mut text, Ok(character), '\'', ascii);
    text.push('\'');
    text
}

/// Which characters a literal may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ascii {
    Only,
    AndMore,
}

fn push(text: &mut String, unit: Result<char, u8>, quote: char, ascii: Ascii) {
    // writing to a string cannot fail
    let _ = match unit {
        Err(byte) => write!(text, "\\x{byte:02x}"),
        Ok(found) if found == quote || found == '\\' => write!(text, "\\{found}"),
        Ok(found) if is_printable(found) && (found.is_ascii() || ascii == Ascii::AndMore) => {
            text.push(found);
            Ok(())
        }
        Ok('\u{7}') => write!(text, "\\a"),
        Ok('\u{8}') => write!(text, "\\b"),
        Ok('\u{c}') => write!(text, "\\f"),
        Ok('\n') => write!(text, "\\n"),
        Ok('\r') => write!(text, "\\r"),
        Ok('\t') => write!(text, "\\t"),
        Ok('\u{b}') => write!(text, "\\v"),
        Ok(found) => match u32::from(found) {
            number @ (0..0x20 | 0x7f) => write!(text, "\\x{number:02x}"),
            number @ 0..0x1_0000 => write!(text, "\\u{number:04x}"),
            number => write!(text, "\\U{number:08x}"),
        },
    };
}

/// Whether Go prints a character as it is: a letter, a mark, a number, a sign, or the blank.
pub(crate) fn is_printable(character: char) -> bool {
    match character {
        '"' | '\'' | '\\' => true,
        // behind another character, marks that combine are not escaped
        other => !format!("a{other}").escape_debug().any(|part| part == '\\'),
    }
}

/// Whether a text can stand between backquotes.
pub(crate) fn fits_backquotes(bytes: &[u8]) -> bool {
    characters(bytes).all(|unit| match unit {
        Ok('\u{feff}' | '`' | '\u{7f}') | Err(_) => false,
        Ok(found) => found == '\t' || found >= ' ',
    })
}
