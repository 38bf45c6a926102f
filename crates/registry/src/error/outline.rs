//! Outlines: errors in windlass's own words, for places that others read.
//!
//! A registry chooses more than its messages: the hosts that it refers to, digests that it states, the
//! names in its certificate. An outline has none of it. It says what was being done in which repository,
//! the HTTP status, and the code if that is a known one.

use std::fmt;

use super::{At, Attempt, Error, RegistryMessage, advice};

/// An error without anything that a registry chose.
#[derive(Debug, Clone, Copy)]
pub struct Outline<'a>(pub(super) &'a Error);

impl Error {
    /// The error without anything that the registry chose, for those who may not see what it was
    /// sent.
    pub fn outline(&self) -> Outline<'_> {
        Outline(self)
    }
}

impl fmt::Display for Outline<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = self.0;
        write!(f, "{}: ", error.at().outline())?;
        match error {
            Error::Denied {
                at,
                attempts,
                remedy,
            } => {
                f.write_str("access denied with every credential: ")?;
                for (number, attempt) in attempts.iter().enumerate() {
                    let comma = if number == 0 { "" } else { "; " };
                    write!(f, "{comma}{}", AttemptOutline(attempt))?;
                }
                write!(f, "; {}", remedy.of(at))
            }
            Error::Status {
                status, message, ..
            } => write!(f, "HTTP {status}{}; {}", Code(message), advice(*status)),
            Error::ImmutableTag {
                status, message, ..
            } => write!(f, "HTTP {status}{}; {}", Code(message), super::IMMUTABLE),
            Error::Transport { at, host, .. } => write!(
                f,
                "no complete response from {}; check that it can be reached from here",
                Host { at, host }
            ),
            Error::Unresolved { at, host, source } => {
                write!(f, "could not look up {}: {source}", Host { at, host })
            }
            Error::Slow { at, host, time } => write!(
                f,
                "the response of {} did not arrive within {} s; try again later",
                Host { at, host },
                time.as_secs()
            ),
            Error::Silent { at, host, after } => write!(
                f,
                "no complete response from {} within {after:?}; check that it can be reached from \
                 here",
                Host { at, host }
            ),
            Error::ListTooLarge { limit, .. } => {
                write!(f, "the list is larger than the limit of {limit} bytes")
            }
            Error::Busy { .. } => {
                f.write_str("too many large responses are being read at once; try again later")
            }
            Error::Untrusted { at, host, .. } => write!(
                f,
                "the certificate of {} is not trusted; add its authority to the trusted \
                 certificates",
                Host { at, host }
            ),
            Error::ClientCertificate { at, host, .. } => write!(
                f,
                "{host} requires a client certificate; put NAME.cert and NAME.key into certs.d; the \
                 controller presents it for repositories in registries.shared-credentials only",
                host = Host { at, host }
            ),
            Error::NotTls { at, host, .. } => write!(
                f,
                "{} does not speak TLS; allow plain HTTP for it (storage.oci.repository.insecure)",
                Host { at, host }
            ),
            Error::TooLarge { limit, .. } => {
                write!(f, "the response is larger than the limit of {limit} bytes")
            }
            Error::TooMany { limit, .. } => {
                write!(f, "the list has more than the limit of {limit} entries")
            }
            Error::Digest { .. } => f.write_str(
                "the content does not have the digest that was requested or stated; do not trust it",
            ),
            Error::Malformed { what, .. } => {
                write!(f, "the response breaks the specification: {what}")
            }
            Error::Redirect { why, .. } => {
                write!(f, "a redirect to another host is not followed: {why}")
            }
            Error::Forbidden { at, host, why } => {
                write!(f, "{} is not connected to: {why}", Host { at, host })
            }
            Error::Contended { rounds, .. } => write!(
                f,
                "the entry was overwritten by other writers {rounds} times; try again later"
            ),
            Error::Refused { why, .. } => f.write_str(why),
        }
    }
}

impl At {
    /// The operation without the name of its object, and the repository.
    fn outline(&self) -> impl fmt::Display {
        let is_plain = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase());
        let words = self.doing.split(' ').take_while(is_plain);
        let mut words: Vec<&str> = words.collect();
        if matches!(words.last(), Some(&("of" | "to"))) {
            words.pop();
        }
        format!("could not {} in {}", words.join(" "), self.repository)
    }
}

/// The known code of a message.
struct Code<'a>(&'a RegistryMessage);

impl fmt::Display for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.known_code() {
            Some(code) => write!(f, ", {code}"),
            None => Ok(()),
        }
    }
}

/// A host: the registry that the run names, or one that the registry refers to.
struct Host<'a> {
    at: &'a At,
    host: &'a str,
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let registry = self.at.repository.registry();
        let plain = registry
            .strip_suffix(":443")
            .or_else(|| registry.strip_suffix(":80"));
        let registry = plain.unwrap_or(registry);
        if registry.eq_ignore_ascii_case(self.host) {
            return f.write_str(self.host);
        }
        f.write_str("a host that the registry refers to")
    }
}

/// An attempt without the words of the registry.
struct AttemptOutline<'a>(&'a Attempt);

impl fmt::Display for AttemptOutline<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attempt = self.0;
        f.write_str(&attempt.source)?;
        if let Some(key) = &attempt.key {
            write!(f, " (for {key})")?;
        }
        match attempt.status {
            Some(status) => write!(f, ": HTTP {status}")?,
            None => f.write_str(": not used")?,
        }
        match attempt.note.as_deref().or(attempt.code) {
            Some(note) => write!(f, ", {note}"),
            None => Ok(()),
        }
    }
}
