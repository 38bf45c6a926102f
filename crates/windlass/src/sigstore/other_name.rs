//! The name in a certificate of Fulcio that is neither an e-mail address nor a URI: `NAME!DOMAIN`, as issuers
//! of user names have it. Source: Fulcio's docs/oid-info.md, 1.3.6.1.4.1.57264.1.7.

use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::asn1::{ObjectIdentifier, Utf8StringRef};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

const USER_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.7");

/// The name in a certificate in DER. None if there is none, or several names of any kind.
pub(super) fn of(certificate: &[u8]) -> Option<String> {
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
