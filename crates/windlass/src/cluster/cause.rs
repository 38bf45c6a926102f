//! Why an exchange with the API server failed, in a few words: what kube and hyper report repeats
//! itself at every level, and names types of libraries.

use std::error::Error;
use std::io;

use rustls::CertificateError as Bad;

/// Most causes that are looked through.
const DEPTH: usize = 16;

/// The cause of an error of kube, for people.
pub(crate) fn of(error: &(dyn Error + 'static)) -> String {
    let mut next = Some(error);
    let mut last = String::new();
    for _ in 0..DEPTH {
        let Some(error) = next else {
            break;
        };
        if let Some(known) = known(error) {
            return known;
        }
        last = error.to_string();
        next = error.source();
    }
    last
}

fn known(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(tls(error));
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        // what an io::Error holds is left out of its sources
        let within = error.get_ref().map(|inner| inner as &(dyn Error + 'static));
        if let Some(known) = within.and_then(known) {
            return Some(known);
        }
        return match error.kind() {
            io::ErrorKind::ConnectionRefused => Some("the connection was refused".to_owned()),
            io::ErrorKind::TimedOut => Some("no connection in time".to_owned()),
            _ => None,
        };
    }
    let text = error.to_string();
    if error.source().is_none() && text == "deadline has elapsed" {
        return Some("no connection in time".to_owned());
    }
    // the resolver's own error has no type that could be named
    text.starts_with("dns error")
        .then(|| "its host name cannot be resolved".to_owned())
}

fn tls(error: &rustls::Error) -> String {
    let what = match error {
        rustls::Error::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer => {
                "its certificate is signed by an authority that the kubeconfig does not trust; \
                 check certificate-authority"
            }
            Bad::Expired | Bad::ExpiredContext { .. } => "its certificate has expired",
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                "its certificate is for another host name"
            }
            _ => "its certificate is not valid",
        },
        rustls::Error::InvalidMessage(_) => "it does not speak TLS",
        _ => return format!("TLS failed: {error}"),
    };
    what.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("client error (Connect): {source}")]
    struct Outer {
        source: io::Error,
    }

    #[test]
    fn a_cause_is_told_once_however_deep_it_is() {
        let refused = Outer {
            source: io::ErrorKind::ConnectionRefused.into(),
        };
        assert_eq!(of(&refused), "the connection was refused");
        let bad = rustls::Error::InvalidCertificate(Bad::UnknownIssuer);
        let untrusted = Outer {
            source: io::Error::other(bad),
        };
        assert!(of(&untrusted).contains("certificate-authority"));
        let bad = rustls::Error::InvalidCertificate(Bad::UnknownIssuer);
        let deeper = Outer {
            source: io::Error::other(io::Error::other(bad)),
        };
        assert_eq!(of(&deeper), of(&untrusted));
        let plain = Outer {
            source: io::Error::other("something else"),
        };
        assert_eq!(of(&plain), "something else");
    }
}
