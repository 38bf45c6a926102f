//! What is written to standard error, for people.

use std::io::Write as _;

use super::{clean, look};

/// Writes lines to standard error, where they are no part of the output. What they quote of files, of
/// the cluster or of a registry is made safe for a terminal.
pub(crate) fn note(text: &str) {
    let lines: Vec<_> = text.split('\n').map(clean::line).collect();
    say(&format!("{}\n", lines.join("\n")));
}

/// Writes an error to standard error; its first word is coloured on a terminal.
pub(crate) fn error(text: &str) {
    let lines: Vec<_> = text.split('\n').map(clean::line).collect();
    let word = look::Look::of_stderr().alarm("error:");
    say(&format!("{word} {}\n", lines.join("\n")));
}

/// Writes to standard error. A reader that went away is no error, and there is nobody to tell of others.
pub(crate) fn say(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Writes warnings to standard error.
pub(crate) fn warn(warnings: &[String]) {
    for warning in warnings {
        note(&format!("warning: {}", clean::line(warning)));
    }
}
