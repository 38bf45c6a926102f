//! A timestamp authority (RFC 3161): it tells when a signature was made, which a log of version 2 does not.
//!
//! It is asked about the signature, and about the whole envelope where cosign looks for that. Its response
//! is believed if it answers the request, is about the same, was made by an authority
//! that is trusted, and is of a time within the validity of the certificate that signed. A command may
//! trust none: then everything but the signer is checked, and the command says so.

use std::borrow::Cow;

use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};
use windlass_core::certificate::Details;
use windlass_core::config::{Endpoint, Timestamps};
use windlass_core::key::Certificate;
use windlass_core::signed::{Identity, Signed, Stamped};
use windlass_core::time_range::TimeRange;
use windlass_core::timestamp::{NONCE, Stamp, StampError, request};
use windlass_core::trusted_root::TimeAuthority;

use super::error::{LogError, StampFlaw};
use super::server::{Content, Server};
use crate::service::error::ServiceError;
use crate::sigstore::stamp::StampAuthority;
use crate::sigstore::unproven::Unproven;

const QUERY: &str = "application/timestamp-query";
const REPLY: &str = "application/timestamp-reply";
/// What it is called in errors.
pub(super) const AUTHORITY: &str = "timestamp authority";

/// An authority, and who may have signed what it gives.
#[derive(Debug)]
pub(crate) struct Stamper {
    pub(super) server: Server,
    signers: Signers,
}

/// Who may sign timestamps.
#[derive(Debug)]
enum Signers {
    /// One of these.
    Trusted(Vec<Trusted>),
    /// It is not known: nobody was named.
    Unknown,
}

#[derive(Debug)]
struct Trusted {
    authority: StampAuthority,
    /// The certificate that signs timestamps.
    signer: Certificate,
    valid_for: TimeRange,
}

impl Stamper {
    /// The one of the settings.
    pub(super) fn new(settings: &Timestamps) -> Result<Self, ServiceError> {
        let unusable = |why: &str| {
            ServiceError::new(
                "use the timestamp authority of transparency.timestamp-url",
                why,
            )
        };
        if settings.authorities.is_empty() {
            return Err(unusable("transparency.timestamp-chain is empty"));
        }
        let trusted = settings.authorities.iter().map(Trusted::new);
        let trusted: Result<Vec<_>, _> = trusted.collect();
        let trusted = trusted.map_err(unusable)?;
        Ok(Self {
            server: Server::new("transparency.timestamp-url", &settings.url)?,
            signers: Signers::Trusted(trusted),
        })
    }

    /// The one at an address, for a command: one of these has to sign, if any are named.
    pub(crate) fn of_command(
        url: &Endpoint,
        trusted: Option<&[TimeAuthority]>,
    ) -> Result<Self, ServiceError> {
        let unusable = |why: &str| ServiceError::new("use the timestamp authorities", why);
        let signers = match trusted {
            None => Signers::Unknown,
            Some(trusted) => {
                let trusted = trusted.iter().map(Trusted::new);
                let trusted: Result<Vec<_>, _> = trusted.collect();
                Signers::Trusted(trusted.map_err(unusable)?)
            }
        };
        Ok(Self {
            server: Server::new("--timestamp-server-url", url)?,
            signers,
        })
    }

    /// A timestamp of a signature that was made just now, or of its envelope, until a time.
    pub(crate) async fn stamp_until(
        &self,
        subject: (&Signed, Stamped),
        until: Instant,
    ) -> Result<Vec<u8>, LogError> {
        let stamp = timeout_at(until, self.stamp(subject)).await;
        stamp.unwrap_or_else(|_| {
            let host = self.server.host().to_owned();
            Err(LogError::Cut {
                what: AUTHORITY,
                host,
            })
        })
    }

    /// A timestamp of a signature that was made just now, or of its envelope.
    pub(super) async fn stamp(&self, subject: (&Signed, Stamped)) -> Result<Vec<u8>, LogError> {
        let host = self.server.host();
        let doing = format!("get a timestamp from {host}");
        let bytes = bytes_of(subject).map_err(|flaw| self.flawed(flaw))?;
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce)
            .map_err(|_| ServiceError::new(&doing, "this machine has no random numbers"))?;
        let content = Content {
            body: &request(&bytes, nonce),
            media_type: QUERY,
            accept: REPLY,
        };
        let answer = self.server.post(&doing, "", content).await?;
        if !answer.is_success() {
            return Err(answer.failure(&doing).into());
        }
        let now = Timestamp::now();
        let checked = self.check(&answer.body, subject, now).and_then(|stamp| {
            let answers = stamp.check_answer(nonce, now);
            answers.map_err(StampFlaw::from)
        });
        checked.map_err(|flaw| self.flawed(flaw))?;
        Ok(answer.body.to_vec())
    }

    /// Checks a response whenever it was made.
    pub(super) fn check(
        &self,
        response: &[u8],
        subject: (&Signed, Stamped),
        now: Timestamp,
    ) -> Result<Stamp, StampFlaw> {
        let bytes = bytes_of(subject)?;
        let stamp = Stamp::read(response)?;
        stamp.check(&bytes, now)?;
        self.signers.check(response, &bytes, stamp.time)?;
        match &*subject.0.identity {
            Identity::Certificate { leaf, .. } if !is_valid_at(leaf, stamp.time) => {
                Err(StampFlaw::CertificateEnded)
            }
            _ => Ok(stamp),
        }
    }

    fn flawed(&self, source: StampFlaw) -> LogError {
        LogError::Stamp {
            host: self.server.host().to_owned(),
            source,
        }
    }
}

/// The bytes that a timestamp is asked for.
fn bytes_of((signed, what): (&Signed, Stamped)) -> Result<Cow<'_, [u8]>, StampFlaw> {
    let bytes = signed.stamped_bytes(what);
    bytes.ok_or(match what {
        Stamped::Signature => StampFlaw::Signature,
        Stamped::Envelope => StampFlaw::Envelope,
    })
}

impl Signers {
    /// Whether one of them signed a response about these bytes, of this time.
    fn check(&self, response: &[u8], stamped: &[u8], time: Timestamp) -> Result<(), StampFlaw> {
        let Self::Trusted(trusted) = self else {
            return Ok(());
        };
        let mut flaws = Vec::new();
        for one in trusted {
            match one.check(response, stamped, time) {
                Ok(()) => return Ok(()),
                Err(flaw) => flaws.push(flaw),
            }
        }
        // one that has ended is not the one to complain of while there is another
        let current = flaws
            .iter()
            .find(|flaw| **flaw != StampFlaw::AuthorityEnded);
        let flaw = current.or(flaws.first()).copied();
        Err(flaw.unwrap_or(StampFlaw::Signer))
    }
}

impl Trusted {
    fn new(authority: &TimeAuthority) -> Result<Self, &'static str> {
        let signer = authority.chain.first().ok_or("one has no certificates")?;
        Ok(Self {
            authority: StampAuthority::new(&authority.chain)?,
            signer: signer.clone(),
            valid_for: authority.valid_for,
        })
    }

    fn check(&self, response: &[u8], stamped: &[u8], time: Timestamp) -> Result<(), StampFlaw> {
        if !self.valid_for.has(time) || !is_valid_at(&self.signer, time) {
            return Err(StampFlaw::AuthorityEnded);
        }
        self.authority.check(response, stamped).map_err(flaw)
    }
}

fn flaw(unproven: Unproven) -> StampFlaw {
    match unproven {
        Unproven::Malformed => StampError::Malformed.into(),
        Unproven::Signer => StampFlaw::Signer,
        Unproven::Chain => StampFlaw::Chain,
    }
}

/// Whether a certificate is valid at a time.
fn is_valid_at(certificate: &Certificate, time: Timestamp) -> bool {
    Details::of(certificate)
        .is_ok_and(|details| details.not_before() <= time && time <= details.not_after())
}
