//! A client of a configuration, or why there is none, in words of our own: the errors of kube repeat what
//! a program for logging in printed, tokens too, and addresses with their passwords.

use std::panic::{self, AssertUnwindSafe};
use std::process::Output;

use kube::client::{AuthError, RustlsTlsError};
use kube::{Config, Error};

use super::connect_error::ConnectError;
use super::kubeconfig::BAD_TOKEN;
use super::{cause, kubeconfig};

/// Longest text that is repeated of what a program for logging in says to people, in characters.
const SAID_LIMIT: usize = 200;

/// Makes a client, or what becomes one. A program that the kubeconfig names for logging in is run.
pub(super) fn guarded<T>(
    config: Config,
    build: impl FnOnce(Config) -> kube::Result<T>,
) -> Result<T, ConnectError> {
    let login = config.auth_info.exec.as_ref();
    let login = login.and_then(|exec| exec.command.clone());
    let made = match &login {
        Some(_) => caught(|| build(config)),
        None => Some(build(config)),
    };
    let (why, is_login) = match made {
        Some(Ok(client)) => return Ok(client),
        Some(Err(Error::Auth(error))) => (of_login(&error), true),
        Some(Err(error)) => (of(&error), false),
        None => (BAD_TOKEN.to_owned(), true),
    };
    Err(match login.filter(|_| is_login) {
        Some(command) => ConnectError::Login { command, why },
        None => ConnectError::Client(why),
    })
}

/// What is made where a program for logging in is run: kube panics if its token is one that no header can
/// have, and what it says of that is for nobody.
fn caught<T>(build: impl FnOnce() -> T) -> Option<T> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| ()));
    let made = panic::catch_unwind(AssertUnwindSafe(build));
    panic::set_hook(hook);
    made.ok()
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
        AuthError::AuthExecStart(error) => return error.to_string(),
        AuthError::AuthExecRun { out, .. } => return ended(out),
        AuthError::ReadTokenFile(error, path) => {
            return format!("cannot read its token file {}: {error}", path.display());
        }
        AuthError::AuthExecParse(_) => "what it printed is no ExecCredential",
        AuthError::ExecPluginFailed => "its ExecCredential has no status",
        AuthError::MalformedTokenExpirationDate(_) => "its expirationTimestamp is no time",
        AuthError::MissingCommand => "its exec names no command",
        AuthError::ExecMissingClusterInfo => {
            "it wants to know the cluster (provideClusterInfo), which the kubeconfig does not say"
        }
        AuthError::InvalidBasicAuth(_) | AuthError::InvalidBearerToken(_) => BAD_TOKEN,
        AuthError::AuthExec(_) => {
            "its auth-provider is not supported; use the program for logging in (exec) that your \
             cloud provides for kubectl"
        }
        _ => "its credential cannot be used",
    };
    text.to_owned()
}

/// How a program ended, with the last line that it wrote for people. What it printed may be a token.
fn ended(output: &Output) -> String {
    let how = match output.status.code() {
        Some(code) => format!("it ended with code {code}"),
        None => "a signal ended it".to_owned(),
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty());
    let Some(last) = last else {
        return how;
    };
    let last = last
        .trim()
        .chars()
        .filter(|character| !character.is_control());
    let last: String = last.take(SAID_LIMIT).collect();
    format!("{how}: {last}")
}
