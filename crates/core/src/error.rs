//! Errors in one line, together with what caused them.

use std::error::Error;
use std::fmt;

/// An error and its causes, outermost first, with a colon between them.
///
/// ```
/// use windlass_core::error::Chain;
/// use windlass_core::dsse::Envelope;
///
/// let error = Envelope::from_json(b"").unwrap_err();
/// assert!(Chain(&error).to_string().ends_with("}: EOF while parsing a value at line 1 column 0"));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Chain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            write!(f, ": {cause}")?;
            next = cause.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot {doing}")]
    struct Failure {
        doing: &'static str,
        #[source]
        cause: Option<Box<Failure>>,
    }

    #[test]
    fn causes_follow_the_error_they_caused() {
        let mut error = Failure {
            doing: "read",
            cause: None,
        };
        assert_eq!(Chain(&error).to_string(), "cannot read");
        for doing in ["parse", "load"] {
            let cause = Some(Box::new(error));
            error = Failure { doing, cause };
        }
        let text = Chain(&error).to_string();
        assert_eq!(text, "cannot load: cannot parse: cannot read");
    }
}
