//! The certificates of an authority, and its signature.

use std::time::{Duration, SystemTime};

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DistinguishedName,
    DnType, IsCa, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SerialNumber,
};

use super::options::Validity;
use crate::der::{head, oid, sequence};
use crate::issuing::{AuthorityError, Point};
use crate::random::random;

/// What a certificate for timestamps is for, and how certificates say what they are for.
const TIMESTAMPS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 8];
const USAGE: [u64; 4] = [2, 5, 29, 37];
const HOUR: Duration = Duration::from_hours(1);
const YEAR: Duration = Duration::from_hours(8760);

/// An authority.
pub(super) struct Authority {
    root: String,
    leaf: String,
    der: Vec<u8>,
    key: SigningKey,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority([redacted])")
    }
}

impl Authority {
    pub(super) fn make(validity: Validity) -> Result<Self, AuthorityError> {
        let mut params = named("sandbox root of time");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let root = CertifiedIssuer::self_signed(params, pair)?;
        let mut params = named("sandbox timestamps");
        if validity == Validity::Ended {
            params.not_after = (SystemTime::now() - HOUR).into();
        }
        params.serial_number = Some(SerialNumber::from_slice(&[1, 2, 3, 4]));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let usage = sequence(&[&oid(TIMESTAMPS)]);
        let mut usage = CustomExtension::from_oid_content(&USAGE, usage);
        usage.set_criticality(true);
        params.custom_extensions = vec![usage];
        let key = SigningKey::from_slice(&random::<32>()?).map_err(|_| AuthorityError::Key)?;
        let point = key.verifying_key().to_sec1_point(false);
        let leaf = params.signed_by(&Point(point.as_bytes().to_vec()), &root)?;
        Ok(Self {
            root: root.pem(),
            leaf: leaf.pem(),
            der: leaf.der().to_vec(),
            key,
        })
    }

    pub(super) fn chain_pem(&self) -> String {
        [self.leaf.as_str(), &self.root].concat()
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: DerSignature = self.key.sign(message);
        signature.as_bytes().to_vec()
    }

    /// The issuer and the serial number of the certificate, as timestamps name it.
    pub(super) fn name(&self) -> Vec<u8> {
        let inside = |der: &[u8]| der[head(der).0..].to_vec();
        let mut rest = inside(&inside(&self.der));
        let mut fields = Vec::new();
        // version, serial number, algorithm, issuer
        for _ in 0..4 {
            let (start, length) = head(&rest);
            let tail = rest.split_off(start + length);
            fields.push(std::mem::replace(&mut rest, tail));
        }
        sequence(&[&fields[3], &fields[1]])
    }
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let now = SystemTime::now();
    params.not_before = (now - 24 * HOUR).into();
    params.not_after = (now + YEAR).into();
    params
}
