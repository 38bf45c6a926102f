//! What the tests of the clients share: a service with planted secrets, and the search for these in
//! everything that others read.

use windlass_core::error::Chain;
use windlass_core::key::Scheme;
use windlass_sandbox::kms::{Account, KeyService, Kind, Options, Service};

use super::error::KmsError;
use crate::telemetry::recorded::Log;

/// What every planted secret has in it.
const PLANTED: &str = "planted";

/// Kinds of keys, with the schemes in which they sign as PKCS#1 v1.5 and as PSS where the size of an
/// RSA key decides the hash.
pub(super) const KINDS: [(Kind, Scheme, Scheme); 6] = [
    (Kind::P256, Scheme::EcdsaSha256, Scheme::EcdsaSha256),
    (Kind::P384, Scheme::EcdsaSha384, Scheme::EcdsaSha384),
    (Kind::P521, Scheme::EcdsaSha512, Scheme::EcdsaSha512),
    (Kind::Rsa2048, Scheme::RsaSha256, Scheme::RsaPssSha256),
    (Kind::Rsa3072, Scheme::RsaSha384, Scheme::RsaPssSha384),
    (Kind::Rsa4096, Scheme::RsaSha512, Scheme::RsaPssSha512),
];

/// An account all of whose secrets can be searched for.
pub(super) fn account() -> Account {
    Account {
        access_key: "PLANTED-access-key".to_owned(),
        secret_key: "planted-secret-key".to_owned(),
        session: "planted-session".to_owned(),
        token: "planted-token".to_owned(),
    }
}

/// A service of that account.
pub(super) async fn start(service: Service) -> KeyService {
    let options = Options {
        service,
        account: account(),
        tls: false,
    };
    KeyService::start(options).await.unwrap()
}

/// An error with its causes, searched for what must not be in it.
pub(super) fn text(error: &KmsError) -> String {
    let text = Chain(error).to_string();
    for shown in [text.as_str(), &format!("{error:?}")] {
        assert!(!shown.to_lowercase().contains(PLANTED), "{shown}");
        assert!(!shown.contains('\n'), "{shown}");
    }
    text
}

/// The lines that are searched: windlass's own at every level, those of libraries from `info` on.
pub(super) const LEVELS: &str = "info,windlass=trace";

/// Fails if a secret is in a log.
pub(super) fn search(log: &Log) {
    let text = log.text().to_lowercase();
    assert!(!text.contains(PLANTED), "{text}");
}
