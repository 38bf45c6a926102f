//! A Sigstore on loopback: an authority of keyless signing, a transparency log and a timestamp authority,
//! and a mirror with the trusted root that believes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::fulcio::Fulcio;
use crate::issuing;
use crate::rekor::{self, Rekor};
use crate::timestamps::TimestampAuthority;
use crate::tuf::{self, TufMirror};

/// What the authorities are called in a trusted root.
const NAME: &str = "windlass sandbox";

/// Why a Sigstore did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An authority did not start.
    #[error(transparent)]
    Authority(#[from] issuing::StartError),
    /// The log did not start.
    #[error(transparent)]
    Log(#[from] rekor::StartError),
    /// The mirror did not start.
    #[error(transparent)]
    Mirror(#[from] tuf::StartError),
}

/// The running servers. They stop when dropped; [`Sigstore::shutdown`] also waits.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use windlass_sandbox::sigstore::Sigstore;
///
/// let sigstore = Sigstore::start().await?;
/// let root = sigstore.trusted_root();
/// for kind in ["tlogs", "ctlogs", "certificateAuthorities", "timestampAuthorities"] {
///     assert_eq!(root[kind].as_array().map(Vec::len), Some(1));
/// }
/// sigstore.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Sigstore {
    /// It certifies keys.
    pub fulcio: Fulcio,
    /// The transparency log, in both versions.
    pub log: Rekor,
    /// It tells the time.
    pub times: TimestampAuthority,
    /// It has `trusted_root.json`, and `signing_config.v0.2.json` with the log as one of version 2.
    pub mirror: TufMirror,
}

impl Sigstore {
    /// Starts each on a free port of 127.0.0.1.
    pub async fn start() -> Result<Self, StartError> {
        let fulcio = Fulcio::start().await?;
        let log = Rekor::start(rekor::Options::default()).await?;
        let times = TimestampAuthority::start().await?;
        let root = trusted_root(&fulcio, &log, &times).to_string();
        let config = signing_config(&fulcio, &log, &times).to_string();
        let targets = [
            ("trusted_root.json", root.as_str()),
            ("signing_config.v0.2.json", &config),
        ];
        Ok(Self {
            mirror: TufMirror::start(&targets).await?,
            fulcio,
            log,
            times,
        })
    }

    /// The [`trusted_root`] of all three.
    pub fn trusted_root(&self) -> Value {
        trusted_root(&self.fulcio, &self.log, &self.times)
    }

    /// Stops all and waits for the end.
    pub async fn shutdown(self) {
        let Self {
            fulcio,
            log,
            times,
            mirror,
        } = self;
        fulcio.shutdown().await;
        log.shutdown().await;
        times.shutdown().await;
        mirror.shutdown().await;
    }
}

/// The trusted root of servers, as `trusted_root.json` of cosign has it. The log has the name in it by which
/// verifiers know the checkpoints of version 2.
pub fn trusted_root(fulcio: &Fulcio, log: &Rekor, times: &TimestampAuthority) -> Value {
    json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [a_log(&format!("https://{}", log.origin()), &log.public_key())],
        "ctlogs": [a_log("https://ctlog.sandbox", &fulcio.log_key_pem())],
        "certificateAuthorities": [an_authority(&fulcio.url(), &fulcio.chain_pem())],
        "timestampAuthorities": [an_authority(&times.url(), &times.chain_pem())],
    })
}

/// The signing configuration of servers, as `cosign signing-config create` has it.
fn signing_config(fulcio: &Fulcio, log: &Rekor, times: &TimestampAuthority) -> Value {
    let service = |url: String, version: u32| {
        json!([{
            "url": url, "majorApiVersion": version, "validFor": valid_for(), "operator": NAME,
        }])
    };
    json!({
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": service(fulcio.url(), 1),
        "oidcUrls": [],
        "rekorTlogUrls": service(log.url(), 2),
        "rekorTlogConfig": { "selector": "ANY" },
        "tsaUrls": service(times.url(), 1),
        "tsaConfig": { "selector": "ANY" },
    })
}

fn valid_for() -> Value {
    json!({ "start": "2020-01-01T00:00:00Z" })
}

/// A log by its public key, PEM.
fn a_log(url: &str, pem: &str) -> Value {
    let key = block(pem.lines());
    // what is made here is base64
    let id = Sha256::digest(STANDARD.decode(&key).unwrap_or_default());
    json!({
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": key, "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": valid_for(),
        },
        "logId": { "keyId": STANDARD.encode(id) },
    })
}

/// An authority by its certificates, PEM, the root last.
fn an_authority(url: &str, chain: &str) -> Value {
    let certificates = chain.split("-----END CERTIFICATE-----");
    let certificates = certificates
        .map(|pem| block(pem.lines()))
        .filter(|raw| !raw.is_empty());
    let certificates: Vec<Value> = certificates.map(|raw| json!({ "rawBytes": raw })).collect();
    json!({
        "subject": { "organization": NAME, "commonName": NAME },
        "uri": url,
        "certChain": { "certificates": certificates },
        "validFor": valid_for(),
    })
}

/// The base64 of a block of PEM.
fn block<'p>(lines: impl Iterator<Item = &'p str>) -> String {
    lines
        .map(str::trim)
        .filter(|line| !line.starts_with('-'))
        .collect()
}
