//! Input of a bounded size: a file, or standard input.

use std::convert::Infallible;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, StdinLock};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

/// Largest payload, signature or envelope that is read, in bytes.
pub(crate) const MAX_CONTENT: usize = 512 << 20;

/// Whether standard input has a reader.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// Standard input, for whoever asks first. A second reader would get nothing and take that for an empty
/// file or password.
pub(crate) fn take_stdin() -> io::Result<StdinLock<'static>> {
    if IS_TAKEN.swap(true, Ordering::Relaxed) {
        return Err(io::Error::other(
            "standard input has been read for something else; it can be read for one thing only, so give a file",
        ));
    }
    Ok(io::stdin().lock())
}

/// A file, or standard input, which is typed as `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    Stdin,
    File(PathBuf),
}

impl FromStr for Input {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::of(text))
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("standard input"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Input {
    /// What is typed.
    pub(crate) fn of(text: &str) -> Self {
        if text == "-" {
            Self::Stdin
        } else {
            Self::File(PathBuf::from(text))
        }
    }

    /// Reads everything; more than `limit` bytes are an error of the kind `FileTooLarge`.
    pub(crate) fn read(&self, limit: usize) -> io::Result<Vec<u8>> {
        match self {
            Self::Stdin => read(take_stdin()?, limit),
            Self::File(path) => read(File::open(path)?, limit),
        }
    }
}

fn read(from: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        let told = format!("it has more than {limit} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, told));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_of_exactly_the_limit_is_read_and_more_is_refused() {
        assert_eq!(read(&b"abc"[..], 3).unwrap(), b"abc");
        let error = read(&b"abcd"[..], 3).unwrap_err();
        assert_eq!(error.to_string(), "it has more than 3 bytes");
    }
}
