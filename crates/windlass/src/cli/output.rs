//! What is printed, shared by all verbs. Formats for programs ([`Format`]) print values unchanged; views
//! for people go through [`clean`].

use std::io::Write;
use std::ops::ControlFlow;

use anyhow::Context;

pub(crate) use self::format::{Format, ObjectFormat};
pub(crate) use self::messages::{error, note, say, warn};

pub(crate) mod age;
pub(crate) mod cells;
pub(crate) mod clean;
mod format;
pub(crate) mod look;
mod messages;
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
