//! Whether there is a key that signs, and whether others can verify what it signs. A key in a key
//! service is only named: the login for it is the controller's.

use kube::Client;
use windlass_core::config::{Config, SignerKind};
use windlass_core::error::Chain;
use windlass_core::key::PublicKey;

use super::finding::{Finding, Help, Level};
use crate::cluster::secret::{Secret, SecretError};
use crate::settings::keys::SIGNING_SECRETS;
use crate::sign::entries::{COSIGN_PUB, Entries, NAMES, X509_KEY, private_key};
use crate::sign::kms;
use crate::sign::kms::reference::Reference;

const AREA: &str = "key";

/// Looks at the keys that the configuration asks for; at that of the secret if there is none.
pub(super) async fn check(
    client: &Client,
    namespace: &str,
    config: Option<&Config>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if config.is_none_or(Config::needs_secret) {
        findings.extend(secret(client, namespace).await);
    }
    if let Some(config) = config.filter(|config| config.is_keyless()) {
        findings.push(certified(namespace, config));
    }
    // a reference that cannot be used is told with the configuration
    let service = config.filter(|config| config.signs_with(SignerKind::Kms));
    if let Some(reference) = service.and_then(|config| kms::check(&config.kms).ok()) {
        findings.push(in_service(&reference));
    }
    findings
}

fn in_service(reference: &Reference) -> Finding {
    let what = format!("whether the controller can use {reference} is not seen from here");
    let help = Help::new(
        "only the controller has its login; it is not ready while it cannot sign with this key",
        "see whether the controller is ready; with a login of your own, print the public key",
        format!("windlass public-key --key {reference}"),
    );
    Finding::new(AREA, Level::Unknown, what, help)
}

/// A certificate is only named: the identity token is the controller's. Settings that cannot be used are
/// told with the configuration.
fn certified(namespace: &str, config: &Config) -> Finding {
    let address = &config.x509.fulcio_address;
    let what =
        format!("whether the controller gets certificates of {address} is not seen from here");
    let help = Help::new(
        "only the controller has its identity token; it is not ready while it gets no certificate",
        "see whether the controller is ready, and what it told about its certificates",
        format!("kubectl get events -n {namespace} --field-selector reason=CertificateUnavailable"),
    );
    Finding::new(AREA, Level::Unknown, what, help)
}

async fn secret(client: &Client, namespace: &str) -> Vec<Finding> {
    let place = format!("secret {namespace}/{SIGNING_SECRETS}");
    let generate = format!("windlass generate-key-pair k8s://{namespace}/{SIGNING_SECRETS}");
    let secret = match Secret::read(client, namespace, SIGNING_SECRETS).await {
        Ok(secret) => secret,
        Err(SecretError::Call(error)) if error.status() == Some(404) => {
            let help = Help::new(
                "nothing is signed without a key",
                "make a key pair, or copy yours there",
                generate,
            );
            let what = format!("{place} does not exist");
            return vec![Finding::new(AREA, Level::Problem, what, help)];
        }
        Err(SecretError::Call(error)) => {
            let look = format!("kubectl auth can-i get secret/{SIGNING_SECRETS} -n {namespace}");
            let what = format!("cannot read {place}");
            return vec![Finding::unknown(AREA, what, &error, look)];
        }
        Err(SecretError::Malformed(why)) => {
            return vec![unusable(&place, &why.to_string(), &generate)];
        }
    };
    match secret.entries_of(&NAMES) {
        // scrypt takes a while
        Ok(entries) => tokio::task::spawn_blocking(move || judge(&place, &entries, &generate))
            .await
            .unwrap_or_default(),
        Err(why) => vec![unusable(&place, &why.to_string(), &generate)],
    }
}

fn unusable(place: &str, why: &str, generate: &str) -> Finding {
    let remedy = "correct the entry, or make a new key pair";
    let help = Help::new(why, remedy, generate);
    Finding::new(
        AREA,
        Level::Problem,
        format!("{place} has no usable key"),
        help,
    )
}

fn judge(place: &str, entries: &Entries, generate: &str) -> Vec<Finding> {
    let key = match private_key(entries) {
        Ok(key) => key,
        Err(error) => {
            return vec![unusable(place, &Chain(&error).to_string(), generate)];
        }
    };
    let public = key.public_key();
    let (algorithm, id) = (public.algorithm(), public.key_id());
    let mut findings = vec![Finding::ok(AREA, format!("{algorithm}, key id {id}"))];
    if entries.contains_key(X509_KEY) && matches!(algorithm, "ECDSA P-384" | "ECDSA P-521") {
        let what = format!("{X509_KEY} is {algorithm}, which signs with SHA-256 as Chains does");
        let help = Help::new(
            "the next cosign derives the digest from the curve, and these signatures will no longer \
             verify",
            "sign with P-256, and keep this public key for what it has signed",
            generate,
        );
        findings.push(Finding::new(AREA, Level::Advice, what, help));
    }
    findings.extend(published(place, entries, public));
    findings
}

/// Whether the public key in the secret is that of the key which signs.
fn published(place: &str, entries: &Entries, signing: &PublicKey) -> Option<Finding> {
    let pem = entries.get(COSIGN_PUB).filter(|pem| !pem.is_empty())?;
    if PublicKey::from_pem(pem).is_ok_and(|public| public == *signing) {
        return None;
    }
    let entry = if entries.contains_key(X509_KEY) {
        X509_KEY
    } else {
        "cosign.key"
    };
    let what = format!("{COSIGN_PUB} in {place} is not the public key of {entry}, which signs");
    let place = place.trim_start_matches("secret ");
    let help = Help::new(
        "whoever verifies with it refuses every signature",
        format!("replace {COSIGN_PUB}, or remove the key that should not sign"),
        format!("windlass public-key --key k8s://{place}"),
    );
    Some(Finding::new(AREA, Level::Problem, what, help))
}
