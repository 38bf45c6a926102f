//! What the variables of Tekton Chains say of TLS: a certificate and its key, and whether clients have to
//! show a certificate. OpenShift's operator sets all of them.
//!
//! Combinations that Chains refuses are refused as well: metrics that were to be protected are not
//! served without protection.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

use crate::telemetry::address::Variable;

const CERT: &str = "METRICS_PROMETHEUS_TLS_CERT";
const KEY: &str = "METRICS_PROMETHEUS_TLS_KEY";
const CLIENT_AUTH: &str = "METRICS_PROMETHEUS_TLS_CLIENT_AUTH";
const CLIENT_CA: &str = "METRICS_PROMETHEUS_TLS_CLIENT_CA_FILE";
const MIN_VERSION: &str = "METRICS_PROMETHEUS_TLS_MIN_VERSION";
const MAX_VERSION: &str = "METRICS_PROMETHEUS_TLS_MAX_VERSION";
/// What is left to the TLS library, which has no weak ones.
const LEFT_OUT: [&str; 2] = [
    "METRICS_PROMETHEUS_TLS_CIPHER_SUITES",
    "METRICS_PROMETHEUS_TLS_CURVE_PREFERENCES",
];

/// How the metrics server protects itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    clients: Clients,
    versions: Versions,
}

/// Which clients are let in.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Clients {
    All,
    /// Those with a certificate of these authorities, and those without any.
    Optional(PathBuf),
    /// Those with a certificate of these authorities.
    Required(PathBuf),
}

/// Which versions of TLS are spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Versions {
    Only12,
    Only13,
    Both,
}

/// Why the variables cannot be followed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsVariableError {
    /// One without the other.
    #[error("cannot serve metrics: set both {CERT} and {KEY}, or neither")]
    Pair,
    /// Another word.
    #[error("cannot serve metrics: {CLIENT_AUTH} is {0:?}; set it to none, optional or require")]
    ClientAuth(String),
    /// Clients were to show certificates to a server without one.
    #[error("cannot serve metrics: {CLIENT_AUTH} and {CLIENT_CA} need {CERT} and {KEY}")]
    WithoutTls,
    /// No certificate of a client could be checked.
    #[error("cannot serve metrics: {CLIENT_AUTH} needs {CLIENT_CA}")]
    NoAuthority,
    /// Somebody meant to check clients, and nobody would.
    #[error("cannot serve metrics: {CLIENT_CA} needs {CLIENT_AUTH}; set it to optional or require")]
    UnusedAuthority,
    /// Another number.
    #[error("cannot serve metrics: {name} is {value:?}; set it to 1.2 or 1.3")]
    Version { name: &'static str, value: String },
    /// Nothing is between them.
    #[error("cannot serve metrics: {MIN_VERSION} is above {MAX_VERSION}")]
    NoVersion,
}

/// Why the files cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsFileError {
    /// A file does not exist, or is no PEM file with what it should contain.
    #[error("cannot read {}", path.display())]
    File { path: PathBuf, source: pem::Error },
    /// A certificate of an authority is none.
    #[error("cannot use an authority of {}", path.display())]
    Authority {
        path: PathBuf,
        source: rustls::Error,
    },
    /// There is no authority.
    #[error("cannot check the certificates of clients by {}", path.display())]
    Verifier {
        path: PathBuf,
        source: VerifierBuilderError,
    },
    /// The certificate and the key do not belong together, or are of a kind that is not supported.
    #[error("cannot use the certificate and its key")]
    Pair(#[source] rustls::Error),
}

impl Tls {
    /// What the variables ask for; `None` for plain HTTP.
    pub(crate) fn of_chains(variable: Variable<'_>) -> Result<Option<Self>, TlsVariableError> {
        let auth = variable(CLIENT_AUTH).unwrap_or_default();
        let authority = variable(CLIENT_CA).filter(|path| !path.trim().is_empty());
        let auth = match &*auth.trim().to_lowercase() {
            "" | "none" => None,
            "optional" => Some(Clients::Optional as fn(PathBuf) -> Clients),
            "require" => Some(Clients::Required as fn(PathBuf) -> Clients),
            _ => return Err(TlsVariableError::ClientAuth(auth)),
        };
        let (certificate, key) = match (variable(CERT), variable(KEY)) {
            (Some(certificate), Some(key)) => (certificate, key),
            (None, None) if auth.is_none() && authority.is_none() => return Ok(None),
            (None, None) => return Err(TlsVariableError::WithoutTls),
            _ => return Err(TlsVariableError::Pair),
        };
        let clients = match (auth, authority) {
            (None, None) => Clients::All,
            (Some(clients), Some(authority)) => clients(authority.trim().into()),
            (Some(_), None) => return Err(TlsVariableError::NoAuthority),
            (None, Some(_)) => return Err(TlsVariableError::UnusedAuthority),
        };
        Ok(Some(Self {
            certificate: certificate.into(),
            key: key.into(),
            clients,
            versions: Versions::of_chains(variable)?,
        }))
    }

    /// The variables that are set and have no effect.
    pub(crate) fn left_out(variable: Variable<'_>) -> Vec<&'static str> {
        let names = LEFT_OUT.iter().copied();
        names.filter(|name| variable(name).is_some()).collect()
    }

    /// What the files contain now.
    pub(super) fn load(&self) -> Result<Arc<ServerConfig>, TlsFileError> {
        let chain = certificates(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|source| unreadable(&self.key, source))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.versions.list())
            .map_err(TlsFileError::Pair)?;
        let builder = match &self.clients {
            Clients::All => builder.with_no_client_auth(),
            Clients::Optional(path) | Clients::Required(path) => {
                let roots = Arc::new(authorities(path)?);
                let mut verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                if matches!(self.clients, Clients::Optional(_)) {
                    verifier = verifier.allow_unauthenticated();
                }
                let failed = |source| TlsFileError::Verifier {
                    path: path.clone(),
                    source,
                };
                builder.with_client_cert_verifier(verifier.build().map_err(failed)?)
            }
        };
        let config = builder.with_single_cert(chain, key);
        let mut config = config.map_err(TlsFileError::Pair)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// All files.
    pub(super) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        let authority = match &self.clients {
            Clients::All => None,
            Clients::Optional(path) | Clients::Required(path) => Some(path),
        };
        [&self.certificate, &self.key].into_iter().chain(authority)
    }
}

impl Versions {
    /// TLS 1.3 alone, unless something else is said, as in Chains.
    fn of_chains(variable: Variable<'_>) -> Result<Self, TlsVariableError> {
        let is_13 = |name: &'static str| match variable(name).as_deref() {
            None | Some("1.3") => Ok(true),
            Some("1.2") => Ok(false),
            Some(value) => {
                let value = value.to_owned();
                Err(TlsVariableError::Version { name, value })
            }
        };
        match (is_13(MIN_VERSION)?, is_13(MAX_VERSION)?) {
            (true, true) => Ok(Self::Only13),
            (false, true) => Ok(Self::Both),
            (false, false) => Ok(Self::Only12),
            (true, false) => Err(TlsVariableError::NoVersion),
        }
    }

    fn list(self) -> Vec<&'static SupportedProtocolVersion> {
        match self {
            Self::Only12 => vec![&TLS12],
            Self::Only13 => vec![&TLS13],
            Self::Both => vec![&TLS13, &TLS12],
        }
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFileError> {
    let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    found.map_err(|source| unreadable(path, source))
}

fn authorities(path: &Path) -> Result<RootCertStore, TlsFileError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        let path = path.to_owned();
        let failed = |source| TlsFileError::Authority { path, source };
        roots.add(certificate).map_err(failed)?;
    }
    Ok(roots)
}

fn unreadable(path: &Path, source: pem::Error) -> TlsFileError {
    TlsFileError::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Tls>, TlsVariableError> {
        let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
        Tls::of_chains(&|name| variables.get(name).map(|value| (*value).to_owned()))
    }

    #[test]
    fn the_variables_of_the_operator_ask_for_certificates_of_clients() {
        let operator = [
            (CERT, "/etc/metrics-tls/tls.crt"),
            (KEY, "/etc/metrics-tls/tls.key"),
            (CLIENT_CA, "/etc/metrics-client-ca/client-ca.crt"),
            (CLIENT_AUTH, "require"),
        ];
        let tls = read(&operator).unwrap().unwrap();
        assert_eq!(
            tls.clients,
            Clients::Required("/etc/metrics-client-ca/client-ca.crt".into())
        );
        assert_eq!(tls.versions, Versions::Only13);
        let pair = &operator[..2];
        assert_eq!(read(pair).unwrap().unwrap().clients, Clients::All);
        let optional = [pair, &[(CLIENT_CA, "ca"), (CLIENT_AUTH, " Optional ")]].concat();
        let tls = read(&optional).unwrap().unwrap();
        assert_eq!(tls.clients, Clients::Optional("ca".into()));
        let older = [pair, &[(MIN_VERSION, "1.2")]].concat();
        assert_eq!(read(&older).unwrap().unwrap().versions, Versions::Both);
        assert_eq!(read(&[]).unwrap(), None);
        assert_eq!(read(&[(CLIENT_AUTH, "none")]).unwrap(), None);
    }

    #[test]
    fn no_combination_of_the_variables_leads_to_less_protection_than_was_meant() {
        let pair = [(CERT, "c"), (KEY, "k")];
        for more in [
            &[(CLIENT_AUTH, "yes")][..],
            &[(CLIENT_AUTH, "require")],
            &[(CLIENT_AUTH, "require"), (CLIENT_CA, " ")],
            &[(CLIENT_CA, "ca")],
            &[(MIN_VERSION, "1.1")],
            &[(MAX_VERSION, "1.2")],
        ] {
            let variables = [&pair, more].concat();
            assert!(read(&variables).is_err(), "{variables:?}");
        }
        for variables in [
            &[(CERT, "c")][..],
            &[(KEY, "k")],
            &[(CLIENT_AUTH, "require"), (CLIENT_CA, "ca")],
            &[(CLIENT_CA, "ca")],
        ] {
            assert!(read(variables).is_err(), "{variables:?}");
        }
    }
}
