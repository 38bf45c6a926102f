//! What a certificate says of whoever it was issued to: what the library reads, and the name that is neither
//! an e-mail address nor a URI, `NAME!DOMAIN`, as issuers of user names have it. Source: Fulcio's
//! docs/oid-info.md, 1.3.6.1.4.1.57264.1.7.

use sigstore_types::DerCertificate;
use sigstore_verify::crypto::CertificateInfo;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::asn1::{ObjectIdentifier, Utf8StringRef};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::signatory::{Subject, WorkflowClaim};

const USER_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.7");

/// Whom a certificate names, by what the library read of it and by its DER.
pub(super) fn subject(read: Option<&CertificateInfo>, der: Option<&DerCertificate>) -> Subject {
    let subject = read.map(told).unwrap_or_default();
    let identity = subject.identity.clone();
    Subject {
        identity: identity.or_else(|| user_name(der?.as_bytes())),
        ..subject
    }
}

/// What the library reads of it.
fn told(certificate: &CertificateInfo) -> Subject {
    let claims = &certificate.ci_claims.deprecated_github;
    let workflow = [
        (WorkflowClaim::Trigger, &claims.workflow_trigger),
        (WorkflowClaim::Sha, &claims.workflow_sha),
        (WorkflowClaim::Name, &claims.workflow_name),
        (WorkflowClaim::Repository, &claims.workflow_repository),
        (WorkflowClaim::Ref, &claims.workflow_ref),
    ];
    let workflow = workflow.into_iter();
    let workflow = workflow.filter_map(|(claim, value)| Some((claim, value.clone()?)));
    let name = certificate.identity.as_ref();
    Subject {
        identity: name.map(|name| name.as_str().to_owned()),
        issuer: certificate.issuer.clone(),
        workflow: workflow.collect(),
    }
}

/// The user name in a certificate in DER, `NAME!DOMAIN`. None if there is none, or several names of any kind.
fn user_name(certificate: &[u8]) -> Option<String> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let (_, names) = certificate.tbs_certificate.get::<SubjectAltName>().ok()??;
    let [GeneralName::OtherName(name)] = &names.0[..] else {
        return None;
    };
    if name.type_id != USER_NAME {
        return None;
    }
    let text = name.value.decode_as::<Utf8StringRef<'_>>().ok()?;
    Some(text.as_str().to_owned())
}
