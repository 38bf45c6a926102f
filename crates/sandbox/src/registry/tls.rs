//! What a registry with TLS shows its clients, and what it may ask of them.

use std::sync::Arc;

use rcgen::ExtendedKeyUsagePurpose;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};

use crate::tls::Authority;

use super::options::Transport;

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// No certificate could be made.
    #[error("could not make the certificates of the registry")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library refused the certificate.
    #[error("could not use the certificate of the registry")]
    Server(#[from] rustls::Error),
    /// The TLS library refused the authority of client certificates.
    #[error("could not ask for client certificates")]
    Client(#[from] VerifierBuilderError),
}

/// A client's certificate and its key.
#[derive(Clone)]
pub struct ClientCertificate {
    /// Certificate, PEM.
    pub certificate_pem: String,
    /// Private key, PEM (PKCS #8).
    pub key_pem: String,
}

impl std::fmt::Debug for ClientCertificate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ClientCertificate")
            .field("certificate_pem", &self.certificate_pem)
            .finish_non_exhaustive()
    }
}

/// The certificates of one registry.
#[derive(Debug)]
pub(crate) struct Identity {
    pub ca_pem: String,
    pub server: Arc<ServerConfig>,
    pub client: Option<ClientCertificate>,
}

impl Identity {
    /// None for plain HTTP.
    pub(crate) fn make(transport: Transport) -> Result<Option<Self>, TlsError> {
        if transport == Transport::Plain {
            return Ok(None);
        }
        let authority = Authority::make()?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let (config, client) = if transport == Transport::MutualTls {
            let mut roots = RootCertStore::empty();
            roots.add(authority.certificate.der().clone())?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let config = config.with_client_cert_verifier(verifier.build()?);
            (config, Some(client(&authority)?))
        } else {
            (config.with_no_client_auth(), None)
        };
        let names = vec!["localhost".into(), "127.0.0.1".into()];
        let purpose = ExtendedKeyUsagePurpose::ServerAuth;
        let (certificate, key) = authority.issue(names, "windlass sandbox registry", purpose)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = config.with_single_cert(vec![certificate.der().clone()], key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Some(Self {
            ca_pem: authority.certificate.pem(),
            server: Arc::new(config),
            client,
        }))
    }
}

fn client(authority: &Authority) -> Result<ClientCertificate, rcgen::Error> {
    let purpose = ExtendedKeyUsagePurpose::ClientAuth;
    let (certificate, key) = authority.issue(Vec::new(), "windlass sandbox client", purpose)?;
    Ok(ClientCertificate {
        certificate_pem: certificate.pem(),
        key_pem: key.serialize_pem(),
    })
}
