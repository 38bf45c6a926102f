//! Errors in one line, together with what caused them.

use std::error::Error;
use std::fmt;

/// An error and its causes, outermost first, with a colon between them. Libraries often repeat a cause
/// in the text of the error it caused: such a cause is left out.
///
/// ```
/// use windlass_core::error::Chain;
/// use windlass_core::dsse::Envelope;
///
/// let error = Envelope::from_json(b"").unwrap_err();
/// assert!(Chain(&error).to_string().ends_with("}: it is empty"));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Chain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = self.0.to_string();
        f.write_str(&last)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            if !last.contains(&text) {
                write!(f, ": {text}")?;
                last = text;
            }
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

    #[derive(Debug, thiserror::Error)]
    #[error("failed to read ({cause})")]
    struct Repetitive {
        #[source]
        cause: Failure,
    }

    #[test]
    fn a_cause_that_is_in_the_text_of_its_error_is_not_repeated() {
        let end = Failure {
            doing: "open",
            cause: None,
        };
        let cause = Failure {
            doing: "parse",
            cause: Some(Box::new(end)),
        };
        let text = Chain(&Repetitive { cause }).to_string();
        assert_eq!(text, "failed to read (cannot parse): cannot open");
    }
}
