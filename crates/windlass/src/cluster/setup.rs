//! A client of a configuration, or why there is none, in words of our own: the errors of kube repeat
//! addresses with their passwords.

use kube::client::{AuthError, RustlsTlsError};
use kube::{Config, Error};

use super::connect_error::ConnectError;
use super::kubeconfig::BAD_TOKEN;
use super::{cause, kubeconfig};

/// Makes what becomes a client. Programs for logging in have run before.
pub(super) fn made<T>(
    config: Config,
    build: impl FnOnce(Config) -> kube::Result<T>,
) -> Result<T, ConnectError> {
    build(config).map_err(|error| {
        ConnectError::Client(match &error {
            Error::Auth(error) => of_login(error),
            error => of(error),
        })
    })
}

fn of(error: &Error) -> String {
    match error {
        Error::ProxyProtocolUnsupported { .. } | Error::ProxyProtocolDisabled { .. } => {
            "its proxy-url is not one of http:// or https://".to_owned()
        }
        Error::InferKubeconfig(error) => kubeconfig::why(error),
        Error::RustlsTls(error) => of_tls(error).to_owned(),
        Error::HttpError(_) => {
            "what it has for `as` or `as-groups` cannot be sent: it has a line end or another \
             character that no header can have"
                .to_owned()
        }
        error => cause::of(error),
    }
}

fn of_tls(error: &RustlsTlsError) -> &'static str {
    match error {
        RustlsTlsError::InvalidIdentityPem(_) => "its client-certificate or client-key is not PEM",
        RustlsTlsError::MissingPrivateKey | RustlsTlsError::UnknownPrivateKeyFormat => {
            "its client-key has no private key that can be used"
        }
        RustlsTlsError::MissingCertificate => "its client-certificate has no certificate",
        RustlsTlsError::InvalidPrivateKey(_) => {
            "its client-key cannot be used, or is not that of its client-certificate"
        }
        RustlsTlsError::AddRootCertificate(_) => {
            "its certificate-authority has a certificate that cannot be used"
        }
        RustlsTlsError::NoValidNativeRootCA(_) => {
            "it has no certificate-authority, and this machine trusts none"
        }
        RustlsTlsError::InvalidServerName(_) => "its tls-server-name is no host name",
    }
}

fn of_login(error: &AuthError) -> String {
    let text = match error {
        AuthError::ReadTokenFile(error, path) => {
            return format!("cannot read its token file {}: {error}", path.display());
        }
        AuthError::InvalidBasicAuth(_) | AuthError::InvalidBearerToken(_) => BAD_TOKEN,
        // what its program says may be a token, and what it prints is one
        AuthError::AuthExecStart(_) | AuthError::AuthExecRun { .. } => {
            "the program of its auth-provider does not work"
        }
        AuthError::AuthExec(_) => {
            "its auth-provider is not supported; use the program for logging in (exec) that your \
             cloud provides for kubectl"
        }
        _ => "its credential cannot be used",
    };
    text.to_owned()
}
