//! A throw-away certificate authority and the certificates it signs. Made anew for every server: nothing outlives the process. `kubectl` sends a bearer token over TLS only.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::cluster::StartError;

/// How long a cluster's certificates hold.
const LIFETIME: Duration = Duration::from_hours(8760);

/// What a server shows and what its clients trust.
pub(crate) struct Identity {
    pub ca_pem: String,
    pub server: Arc<ServerConfig>,
}

impl Identity {
    /// Makes an authority and a certificate for `localhost` and `127.0.0.1`.
    pub(crate) fn make() -> Result<Self, StartError> {
        let authority = Authority::make()?;
        let names = vec!["localhost".into(), "127.0.0.1".into()];
        let purpose = ExtendedKeyUsagePurpose::ServerAuth;
        let (certificate, key) = authority.issue(names, "windlass sandbox API", purpose)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let server = server_config(certificate.der().clone(), key)?;
        Ok(Self {
            ca_pem: authority.certificate.pem(),
            server,
        })
    }
}

/// A throw-away certificate authority.
pub(crate) struct Authority {
    pub certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn make() -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "windlass sandbox");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        limit(&mut params);
        let certificate = params.self_signed(&key)?;
        let issuer = Issuer::new(params, key);
        Ok(Self {
            certificate,
            issuer,
        })
    }

    /// A certificate for these hosts (none for a client) and its key.
    pub(crate) fn issue(
        &self,
        hosts: Vec<String>,
        common_name: &str,
        purpose: ExtendedKeyUsagePurpose,
    ) -> Result<(Certificate, KeyPair), rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut leaf = CertificateParams::new(hosts)?;
        leaf.distinguished_name
            .push(DnType::CommonName, common_name);
        leaf.extended_key_usages = vec![purpose];
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        limit(&mut leaf);
        Ok((leaf.signed_by(&key, &self.issuer)?, key))
    }
}

fn limit(params: &mut CertificateParams) {
    let now = SystemTime::now();
    params.not_before = (now - Duration::from_hours(1)).into();
    params.not_after = (now + LIFETIME).into();
}

fn server_config(
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, StartError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
