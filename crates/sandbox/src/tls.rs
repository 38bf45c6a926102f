//! What a server with TLS shows its clients, and what it may ask of them. Certificates are made anew
//! for every server by an authority of its own: nothing outlives the process.

use std::sync::Arc;

use rcgen::ExtendedKeyUsagePurpose;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};

mod authority;

use authority::Authority;

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// No certificate could be made.
    #[error("could not make the certificates of the server")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library refused the certificate.
    #[error("could not use the certificate of the server")]
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

/// Which clients a server lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clients {
    /// All.
    Any,
    /// Those that show a certificate of the server's own authority.
    WithCertificate,
}

/// The certificates of one server.
#[derive(Debug)]
pub(crate) struct Identity {
    /// The authority clients are to trust, PEM.
    pub ca_pem: String,
    pub server: Arc<ServerConfig>,
    /// A certificate for clients, where they need one.
    pub client: Option<ClientCertificate>,
}

impl Identity {
    /// Makes an authority and a certificate for `localhost` and `127.0.0.1`.
    pub(crate) fn make(common_name: &str, clients: Clients) -> Result<Self, TlsError> {
        let authority = Authority::make()?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let (config, client) = match clients {
            Clients::Any => (config.with_no_client_auth(), None),
            Clients::WithCertificate => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.certificate.der().clone())?;
                let roots = Arc::new(roots);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                let config = config.with_client_cert_verifier(verifier.build()?);
                (config, Some(client(&authority)?))
            }
        };
        let names = vec!["localhost".into(), "127.0.0.1".into()];
        let purpose = ExtendedKeyUsagePurpose::ServerAuth;
        let (certificate, key) = authority.issue(names, common_name, purpose)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = config.with_single_cert(vec![certificate.der().clone()], key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            ca_pem: authority.certificate.pem(),
            server: Arc::new(config),
            client,
        })
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
