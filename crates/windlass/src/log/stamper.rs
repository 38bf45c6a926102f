//! A timestamp authority (RFC 3161): it tells when a signature was made, which a log of version 2 does not.
//!
//! Its response is believed if it answers the request, is about the signature, was made by the authority
//! of the settings, and is of a time within the validity of the certificate that signed.

use jiff::Timestamp;
use windlass_core::certificate::Details;
use windlass_core::config::Timestamps;
use windlass_core::key::Certificate;
use windlass_core::signed::{Identity, Signed};
use windlass_core::timestamp::{NONCE, Stamp, StampError, request};

use super::error::{LogError, StampFlaw};
use super::server::{Content, Server};
use crate::service::error::ServiceError;
use crate::sigstore::stamp::StampAuthority;
use crate::sigstore::unproven::Unproven;

const QUERY: &str = "application/timestamp-query";
const REPLY: &str = "application/timestamp-reply";

/// An authority.
#[derive(Debug)]
pub(super) struct Stamper {
    pub(super) server: Server,
    authority: StampAuthority,
    /// The certificate that signs timestamps.
    signer: Certificate,
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
        let signer = settings.chain.first();
        let signer = signer.ok_or_else(|| unusable("transparency.timestamp-chain is empty"))?;
        Ok(Self {
            server: Server::new("transparency.timestamp-url", &settings.url)?,
            authority: StampAuthority::new(&settings.chain).map_err(unusable)?,
            signer: signer.clone(),
        })
    }

    /// A timestamp of a signature that was made just now.
    pub(super) async fn stamp(&self, signed: &Signed) -> Result<Vec<u8>, LogError> {
        let host = self.server.host();
        let doing = format!("get a timestamp from {host}");
        let signature = signed.signature_bytes().ok_or(StampFlaw::Signature);
        let signature = signature.map_err(|flaw| self.flawed(flaw))?;
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce)
            .map_err(|_| ServiceError::new(&doing, "this machine has no random numbers"))?;
        let content = Content {
            body: &request(&signature, nonce),
            media_type: QUERY,
            accept: REPLY,
        };
        let answer = self.server.post(&doing, "", content).await?;
        if !answer.is_success() {
            return Err(answer.failure(&doing).into());
        }
        let now = Timestamp::now();
        let checked = self.check(&answer.body, signed, now).and_then(|stamp| {
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
        signed: &Signed,
        now: Timestamp,
    ) -> Result<Stamp, StampFlaw> {
        let signature = signed.signature_bytes().ok_or(StampFlaw::Signature)?;
        let stamp = Stamp::read(response)?;
        stamp.check(&signature, now)?;
        if !is_valid_at(&self.signer, stamp.time) {
            return Err(StampFlaw::AuthorityEnded);
        }
        let proved = self.authority.check(response, &signature);
        proved.map_err(flaw)?;
        match &*signed.identity {
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
