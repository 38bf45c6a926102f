//! The authority: its root, the intermediate one that issues certificates, and what goes wrong.

use std::time::{Duration, SystemTime};

use p256::ecdsa::VerifyingKey;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P384_SHA384,
    PublicKeyData as _, SanType, SerialNumber,
};

use super::stamp::{Log, tbs};
use super::subject::Subject;
use crate::der::element;
use crate::issuing::{AuthorityError, Point};
use crate::random::random;

/// The issuer of the token, as Fulcio's certificates have it.
const ISSUER: [u64; 9] = [1, 3, 6, 1, 4, 1, 57264, 1, 8];
/// The timestamps of logs.
const LIST: [u64; 10] = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];

/// What Fulcio does wrong on demand.
#[derive(Debug, Clone)]
pub enum Quirk {
    /// The certificate is for another key.
    OtherKey,
    /// It has ended, so long ago.
    Ended(Duration),
    /// It begins only after this time.
    Early(Duration),
    /// It is for somebody else.
    Identity(String),
    /// It comes with the chain of another authority.
    OtherChain,
    /// It is signed by another authority of the same name.
    OtherAuthority,
    /// It is not for signing code.
    Purpose,
    /// No log has promised to publish it.
    NoLog,
    /// The promise is one of another log.
    OtherLog,
    /// The promise is for another certificate.
    OtherStamp,
    /// The promise comes beside the certificate.
    Detached,
    /// The promise beside it is for another certificate.
    OtherDetached,
    /// The chain has only the certificate.
    Alone,
    /// There are so many certificates.
    Many(usize),
}

/// An authority of two levels.
pub(super) struct Authority {
    root: String,
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// The key of the issuer, DER.
    key: Vec<u8>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority([redacted])")
    }
}

/// What is certified.
pub(super) struct Request<'a> {
    pub(super) key: &'a VerifyingKey,
    pub(super) subject: &'a Subject,
    pub(super) lifetime: Duration,
    pub(super) quirk: Option<&'a Quirk>,
}

/// What is given.
pub(super) struct Issued {
    /// PEM, the certificate first.
    pub(super) chain: Vec<String>,
    pub(super) detached: Option<String>,
}

impl Authority {
    pub(super) fn make() -> Result<Self, AuthorityError> {
        let root = CertifiedIssuer::self_signed(authority("sandbox root"), key()?)?;
        let own = key()?;
        let public = own.subject_public_key_info();
        let issuer = CertifiedIssuer::signed_by(authority("sandbox issuer"), own, &root)?;
        Ok(Self {
            root: root.pem(),
            issuer,
            key: public,
        })
    }

    pub(super) fn root_pem(&self) -> String {
        self.root.clone()
    }

    pub(super) fn chain_pem(&self) -> String {
        self.chain().concat()
    }

    /// Certifies a key.
    pub(super) fn issue(&self, request: &Request<'_>, log: &Log) -> Result<Issued, AuthorityError> {
        let quirk = request.quirk;
        let other;
        let by = match quirk {
            Some(Quirk::OtherAuthority) => {
                other = Self::make()?;
                &other
            }
            _ => self,
        };
        let point = match quirk {
            Some(Quirk::OtherKey) => KeyPair::generate()?.der_bytes().to_vec(),
            _ => request.key.to_sec1_point(false).as_bytes().to_vec(),
        };
        let key = Point(point);
        let mut params = leaf(request)?;
        let plain = params.signed_by(&key, &by.issuer)?;
        let detached = match quirk {
            Some(Quirk::Detached) => Some(log.detached(plain.der())),
            Some(Quirk::OtherDetached) => Some(log.detached(&by.key)),
            _ => None,
        };
        let list = match quirk {
            Some(Quirk::NoLog | Quirk::Detached | Quirk::OtherDetached) => None,
            Some(Quirk::OtherLog) => Some(Log::make()?.list(tbs(plain.der()), &by.key)),
            Some(Quirk::OtherStamp) => Some(log.list(plain.der(), &by.key)),
            _ => Some(log.list(tbs(plain.der()), &by.key)),
        };
        let certificate = match list {
            // the promise beside it is for this very one
            None => plain.pem(),
            Some(list) => {
                let list = CustomExtension::from_oid_content(&LIST, list);
                params.custom_extensions.push(list);
                params.signed_by(&key, &by.issuer)?.pem()
            }
        };
        let rest = match quirk {
            Some(Quirk::Alone) => Vec::new(),
            Some(Quirk::OtherChain) => Self::make()?.chain(),
            Some(Quirk::Many(count)) => vec![self.root.clone(); *count],
            _ => self.chain(),
        };
        Ok(Issued {
            chain: [vec![certificate], rest].concat(),
            detached,
        })
    }

    fn chain(&self) -> Vec<String> {
        vec![self.issuer.pem(), self.root.clone()]
    }
}

fn key() -> Result<KeyPair, rcgen::Error> {
    KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384)
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let now = SystemTime::now();
    params.not_before = (now - Duration::from_hours(1)).into();
    params.not_after = (now + Duration::from_hours(8760)).into();
    params
}

/// A certificate for a subject, without the promise of a log.
fn leaf(request: &Request<'_>) -> Result<CertificateParams, AuthorityError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.serial_number = Some(SerialNumber::from_slice(&random::<16>()?));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let purpose = match request.quirk {
        Some(Quirk::Purpose) => ExtendedKeyUsagePurpose::ServerAuth,
        _ => ExtendedKeyUsagePurpose::CodeSigning,
    };
    params.extended_key_usages = vec![purpose];
    let identity = match request.quirk {
        Some(Quirk::Identity(other)) => other.clone(),
        _ => request.subject.identity(),
    };
    let is_email = identity.contains('@') && !identity.contains("://");
    let name = identity.as_str().try_into()?;
    params.subject_alt_names = vec![if is_email {
        SanType::Rfc822Name(name)
    } else {
        SanType::URI(name)
    }];
    let issuer = element(0x0c, request.subject.issuer.as_bytes());
    params.custom_extensions = vec![CustomExtension::from_oid_content(&ISSUER, issuer)];
    let now = SystemTime::now();
    let (begins, ends) = match request.quirk {
        Some(Quirk::Ended(ago)) => (now - *ago - request.lifetime, now - *ago),
        Some(Quirk::Early(by)) => (now + *by, now + *by + request.lifetime),
        _ => (now, now + request.lifetime),
    };
    params.not_before = begins.into();
    params.not_after = ends.into();
    Ok(params)
}
