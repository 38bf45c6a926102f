//! A signer without a key of its own: one certificate for many signatures, replaced in time.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Mutex, Notify};
use tokio::time::Instant;
use windlass_core::certificate::Authority;
use windlass_core::error::Chain;
use windlass_core::key::PrivateKey;
use windlass_core::signed::{Identity, Repeatability, Signature};

use super::certified::Certified;
use super::error::KeylessError;
use super::fulcio::Fulcio;
use super::means::Means;
use super::source::Source;
use super::trust::Trusted;
use crate::service::http::{Http, QUICK};
use crate::sign::error::SignError;

/// What its signatures are: the next one may be by another key.
pub(crate) const REPEATABILITY: Repeatability = Repeatability::Unique;

/// How long Fulcio is left alone after a failure, while the certificate can still be used.
const PAUSE: Duration = Duration::from_secs(20);

/// A signer whose keys have certificates that name it.
pub struct KeylessSigner {
    line: Line,
    /// Who issues the certificates, and whom they name.
    authority: Authority,
    current: StdMutex<Arc<Certified>>,
    /// Whoever has it asks for a certificate; not before then.
    turn: Mutex<Instant>,
    /// A signature could not be made for want of a certificate.
    has_failed: AtomicBool,
    /// Told when there is no certificate, so that the signer is looked at.
    doubt: Arc<Notify>,
}

/// What a certificate takes.
struct Line {
    means: Means,
    http: Http,
    fulcio: Fulcio,
    trusted: Trusted,
}

impl fmt::Debug for KeylessSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeylessSigner")
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}

impl KeylessSigner {
    /// Gets a first certificate.
    pub(crate) async fn open(means: &Means, doubt: &Arc<Notify>) -> Result<Self, KeylessError> {
        let line = Line {
            http: Http::new(Vec::new(), QUICK)?,
            fulcio: Fulcio::of(&means.settings)?,
            trusted: Trusted::of(&means.settings)?,
            means: means.clone(),
        };
        let first = line.certify().await?;
        Ok(Self {
            authority: first.authority.clone(),
            line,
            current: StdMutex::new(Arc::new(first)),
            turn: Mutex::new(Instant::now()),
            has_failed: AtomicBool::new(false),
            doubt: Arc::clone(doubt),
        })
    }

    /// Sees that there is a certificate again, if one was missing. Otherwise it is left to end: an idle
    /// controller asks for none.
    pub(crate) async fn look(&self) -> Result<(), KeylessError> {
        if self.has_failed.load(Ordering::Relaxed) {
            self.certified().await?;
            self.has_failed.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Signs with the key of a valid certificate.
    pub(crate) async fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        let certified = self.certified().await.map_err(|error| {
            self.has_failed.store(true, Ordering::Relaxed);
            self.doubt.notify_one();
            SignError::Keyless(Box::new(error))
        })?;
        certified.signer.sign_once(message).await
    }

    /// A certificate that can be used now. One asks for another, the others wait for that only if
    /// there is no other way.
    async fn certified(&self) -> Result<Arc<Certified>, KeylessError> {
        let current = self.current();
        let now = Timestamp::now();
        if current.is_fresh(now) {
            return Ok(current);
        }
        if !current.is_usable(now) {
            let mut turn = self.turn.lock().await;
            let current = self.current();
            if current.is_usable(Timestamp::now()) {
                return Ok(current);
            }
            return self.renew(&mut turn).await;
        }
        match self.turn.try_lock() {
            Ok(mut turn) if *turn <= Instant::now() && !self.current().is_fresh(now) => {
                let renewed = self.renew(&mut turn).await;
                Ok(renewed.unwrap_or_else(|error| {
                    tracing::warn!("{}; the certificate is used to its end", Chain(&error));
                    current
                }))
            }
            _ => Ok(self.current()),
        }
    }

    async fn renew(&self, turn: &mut Instant) -> Result<Arc<Certified>, KeylessError> {
        let certified = self.line.certify().await;
        if certified.is_err() {
            *turn = Instant::now() + PAUSE;
        }
        let certified = certified?;
        if certified.authority != self.authority {
            self.doubt.notify_one();
            return Err(KeylessError::Changed {
                place: self.line.fulcio.place(),
            });
        }
        let certified = Arc::new(certified);
        *self.lock() = Arc::clone(&certified);
        tracing::debug!("another certificate was issued for {}", self.name());
        Ok(certified)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Arc<Certified>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> Arc<Certified> {
        Arc::clone(&self.lock())
    }

    /// Who issues the certificates, and whom they name.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The newest certificate.
    pub(crate) fn identity(&self) -> Arc<Identity> {
        Arc::clone(self.current().signer.identity())
    }

    /// Whom the certificates name, and who vouched for that, for people.
    pub(crate) fn name(&self) -> String {
        let (identity, issuer) = (self.authority.identity(), self.authority.issuer());
        format!(
            "the identity {identity} (issuer {issuer}) of {}",
            self.line.fulcio.place()
        )
    }

    /// What is not checked of the certificates, because nothing to check it with is known.
    pub(crate) fn gaps(&self) -> Vec<&'static str> {
        self.line.trusted.gaps()
    }
}

impl Line {
    /// Gets a certificate for a new key.
    async fn certify(&self) -> Result<Certified, KeylessError> {
        let source = Source::of(&self.means).await?;
        let token = source.token(&self.http, &self.means).await?;
        let issuer = self.means.settings.fulcio_issuer.as_deref();
        let usable = token.check(issuer, Timestamp::now());
        usable.map_err(|why| source.refuse(why))?;
        let key = generate()?;
        let given = self.fulcio.issue(&self.http, &token, &key).await?;
        let certified = Certified::of(key, &given, &self.trusted, Timestamp::now());
        certified.map_err(|flaw| self.fulcio.unusable(flaw))
    }
}

fn generate() -> Result<PrivateKey, KeylessError> {
    let mut random = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(random.as_mut()).map_err(|_| KeylessError::Random)?;
    PrivateKey::generate_p256(&random).map_err(|_| KeylessError::Random)
}
