//! A key with a certificate that was checked, and when it may be used.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use windlass_core::certificate::{Authority, Details};
use windlass_core::key::{Certificate, PrivateKey};
use windlass_core::seal::LARGEST_CERTIFICATE;
use windlass_core::signed::Identity;

use super::error::Flaw;
use super::fulcio::Issued;
use super::trust::Trusted;
use crate::sign::key_signer::KeySigner;

/// How far the clock of Fulcio may be ahead.
const AHEAD: SignedDuration = SignedDuration::from_secs(60);
/// Least validity that is left when something is signed: time to log it.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);
/// How long one key is used at most, whatever its certificate says.
const LONGEST: SignedDuration = SignedDuration::from_secs(3600);
/// Largest chain, as PEM. It is stored with every signature.
const LARGEST_CHAIN: usize = 16 << 10;

/// A key with its certificate.
#[derive(Debug)]
pub(super) struct Certified {
    pub(super) signer: KeySigner,
    /// Who issues such certificates, and for whom.
    pub(super) authority: Authority,
    /// When another one is due.
    due: Timestamp,
    /// When it is no longer used.
    until: Timestamp,
}

impl Certified {
    /// Checks what Fulcio gave for a key.
    pub(super) fn of(
        key: PrivateKey,
        issued: &Issued,
        trusted: &Trusted,
        now: Timestamp,
    ) -> Result<Self, Flaw> {
        let (leaf, next) = issued.leaf_and_issuer()?;
        if leaf.public_key() != key.public_key() {
            return Err(Flaw::OtherKey);
        }
        let rest = issued.chain.get(1..).unwrap_or_default();
        let chain: String = rest.iter().map(Certificate::to_pem).collect();
        for (size, limit) in [
            (leaf.der().len(), LARGEST_CERTIFICATE),
            (chain.len(), LARGEST_CHAIN),
        ] {
            if size > limit {
                return Err(Flaw::TooLarge { limit });
            }
        }
        let authority = Authority::of(leaf, next)?;
        check_chain(rest, now)?;
        trusted.check_root(rest, now)?;
        trusted.check_log(issued, now)?;
        let details = Details::of(leaf)?;
        check_time(&details, now)?;
        let (begins, ends) = (details.not_before(), details.not_after());
        let lifetime = ends.duration_since(begins).min(LONGEST);
        let margin = MARGIN.min(lifetime / 5);
        let identity = Identity::Certificate {
            leaf: leaf.clone(),
            chain,
        };
        Ok(Self {
            signer: KeySigner::certified(key, Arc::new(identity)),
            authority,
            due: begins + lifetime * 2 / 3,
            until: (begins + lifetime).min(ends) - margin,
        })
    }

    /// Whether nothing has to be done about it.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.due && self.is_usable(now)
    }

    /// Whether something may be signed with it.
    pub(super) fn is_usable(&self, now: Timestamp) -> bool {
        now < self.until
    }
}

/// Checks that each certificate was issued by the next and is valid.
fn check_chain(chain: &[Certificate], now: Timestamp) -> Result<(), Flaw> {
    for pair in chain.windows(2) {
        let [one, next] = pair else { continue };
        Details::of(one)?.check_issuer(next)?;
    }
    for one in chain {
        check_time(&Details::of(one)?, now)?;
    }
    Ok(())
}

fn check_time(details: &Details<'_>, now: Timestamp) -> Result<(), Flaw> {
    const CLOCK: &str = "see that the clock of this machine is right";
    let (begins, ends) = (details.not_before(), details.not_after());
    if begins > now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX) {
        let by = begins.duration_since(now).as_secs();
        return Err(Flaw::Time(format!(
            "it begins to be valid {by} s from now; {CLOCK}"
        )));
    }
    if ends <= now {
        let by = now.duration_since(ends).as_secs();
        return Err(Flaw::Time(format!("it ended {by} s ago; {CLOCK}")));
    }
    Ok(())
}
