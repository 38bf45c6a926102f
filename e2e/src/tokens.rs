//! A token server for Debian's registry, which has none: who may pull and who may push.
//!
//! It speaks as much of HTTP as registry clients ask of it. Source: the registry's documentation,
//! "Token Authentication Specification" and "Token Authentication Implementation".

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value, json};
use windlass_core::key::PrivateKey;

/// What tokens are issued for and by.
pub(crate) const SERVICE: &str = "windlass-e2e";
/// How long a token holds, in seconds.
const LIFETIME: u64 = 300;
/// Bytes of each half of a signature.
const HALF: usize = 32;

/// A user, with name and password, and whether the user may push.
#[derive(Debug, Clone, Copy)]
pub(crate) struct User {
    pub(crate) name: &'static str,
    pub(crate) password: &'static str,
    pub(crate) may_push: bool,
}

/// The server. It serves until the process ends.
#[derive(Debug)]
pub(crate) struct TokenServer {
    /// Where tokens are asked for.
    pub(crate) realm: String,
    /// The certificate that the registry is to trust.
    pub(crate) certificate: PathBuf,
}

struct Issuer {
    key: PrivateKey,
    certificate: Vec<u8>,
    users: Vec<User>,
}

impl TokenServer {
    pub(crate) fn start(folder: &Path, users: &[User]) -> Result<Self> {
        let key = PrivateKey::generate_p256(&[42; 32])?;
        let der = key.to_pkcs8_der()?;
        let pair =
            KeyPair::from_pkcs8_der_and_sign_algo(&der.as_slice().into(), &PKCS_ECDSA_P256_SHA256)?;
        let certificate = CertificateParams::new(vec![SERVICE.to_owned()])?.self_signed(&pair)?;
        let path = folder.join("tokens.crt");
        std::fs::write(&path, certificate.pem())?;
        let issuer = Arc::new(Issuer {
            key,
            certificate: certificate.der().to_vec(),
            users: users.to_vec(),
        });
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let realm = format!("http://{}/token", listener.local_addr()?);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let issuer = Arc::clone(&issuer);
                // a client that breaks off has no answer to lose
                std::thread::spawn(move || issuer.answer(&stream).ok());
            }
        });
        Ok(Self {
            realm,
            certificate: path,
        })
    }
}

impl Issuer {
    fn answer(&self, mut stream: &TcpStream) -> Result<()> {
        let mut lines = BufReader::new(stream).lines();
        let first = lines.next().context("no request")??;
        let target = first.split(' ').nth(1).context("no target")?.to_owned();
        let mut user = None;
        for line in lines {
            let line = line?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(": ").unwrap_or_default();
            if name.eq_ignore_ascii_case("authorization") {
                user = self.user(value);
            }
        }
        let (status, body) = match user {
            Some(user) => ("200 OK", json!({ "token": self.token(user, &target)? })),
            None => ("401 Unauthorized", json!({ "details": "who are you?" })),
        };
        let body = body.to_string();
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{body}"
        )?;
        Ok(())
    }

    fn user(&self, authorization: &str) -> Option<&User> {
        let encoded = authorization.strip_prefix("Basic ")?;
        let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        let (name, password) = decoded.split_once(':')?;
        let mut users = self.users.iter();
        users.find(|user| user.name == name && user.password == password)
    }

    /// A token for as much as the user may do of what is asked for.
    fn token(&self, user: &User, target: &str) -> Result<String> {
        let access: Vec<Value> = target
            .split(['?', '&'])
            .filter_map(|part| part.strip_prefix("scope="))
            .flat_map(|scopes| scopes.split(['+', ' ']).map(|scope| granted(user, scope)))
            .flatten()
            .collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let header = json!({
            "typ": "JWT", "alg": "ES256", "x5c": [STANDARD.encode(&self.certificate)],
        });
        let claims = json!({
            "iss": SERVICE, "sub": user.name, "aud": SERVICE, "jti": "1",
            "iat": now, "nbf": now - 5, "exp": now + LIFETIME,
            "access": access,
        });
        let [header, claims] =
            [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let text = format!("{header}.{claims}");
        let signature = self.key.sign(text.as_bytes())?;
        let signature = raw(&signature).context("a signature that is no sequence of two")?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn granted(user: &User, scope: &str) -> Option<Value> {
    let scope = scope
        .replace("%3A", ":")
        .replace("%2F", "/")
        .replace("%2C", ",");
    let (name, actions) = scope.strip_prefix("repository:")?.rsplit_once(':')?;
    let actions: Vec<&str> = actions
        .split(',')
        .filter(|action| user.may_push || *action == "pull")
        .collect();
    Some(json!({ "type": "repository", "name": name, "actions": actions }))
}

/// The two numbers of an ECDSA signature (DER), each as 32 bytes.
fn raw(der: &[u8]) -> Option<Vec<u8>> {
    let mut rest = der.get(2..)?;
    let mut raw = Vec::new();
    for _ in 0..2 {
        let length = usize::from(*rest.get(1)?);
        let number = rest.get(2..2 + length)?;
        let number = &number[number.len().saturating_sub(HALF)..];
        raw.resize(raw.len() + HALF - number.len(), 0);
        raw.extend_from_slice(number);
        rest = rest.get(2 + length..)?;
    }
    Some(raw)
}
