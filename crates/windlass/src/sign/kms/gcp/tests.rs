use google_cloud_auth::credentials::mds;
use windlass_core::key::{Scheme, VerifyError};
use windlass_core::retry::Retry;
use windlass_sandbox::Reply;
use windlass_sandbox::kms::{Fault, FaultAnswer, KeyService, Kind, Quirk, Service, Usage};

use super::*;
use crate::cloud::gcp::Identity;
use crate::sign::kms::trial::{self, text};
use crate::telemetry::recorded::Log;

const NAME: &str = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k";
const MESSAGE: &[u8] = b"message";

/// The line of a process whose metadata server is the service itself.
fn line(service: &KeyService) -> Arc<Line> {
    let credentials = mds::Builder::default()
        .with_endpoint(service.url())
        .build_access_token_credentials();
    let identity = Identity::of(credentials.unwrap());
    Arc::new(Line::new(identity, service.url()).unwrap())
}

fn key(version: Option<&str>) -> GcpKey {
    GcpKey {
        name: NAME.to_owned(),
        version: version.map(str::to_owned),
    }
}

async fn open(service: &KeyService, version: Option<&str>) -> Result<Gcp, KmsError> {
    Gcp::read(&key(version), line(service)).await
}

async fn with_key() -> KeyService {
    let service = trial::start(Service::Google).await;
    service.create(NAME, Kind::P256, Usage::Sign).unwrap();
    service
}

fn fault(answer: FaultAnswer, times: usize) -> Fault {
    Fault::new("POST", ":asymmetricSign", answer).repeated(times)
}

#[tokio::test]
async fn every_algorithm_signs_with_its_own_hash_and_padding() {
    let service = trial::start(Service::Google).await;
    for (number, (kind, usage, scheme)) in [
        (Kind::P256, Usage::Sign, Scheme::EcdsaSha256),
        (Kind::P384, Usage::Sign, Scheme::EcdsaSha384),
        (Kind::Rsa2048, Usage::Sign, Scheme::RsaSha256),
        (Kind::Rsa3072, Usage::Sign, Scheme::RsaSha256),
        (Kind::Rsa4096, Usage::Sign, Scheme::RsaSha512),
        (Kind::Rsa2048, Usage::SignPss, Scheme::RsaPssSha256),
        (Kind::Rsa3072, Usage::SignPss, Scheme::RsaPssSha256),
        (Kind::Rsa4096, Usage::SignPss, Scheme::RsaPssSha512),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("{NAME}-{number}");
        service.create(&name, kind, usage).unwrap();
        let key = GcpKey {
            name: name.clone(),
            version: None,
        };
        let gcp = Gcp::read(&key, line(&service)).await.unwrap();
        assert_eq!(
            Some(gcp.public_key().der()),
            service.public_key(&name, 1).as_deref()
        );
        let signature = gcp.sign(MESSAGE).await.unwrap();
        let verified = gcp.public_key().verify(MESSAGE, &signature);
        assert_eq!(verified, Ok(scheme), "{kind:?} {usage:?}");
        let is_random = signature != gcp.sign(MESSAGE).await.unwrap();
        assert_eq!(gcp.is_random(), is_random, "{kind:?} {usage:?}");
    }
}

#[tokio::test]
async fn without_a_version_the_newest_enabled_one_is_meant_in_whatever_order_they_are_listed() {
    let service = trial::start(Service::Google).await;
    for _ in 0..11 {
        service.create(NAME, Kind::P256, Usage::Sign).unwrap();
    }
    let gcp = open(&service, None).await.unwrap();
    assert_eq!(
        gcp.name(),
        format!("key {NAME}/cryptoKeyVersions/11 of Google Cloud KMS")
    );
    service.enable(NAME, 11, false);
    let gcp = gcp.reopen().await.unwrap();
    assert_eq!(gcp.version, format!("{NAME}/cryptoKeyVersions/10"));
    assert_eq!(
        Some(gcp.public_key().der()),
        service.public_key(NAME, 10).as_deref()
    );
}

#[tokio::test]
async fn a_rotation_between_two_signatures_changes_neither_version_nor_key_until_it_is_read_again()
{
    let service = with_key().await;
    let gcp = open(&service, None).await.unwrap();
    gcp.sign(MESSAGE).await.unwrap();
    service.create(NAME, Kind::P256, Usage::Sign).unwrap();
    let signature = gcp.sign(MESSAGE).await.unwrap();
    assert!(gcp.public_key().verify(MESSAGE, &signature).is_ok());
    let next = gcp.reopen().await.unwrap();
    assert_ne!(next.name(), gcp.name());
    assert_eq!(
        Some(next.public_key().der()),
        service.public_key(NAME, 2).as_deref()
    );
    // a version that the reference names stays
    let first = open(&service, Some("1")).await.unwrap();
    assert_eq!(first.reopen().await.unwrap().name(), gcp.name());
}

#[tokio::test]
async fn a_version_that_is_disabled_signs_nothing_and_says_so() {
    let service = with_key().await;
    let gcp = open(&service, Some("1")).await.unwrap();
    service.enable(NAME, 1, false);
    let error = gcp.sign(MESSAGE).await.unwrap_err();
    assert!(
        text(&error).contains("gcloud kms keys versions enable"),
        "{error}"
    );
    let error = open(&service, Some("1")).await.unwrap_err();
    assert!(
        text(&error).contains("gcloud kms keys versions enable"),
        "{error}"
    );
    let error = open(&service, None).await.unwrap_err();
    assert!(
        text(&error).contains("no version of it is enabled"),
        "{error}"
    );
}

#[tokio::test]
async fn a_sum_that_is_wrong_on_either_way_is_an_error() {
    let service = with_key().await;
    let gcp = open(&service, None).await.unwrap();
    for (quirk, expected) in [
        (Quirk::WrongChecksum, "the response was changed on the way"),
        (
            Quirk::UnverifiedChecksum,
            "the request was changed on the way",
        ),
    ] {
        service.fail(fault(FaultAnswer::Quirk(quirk), 1));
        let error = gcp.sign(MESSAGE).await.unwrap_err();
        assert!(text(&error).contains(expected), "{error}");
    }
    let wrong = Reply::from(200).body(format!(
        r#"{{"pem":"-----BEGIN PUBLIC KEY-----","algorithm":"EC_SIGN_P256_SHA256","pemCrc32c":"1","name":"{NAME}"}}"#
    ));
    service.fail(Fault::new("GET", "/publicKey", FaultAnswer::Status(wrong)));
    let error = gcp.reopen().await.unwrap_err();
    assert!(
        text(&error).contains("the response was changed on the way"),
        "{error}"
    );
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_does_not_is_an_error() {
    let service = with_key().await;
    let gcp = open(&service, None).await.unwrap();
    for answer in [
        FaultAnswer::Status(429.into()),
        FaultAnswer::Status(Reply::from(429).retry_after("1")),
        FaultAnswer::Status(503.into()),
        FaultAnswer::ResetAfterwards,
    ] {
        service.fail(fault(answer, 1));
        gcp.sign(MESSAGE).await.unwrap();
    }
    for (answer, requests, expected, retry) in [
        (
            FaultAnswer::Status(429.into()),
            3,
            "too many requests",
            Retry::Backoff,
        ),
        (
            FaultAnswer::Status(Reply::from(429).retry_after("60")),
            1,
            "too many requests",
            Retry::After(std::time::Duration::from_secs(60)),
        ),
        (FaultAnswer::EndlessBody, 3, "larger than", Retry::Backoff),
        (
            FaultAnswer::CutBody(5),
            3,
            "cannot sign with",
            Retry::Backoff,
        ),
        (
            FaultAnswer::Status(Reply::from(200).body("{}")),
            1,
            "malformed",
            Retry::Backoff,
        ),
        (
            FaultAnswer::Redirect {
                status: 307,
                to: "http://127.0.0.1:1".to_owned(),
            },
            1,
            "redirect",
            Retry::Backoff,
        ),
    ] {
        service.clear_requests();
        service.fail(fault(answer, usize::MAX));
        let error = gcp.sign(MESSAGE).await.unwrap_err();
        assert!(text(&error).contains(expected), "{expected}: {error}");
        assert_eq!(error.retry(), retry, "{error}");
        assert_eq!(service.count("POST", ""), requests, "{error}");
        service.clear_faults();
    }
}

#[tokio::test]
async fn a_refusal_says_what_to_do_and_shows_nothing_secret() {
    let log = Log::default();
    let _recording = log.record(trial::LEVELS);
    let service = with_key().await;
    for (permission, version) in [
        ("cloudkms.cryptoKeyVersions.list", None),
        ("cloudkms.cryptoKeyVersions.viewPublicKey", Some("1")),
        ("cloudkms.cryptoKeyVersions.useToSign", Some("1")),
    ] {
        let opened = open(&service, Some("1")).await.unwrap();
        service.deny(permission);
        let error = match permission {
            "cloudkms.cryptoKeyVersions.useToSign" => opened.sign(MESSAGE).await.unwrap_err(),
            _ => open(&service, version).await.unwrap_err(),
        };
        assert!(
            text(&error).contains(&format!("grant {permission} on the key")),
            "{error}"
        );
        service.allow(permission);
    }
    let gcp = open(&service, Some("1")).await.unwrap();
    for (status, name, expected) in [
        (403, "SERVICE_DISABLED", "gcloud services enable"),
        (
            403,
            "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "auth/cloud-platform",
        ),
        (401, "UNAUTHENTICATED", "does not accept the token"),
    ] {
        service.fail(fault(
            FaultAnswer::Quirk(Quirk::Refusal(status, name.to_owned())),
            1,
        ));
        let error = gcp.sign(MESSAGE).await.unwrap_err();
        assert!(text(&error).contains(expected), "{error}");
    }
    let error = open(&service, Some("99")).await.unwrap_err();
    assert!(
        text(&error).contains("check project, location, key ring and key"),
        "{error}"
    );
    for (suffix, kind, usage) in [
        ("e", Kind::P256, Usage::Encrypt),
        ("s", Kind::Secp256k1, Usage::Sign),
    ] {
        let name = format!("{NAME}-{suffix}");
        service.create(&name, kind, usage).unwrap();
        let key = GcpKey {
            name,
            version: None,
        };
        let error = Gcp::read(&key, line(&service)).await.unwrap_err();
        assert!(text(&error).contains("asymmetric-signing"), "{error}");
    }
    assert_eq!(format!("{gcp:?}"), format!("Gcp({})", gcp.version));
    trial::search(&log);
}

#[tokio::test]
async fn a_signature_by_another_key_is_not_taken() {
    let service = with_key().await;
    let gcp = open(&service, None).await.unwrap();
    service.fail(fault(FaultAnswer::Quirk(Quirk::OtherKey), 1));
    let signature = gcp.sign(MESSAGE).await.unwrap();
    let verified = gcp.public_key().verify(MESSAGE, &signature);
    assert_eq!(verified, Err(VerifyError::Mismatch));
    service.fail(fault(FaultAnswer::Quirk(Quirk::OtherName), 1));
    let error = gcp.sign(MESSAGE).await.unwrap_err();
    assert!(matches!(error, KmsError::Mismatch { .. }), "{error}");
}
