//! Log entries of keys that the library cannot judge, judged with windlass's own checks: of keys on P-384 and P-521 with
//! any hash, of Ed25519 that signs a hash, and of RSA in a log of version 2. The library takes one hash for each kind of
//! key, compares SHA-256 with what an entry is about, and of the keys in entries of version 2 takes those on elliptic
//! curves.

use jiff::Timestamp;
use sigstore_trust_root::TrustedRoot;
use sigstore_types::bundle::{Bundle, MediaType, SignatureContent, TransparencyLogEntry};
use sigstore_types::{Artifact, KindVersion};
use windlass_core::error::Chain;
use windlass_core::key::{PublicKey, Scheme};
use windlass_core::tlog::{Entry, Kind, Logged, Promise, Proof, parse_bundled};
use windlass_core::trusted_root::origin;

use super::explain::{Explanation, UNKNOWN_LOG};
use super::policy::{Policy, Rule};

/// What is said of a signature without a timestamp where one is wanted.
pub(super) const WITHOUT_TIMESTAMP: &str =
    "it has no timestamp of an authority, which --use-signed-timestamps asks for";

/// A signature by a key, with what it is over.
pub(super) struct BySigner<'a> {
    key: &'a PublicKey,
    logged: Logged<'a>,
    signature: &'a [u8],
}

impl<'a> BySigner<'a> {
    /// The signature of a bundle, if the library cannot judge its entries.
    pub(super) fn beyond_library(
        key: &'a PublicKey,
        bundle: &'a Bundle,
        artifact: &'a Artifact<'_>,
    ) -> Option<Self> {
        let (logged, signature) = match (&bundle.content, artifact) {
            (SignatureContent::DsseEnvelope(envelope), _) => {
                let logged = Logged::Payload {
                    kind: &envelope.payload_type,
                    content: envelope.payload.as_bytes(),
                };
                (logged, envelope.signature.sig.as_bytes())
            }
            (SignatureContent::MessageSignature(message), Artifact::Blob(bytes)) => {
                (Logged::Message(bytes), message.signature.as_bytes())
            }
            _ => return None,
        };
        let scheme = key.verify(&logged.message(), signature).ok()?;
        let entries = &bundle.verification_material.tlog_entries;
        let is_v2 =
            |entry: &TransparencyLogEntry| entry.kind_version == KindVersion::HashedRekordV002;
        let is_known = match scheme {
            Scheme::EcdsaSha256 => key.algorithm() == "ECDSA P-256",
            Scheme::RsaSha256 => !entries.iter().any(is_v2),
            Scheme::Ed25519 => true,
            _ => false,
        };
        (!is_known && !entries.is_empty()).then_some(Self {
            key,
            logged,
            signature,
        })
    }

    /// Checks the entries and the timestamps of the bundle; the times that they tell. The error is the finding.
    pub(super) fn judge(
        &self,
        policy: Policy,
        found: &Explanation<'_>,
    ) -> Result<Vec<Timestamp>, String> {
        let material = &found.bundle.verification_material;
        let stamps = &material.timestamp_verification_data.rfc3161_timestamps;
        let mut times = found.stamped();
        if times.len() < stamps.len() {
            return Err(found.timestamp());
        }
        if policy.timestamp == Rule::Required && times.is_empty() {
            return Err(WITHOUT_TIMESTAMP.to_owned());
        }
        if policy.log == Rule::Required {
            times.extend(self.check_entries(found.bundle, found.root, found.now)?);
        }
        Ok(times)
    }

    /// Checks every entry; when the log says that they were added.
    fn check_entries(
        &self,
        bundle: &Bundle,
        root: &TrustedRoot,
        now: Timestamp,
    ) -> Result<Vec<Timestamp>, String> {
        let mut times = Vec::new();
        for wire in &bundle.verification_material.tlog_entries {
            // as for all keys, a promise alone is enough under tags, which are read as version 0.1
            let is_promise =
                wire.inclusion_proof.is_none() && bundle.media_type == MediaType::Bundle0_1;
            let entry = if is_promise {
                promised(wire).ok_or("the log entry is malformed")?
            } else {
                let text = serde_json::to_vec(wire).unwrap_or_default();
                parse_bundled(&text).map_err(|error| {
                    format!("the log entry cannot be judged with this key: {error}")
                })?
            };
            times.extend(self.check_entry((&entry, is_promise), root, now)?);
        }
        Ok(times)
    }

    fn check_entry(
        &self,
        (entry, is_promise): (&Entry, bool),
        root: &TrustedRoot,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, String> {
        let proposal = self
            .logged
            .proposal((entry.kind, &entry.body), self.key, self.signature);
        let proposal = proposal.ok_or("the log entry is of a kind that cannot be judged")?;
        let mut logs = root.tlogs.iter();
        let log = logs.find(|log| log.log_id.key_id.as_bytes() == entry.log_id);
        let log = log.ok_or(UNKNOWN_LOG)?;
        let key = PublicKey::from_der(log.public_key.raw_bytes.as_bytes())
            .map_err(|_| "the key of the log in the trusted root cannot be read")?;
        let checked = match entry.kind {
            Kind::HashedRekordV2 => {
                entry.check_v2(&proposal, &key, origin(&log.base_url).unwrap_or_default())
            }
            Kind::Dsse | Kind::HashedRekord | Kind::Intoto if is_promise => {
                entry.check_promise(&proposal, &key, now)
            }
            Kind::Dsse | Kind::HashedRekord | Kind::Intoto => entry.check(&proposal, &key, now),
        };
        checked.map_err(|error| format!("the log entry is not valid: {}", Chain(&error)))?;
        // what a log of version 2 says of the time is nothing
        let time = entry.promise.as_ref().map(|promise| promise.time);
        let time = time.and_then(|time| Timestamp::from_second(time).ok());
        let at = time.unwrap_or(now);
        let is_valid = log
            .public_key
            .valid_for
            .is_none_or(|range| range.contains(at));
        if !is_valid {
            return Err(format!("the key of the log was not valid at {at}"));
        }
        Ok(time)
    }
}

/// An entry of version 1 that the log has promised and that comes without a proof.
fn promised(wire: &TransparencyLogEntry) -> Option<Entry> {
    let kind = match wire.kind_version {
        KindVersion::DsseV001 => Kind::Dsse,
        KindVersion::HashedRekordV001 => Kind::HashedRekord,
        KindVersion::IntotoV002 => Kind::Intoto,
        _ => return None,
    };
    let promise = wire.inclusion_promise.as_ref()?;
    Some(Entry {
        kind,
        body: wire.canonicalized_body.as_bytes().to_vec(),
        log_id: wire.log_id.key_id.as_bytes().try_into().ok()?,
        index: wire.log_index.get(),
        promise: Some(Promise {
            time: wire.integrated_time?.as_second(),
            signature: promise.signed_entry_timestamp.as_bytes().to_vec(),
        }),
        proof: Proof {
            index: 0,
            size: 0,
            root: [0; 32],
            nodes: Vec::new(),
            checkpoint: String::new(),
        },
    })
}
