//! Fulcio's interface, version 2: a certificate for a key and an identity token.
//! Source: `fulcio.proto`, `CreateSigningCertificate`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use serde::Deserialize;
use serde_json::json;
use windlass_core::certificate::sct::Sct;
use windlass_core::config;
use windlass_core::identity_token::IdentityToken;
use windlass_core::key::{Certificate, KeyError, PrivateKey};
use zeroize::Zeroizing;

use super::error::{Flaw, KeylessError};
use crate::service::http::{Http, excess};

const ADDRESS: &str = "signers.x509.fulcio.address";
/// Most certificates of one response.
const MOST: usize = 8;

/// A certificate authority for identities.
pub(super) struct Fulcio {
    /// Ends without a slash.
    base: String,
}

/// What Fulcio gave.
pub(super) struct Issued {
    /// The certificate, and those up to the root.
    pub(super) chain: Vec<Certificate>,
    /// The promise of a log that is not in the certificate.
    pub(super) detached: Option<Sct>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    signed_certificate_embedded_sct: Option<WithChain>,
    signed_certificate_detached_sct: Option<WithChain>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WithChain {
    chain: Chain,
    /// The response of the log to a certificate, as JSON in base64.
    #[serde(default)]
    signed_certificate_timestamp: String,
}

#[derive(Deserialize)]
struct Chain {
    certificates: Vec<String>,
}

#[derive(Deserialize)]
struct Stamp {
    id: String,
    timestamp: u64,
    #[serde(default)]
    extensions: String,
    signature: String,
}

impl Fulcio {
    /// The one that the settings name.
    pub(super) fn of(settings: &config::X509) -> Result<Self, KeylessError> {
        let url = Self::address(settings)?;
        let base = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { base })
    }

    /// Its address. It may hold a password where it must not, so it is not repeated.
    pub(super) fn address(settings: &config::X509) -> Result<Url, KeylessError> {
        let malformed = |why: &str| {
            KeylessError::Settings(format!(
                "{ADDRESS} is no address of Fulcio: {why}; write https://HOST"
            ))
        };
        let url = Url::parse(settings.fulcio_address.expose());
        let url = url.map_err(|_| malformed("it is not a URL"))?;
        if !matches!(url.scheme(), "https" | "http") || !url.has_host() {
            return Err(malformed("it is not a URL"));
        }
        excess(&url).map_or(Ok(url), |why| Err(malformed(why)))
    }

    /// Fulcio and where it is, for people.
    pub(super) fn place(&self) -> String {
        format!("Fulcio at {}", self.base)
    }

    /// Asks for a certificate.
    pub(super) async fn issue(
        &self,
        http: &Http,
        token: &IdentityToken,
        key: &PrivateKey,
    ) -> Result<Issued, KeylessError> {
        let proof = key.sign(token.subject.as_bytes());
        let proof = STANDARD.encode(proof.map_err(KeylessError::Key)?);
        let body = json!({
            "credentials": { "oidcIdentityToken": token.text.expose() },
            "publicKeyRequest": {
                "publicKey": { "algorithm": "ECDSA", "content": key.public_key().to_pem() },
                "proofOfPossession": proof,
            },
        });
        let body = Zeroizing::new(body.to_string());
        let url = format!("{}/api/v2/signingCert", self.base);
        let doing = format!("get a certificate of {}", self.place());
        let request = |client: &Client| {
            let request = client.post(&url).header(CONTENT_TYPE, "application/json");
            request.body(body.as_str().to_owned())
        };
        let answer = http.send(&doing, request).await?;
        if let Some((what, remedy)) = refusal(answer.status) {
            return Err(KeylessError::Refused {
                place: self.place(),
                what,
                status: answer.status,
                remedy,
            });
        }
        let response: Response = answer.json(&doing)?;
        Issued::of(response).map_err(|source| self.unusable(Flaw::Unreadable(source)))
    }

    /// What it gave is of no use.
    pub(super) fn unusable(&self, source: Flaw) -> KeylessError {
        KeylessError::Certificate {
            place: self.place(),
            source,
        }
    }
}

/// What is not accepted, and what to do about it.
fn refusal(status: u16) -> Option<(&'static str, &'static str)> {
    match status {
        400 | 401 | 403 => Some((
            "the identity token",
            "see that it knows the issuer of the token, that the token is for its audience, and that \
             the clocks agree",
        )),
        404 | 405 => Some((
            "the request",
            "see that signers.x509.fulcio.address, or --fulcio-url, leads to Fulcio, of version 1.0 or \
             newer",
        )),
        _ => None,
    }
}

impl Issued {
    /// The error is what is wrong with a certificate; none if there is no certificate at all.
    fn of(response: Response) -> Result<Self, Option<KeyError>> {
        let embedded = response.signed_certificate_embedded_sct;
        let given = embedded.or(response.signed_certificate_detached_sct);
        let given = given.ok_or(None)?;
        let certificates = given.chain.certificates.iter().take(MOST + 1);
        let read = certificates.map(|pem| Certificate::from_pem(pem.as_bytes()));
        let chain: Vec<Certificate> = read.collect::<Result<_, _>>().map_err(Some)?;
        if chain.is_empty() || chain.len() > MOST {
            return Err(None);
        }
        let detached = match given.signed_certificate_timestamp.as_str() {
            "" => None,
            text => Some(stamp(text).ok_or(None)?),
        };
        Ok(Self { chain, detached })
    }

    /// The certificate, and the one that issued it.
    pub(super) fn leaf_and_issuer(&self) -> Result<(&Certificate, &Certificate), Flaw> {
        match self.chain.as_slice() {
            [leaf, issuer, ..] => Ok((leaf, issuer)),
            _ => Err(Flaw::Unreadable(None)),
        }
    }
}

fn stamp(text: &str) -> Option<Sct> {
    let json = STANDARD.decode(text).ok()?;
    let stamp: Stamp = serde_json::from_slice(&json).ok()?;
    let decoded = |text: &str| STANDARD.decode(text).ok();
    let log = decoded(&stamp.id)?.try_into().ok()?;
    let (extensions, signature) = (decoded(&stamp.extensions)?, decoded(&stamp.signature)?);
    Sct::new(log, stamp.timestamp, extensions, &signature)
}
