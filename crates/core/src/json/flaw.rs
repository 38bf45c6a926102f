//! What is wrong with a text that should be JSON, told in one short line.

use std::error::Error;
use std::fmt;

use crate::terminal::is_unsafe;

/// Longest message, in characters, without the place that follows it.
const LONGEST: usize = 160;

/// What is wrong with a JSON text, and where. The message of the parser may repeat a value whole;
/// here it is cut after 160 characters, and letters that are unsafe to show are left out.
///
/// ```
/// use windlass_core::json::Flaw;
///
/// let error = serde_json::from_str::<u8>("\"seven\"").unwrap_err();
/// let flaw = Flaw::from(error).to_string();
/// assert_eq!(flaw, "invalid type: string \"seven\", expected u8 at line 1 column 7");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    message: String,
    /// Empty where the parser names no place.
    place: String,
}

impl From<serde_json::Error> for Flaw {
    fn from(error: serde_json::Error) -> Self {
        let text = error.to_string();
        let place = match error.line() {
            0 => String::new(),
            line => format!(" at line {line} column {}", error.column()),
        };
        if error.is_eof() {
            return Self::cut_off((error.line(), error.column()), place);
        }
        let message = text.strip_suffix(&place).unwrap_or(&text);
        let message = match message {
            "expected value" | "expected ident" => "there is no JSON value",
            other => other,
        };
        let mut safe = message.chars().filter(|letter| !is_unsafe(*letter));
        let mut message: String = safe.by_ref().take(LONGEST).collect();
        if safe.next().is_some() {
            message.push('…');
        }
        Self { message, place }
    }
}

impl Flaw {
    /// What is wrong with a text that ends there, and should not.
    fn cut_off(end: (usize, usize), place: String) -> Self {
        let (message, place) = match end {
            (1, 0) => ("it is empty", String::new()),
            _ => ("it ends too early", place),
        };
        Self {
            message: message.to_owned(),
            place,
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.message, self.place)
    }
}

impl Error for Flaw {}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaw(text: &str) -> String {
        Flaw::from(serde_json::from_str::<u8>(text).unwrap_err()).to_string()
    }

    #[test]
    fn a_long_value_is_cut_and_the_place_is_kept() {
        let text = flaw(&format!("\n\"{}\"", "ä".repeat(5_000)));
        assert!(text.starts_with("invalid type: string \"ää"), "{text}");
        assert!(text.ends_with("ä… at line 2 column 10002"), "{text}");
        assert!(text.chars().count() < 200, "{text}");
    }

    #[test]
    fn what_is_cut_off_or_no_json_is_told_in_plain_words() {
        for (text, told) in [
            ("", "it is empty"),
            ("\"a", "it ends too early at line 1 column 2"),
            ("\n", "it ends too early at line 2 column 0"),
            ("hello", "there is no JSON value at line 1 column 1"),
            ("no", "there is no JSON value at line 1 column 2"),
        ] {
            let error = serde_json::from_str::<serde_json::Value>(text).unwrap_err();
            assert_eq!(Flaw::from(error).to_string(), told, "{text}");
        }
    }

    #[test]
    fn letters_that_are_unsafe_to_show_are_left_out() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}
        let error = serde_json::from_str::<Nothing>(r#"{"a\u001b[2J\u202eb":1}"#).unwrap_err();
        let text = Flaw::from(error).to_string();
        assert!(text.starts_with("unknown field `a[2Jb`"), "{text}");
    }
}
