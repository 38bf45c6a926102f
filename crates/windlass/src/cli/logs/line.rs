//! A line of a log: its time, its text, and how it is shown.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use jiff::Timestamp;
use windlass_core::terminal::is_unsafe;

/// A line as the API server sends it: the time, a blank, the text.
pub(super) fn split(line: &[u8]) -> (Option<Timestamp>, &[u8]) {
    let blank = line.iter().position(|byte| *byte == b' ');
    let end = blank.unwrap_or(line.len());
    let time = str::from_utf8(&line[..end]).ok();
    match time.and_then(|time| time.parse().ok()) {
        Some(time) => (Some(time), line.get(end + 1..).unwrap_or_default()),
        None => (None, line),
    }
}

/// Where lines are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Screen {
    /// A terminal, which obeys control characters.
    Terminal,
    /// A file or program, which gets each byte as it was written.
    Other,
}

impl Screen {
    /// Where standard output goes.
    pub(super) fn here() -> Self {
        if std::io::stdout().is_terminal() {
            Self::Terminal
        } else {
            Self::Other
        }
    }

    /// Adds the text of a line to what is printed. On a terminal it may have colours and tabs; every
    /// other control character is written out.
    pub(super) fn add(self, text: &[u8], to: &mut Vec<u8>) {
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        match self {
            Self::Other => to.extend_from_slice(text),
            Self::Terminal => to.extend_from_slice(safe(&String::from_utf8_lossy(text)).as_bytes()),
        }
    }
}

/// The text with colours and without any other effect.
fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut has_colour = false;
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if let Some(length) = colour(rest) {
            safe.push_str(&rest[..length]);
            rest = &rest[length..];
            has_colour = true;
            continue;
        }
        if is_unsafe(character) && character != '\t' {
            let _ = write!(safe, "{}", character.escape_default());
        } else {
            safe.push(character);
        }
        rest = &rest[character.len_utf8()..];
    }
    if has_colour {
        safe.push_str("\u{1b}[0m");
    }
    safe
}

/// The length of a colour sequence at the beginning of a text: `ESC [ digits and semicolons m`.
fn colour(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix("\u{1b}[")?;
    let end = numbers.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    numbers[end..].starts_with('m').then_some(end + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_line_is_told_from_its_text() {
        let (time, text) = split(b"2026-01-01T00:00:01.5Z hello world");
        assert_eq!(time, "2026-01-01T00:00:01.5Z".parse().ok());
        assert_eq!(text, b"hello world");
        assert_eq!(split(b"2026-01-01T00:00:01Z").1, b"");
        assert_eq!(split(b"no time here"), (None, &b"no time here"[..]));
    }

    #[test]
    fn a_step_may_colour_a_terminal_and_do_nothing_else_to_it() {
        assert_eq!(safe("a\u{1b}[1;31mred\tx"), "a\u{1b}[1;31mred\tx\u{1b}[0m");
        assert_eq!(
            safe("\u{1b}[2J\u{1b}]0;x\u{7}"),
            "\\u{1b}[2J\\u{1b}]0;x\\u{7}"
        );
        assert_eq!(safe("\u{9b}31m \u{1b}[31"), "\\u{9b}31m \\u{1b}[31");
        let mut raw = Vec::new();
        Screen::Other.add(b"\x1b[2J\xff\r", &mut raw);
        assert_eq!(raw, b"\x1b[2J\xff");
    }
}
