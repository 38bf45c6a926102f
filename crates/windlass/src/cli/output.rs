//! What is printed, shared by all verbs. Formats for programs ([`Format`]) print values unchanged; views
//! for people go through [`clean`].

use std::io::Write;
use std::ops::ControlFlow;

use anyhow::Context;

pub(crate) use self::format::{Format, ObjectFormat};

pub(crate) mod age;
pub(crate) mod cells;
pub(crate) mod clean;
mod format;
pub(crate) mod look;
pub(crate) mod table;

/// Writes to standard output. A reader that went away is no error.
pub(crate) fn write(content: impl AsRef<[u8]>) -> anyhow::Result<()> {
    stream(content).map(drop)
}

/// The same for output that goes on and on: it breaks off if nobody reads it any more.
pub(crate) fn stream(content: impl AsRef<[u8]>) -> anyhow::Result<ControlFlow<()>> {
    let mut output = std::io::stdout().lock();
    let written = output.write_all(content.as_ref());
    match written.and_then(|()| output.flush()) {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(error) => Err(error).context("cannot write to standard output"),
    }
}

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
