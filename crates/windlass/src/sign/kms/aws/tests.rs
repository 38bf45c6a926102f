use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use windlass_core::key::VerifyError;
use windlass_core::retry::Retry;
use windlass_sandbox::kms::{Account, Fault, FaultAnswer, KeyService, Kind, Quirk, Service, Usage};

use super::*;
use crate::cloud::aws::Identity;
use crate::sign::kms::trial::{self, KINDS, account, text};
use crate::telemetry::recorded::Log;

const REGION: &str = "eu-west-1";
const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const MESSAGE: &[u8] = b"message";

fn line(service: &KeyService, account: &Account, region: &str) -> Arc<Line> {
    let session = Some(account.session.clone()).filter(|session| !session.is_empty());
    let credentials = Credentials::new(
        &account.access_key,
        &account.secret_key,
        session,
        None,
        "test",
    );
    let identity = Identity::of(SharedCredentialsProvider::new(credentials));
    Arc::new(Line::new(identity, region.to_owned(), service.url()).unwrap())
}

fn key(id: &str) -> AwsKey {
    AwsKey {
        endpoint: None,
        id: id.to_owned(),
    }
}

async fn open(service: &KeyService, id: &str) -> Result<Aws, KmsError> {
    Aws::read(&key(id), line(service, &account(), REGION)).await
}

/// A service with one key of P-256.
async fn with_key() -> KeyService {
    let service = trial::start(Service::Aws).await;
    service.create(ID, Kind::P256, Usage::Sign).unwrap();
    service
}

fn fault(operation: FaultAnswer, times: usize) -> Fault {
    Fault::new("POST", "/", operation).repeated(times)
}

fn refusal(status: u16, name: &str) -> FaultAnswer {
    FaultAnswer::Quirk(Quirk::Refusal(status, name.to_owned()))
}

#[tokio::test]
async fn every_kind_of_key_signs_with_its_first_algorithm() {
    let service = trial::start(Service::Aws).await;
    for (usage, is_pss) in [(Usage::Sign, false), (Usage::SignPss, true)] {
        for (kind, pkcs1, pss) in KINDS {
            let id = format!("{kind:?}-{usage:?}");
            service.create(&id, kind, usage).unwrap();
            let aws = open(&service, &id).await.unwrap();
            assert_eq!(
                Some(aws.public_key().der()),
                service.public_key(&id, 1).as_deref()
            );
            let signature = aws.sign(MESSAGE).await.unwrap();
            let expected = if is_pss { pss } else { pkcs1 };
            let verified = aws.public_key().verify(MESSAGE, &signature);
            assert_eq!(verified, Ok(expected), "{id}");
            let is_random = signature != aws.sign(MESSAGE).await.unwrap();
            assert_eq!(aws.is_random(), is_random, "{id}");
        }
    }
}

#[tokio::test]
async fn a_key_is_found_by_its_id_its_alias_and_their_arns() {
    let service = with_key().await;
    service.alias("alias/team/signer", ID);
    for id in [
        ID,
        "alias/team/signer",
        "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:eu-west-1:123456789012:alias/team/signer",
    ] {
        let aws = open(&service, id).await.unwrap();
        let signature = aws.sign(MESSAGE).await.unwrap();
        assert!(aws.public_key().verify(MESSAGE, &signature).is_ok(), "{id}");
        assert_eq!(aws.name(), format!("key {id} of AWS KMS in eu-west-1"));
    }
}

#[tokio::test]
async fn an_alias_that_names_another_key_signs_nothing_until_it_is_read_again() {
    let service = with_key().await;
    service.create("another", Kind::P256, Usage::Sign).unwrap();
    service.alias("alias/signer", ID);
    let before = open(&service, "alias/signer").await.unwrap();
    before.sign(MESSAGE).await.unwrap();
    service.alias("alias/signer", "another");
    let error = before.sign(MESSAGE).await.unwrap_err();
    assert!(matches!(error, KmsError::Mismatch { .. }), "{error}");
    let after = before.reopen().await.unwrap();
    assert_ne!(after.public_key(), before.public_key());
    let signature = after.sign(MESSAGE).await.unwrap();
    assert!(after.public_key().verify(MESSAGE, &signature).is_ok());
    assert!(before.public_key().verify(MESSAGE, &signature).is_err());
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let service = with_key().await;
    let aws = open(&service, ID).await.unwrap();
    for answer in [
        refusal(400, "ThrottlingException"),
        refusal(500, "KMSInternalException"),
        FaultAnswer::Status(503.into()),
        FaultAnswer::Reset,
        FaultAnswer::ResetAfterwards,
        FaultAnswer::CutBody(20),
    ] {
        service.clear_requests();
        service.fail(fault(answer.clone(), 2));
        let signature = aws.sign(MESSAGE).await;
        let signature = signature.unwrap_or_else(|error| panic!("{answer:?}: {}", text(&error)));
        assert!(aws.public_key().verify(MESSAGE, &signature).is_ok());
        assert_eq!(service.count("POST", "/"), 3, "{answer:?}");
    }
}

#[tokio::test]
async fn what_does_not_pass_is_tried_no_more_than_three_times() {
    let service = with_key().await;
    let aws = open(&service, ID).await.unwrap();
    for (answer, requests, expected) in [
        (refusal(400, "ThrottlingException"), 3, "higher quota"),
        (FaultAnswer::Status(500.into()), 3, "HTTP 500"),
        (refusal(400, "ValidationException"), 1, "HTTP 400"),
        (FaultAnswer::EndlessBody, 3, "larger than"),
        (
            FaultAnswer::RedirectTo("http://127.0.0.1:1/".to_owned()),
            1,
            "redirect",
        ),
        (
            FaultAnswer::Status(windlass_sandbox::Reply::from(200).body("planted")),
            1,
            "malformed",
        ),
        (
            FaultAnswer::Status(windlass_sandbox::Reply::from(400).body("planted")),
            1,
            "HTTP 400",
        ),
    ] {
        service.clear_requests();
        service.fail(fault(answer, usize::MAX));
        let error = aws.sign(MESSAGE).await.unwrap_err();
        assert!(text(&error).contains(expected), "{expected}: {error}");
        assert_eq!(error.retry(), Retry::Backoff, "{error}");
        assert_eq!(service.count("POST", "/"), requests, "{error}");
        service.clear_faults();
    }
}

#[tokio::test]
async fn a_session_that_has_ended_is_replaced_once() {
    let service = with_key().await;
    let aws = open(&service, ID).await.unwrap();
    service.fail(fault(refusal(400, "ExpiredTokenException"), 1));
    aws.sign(MESSAGE).await.unwrap();
    service.fail(fault(refusal(400, "ExpiredTokenException"), 2));
    service.clear_requests();
    let error = aws.sign(MESSAGE).await.unwrap_err();
    assert!(text(&error).contains("the session has ended"), "{error}");
    assert_eq!(service.count("POST", "/"), 2);
}

#[tokio::test]
async fn a_refusal_says_what_to_do() {
    let service = with_key().await;
    service
        .create("encrypts", Kind::Rsa2048, Usage::Encrypt)
        .unwrap();
    service.create("disabled", Kind::P256, Usage::Sign).unwrap();
    service.enable("disabled", 1, false);
    service
        .create("koblitz", Kind::Secp256k1, Usage::Sign)
        .unwrap();
    let elsewhere = "arn:aws:kms:us-east-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    for (id, expected) in [
        (
            "nothing",
            "does not exist; check the name, and the region: set AWS_REGION",
        ),
        (elsewhere, "does not exist; check the name, and the region"),
        ("encrypts", "usage is not SIGN_VERIFY"),
        ("disabled", "aws kms enable-key"),
        ("koblitz", "curve 1.3.132.0.10) is not supported"),
    ] {
        let error = open(&service, id).await.unwrap_err();
        assert!(text(&error).contains(expected), "{id}: {}", text(&error));
    }
    for permission in ["kms:Sign", "kms:GetPublicKey", "kms:DescribeKey"] {
        let aws = open(&service, ID).await.unwrap();
        service.deny(permission);
        let error = match permission {
            "kms:Sign" => aws.sign(MESSAGE).await.unwrap_err(),
            _ => open(&service, ID).await.unwrap_err(),
        };
        let text = text(&error);
        assert!(text.starts_with("not allowed to "), "{text}");
        assert!(
            text.contains(&format!("grant {permission} on the key")),
            "{text}"
        );
        service.allow(permission);
    }
}

#[tokio::test]
async fn a_key_that_is_disabled_after_it_was_read_says_so() {
    let service = with_key().await;
    let aws = open(&service, ID).await.unwrap();
    service.enable(ID, 1, false);
    let error = aws.sign(MESSAGE).await.unwrap_err();
    assert!(matches!(error, KmsError::Unusable { .. }), "{error}");
    assert!(text(&error).contains("aws kms enable-key"), "{error}");
}

#[tokio::test]
async fn a_wrong_key_and_a_wrong_clock_are_told_apart_and_nothing_secret_is_shown() {
    let log = Log::default();
    let _recording = log.record(trial::LEVELS);
    let service = with_key().await;
    let mut wrong = [account(), account(), account()];
    "planted-wrong".clone_into(&mut wrong[0].secret_key);
    "planted-wrong".clone_into(&mut wrong[1].access_key);
    "planted-wrong".clone_into(&mut wrong[2].session);
    let expected = [
        "check the secret access key",
        "does not know the access key",
        "does not know",
    ];
    for (account, expected) in wrong.iter().zip(expected) {
        let line = line(&service, account, REGION);
        let error = Aws::read(&key(ID), Arc::clone(&line)).await.unwrap_err();
        assert!(text(&error).contains(expected), "{}", text(&error));
        assert!(!format!("{line:?}").to_lowercase().contains("planted"));
    }
    let aws = open(&service, ID).await.unwrap();
    assert_eq!(format!("{aws:?}"), format!("Aws({})", aws.name()));
    service.skip_time(std::time::Duration::from_secs(3600));
    let error = aws.sign(MESSAGE).await.unwrap_err();
    assert!(
        text(&error).contains("the clock of this machine is wrong"),
        "{error}"
    );
    drop(service);
    let error = aws.sign(MESSAGE).await.unwrap_err();
    assert!(text(&error).starts_with("cannot sign with key"), "{error}");
    trial::search(&log);
}

#[tokio::test]
async fn a_signature_by_another_key_is_not_taken() {
    let service = with_key().await;
    let aws = open(&service, ID).await.unwrap();
    service.fail(fault(FaultAnswer::Quirk(Quirk::OtherKey), 1));
    let signature = aws.sign(MESSAGE).await.unwrap();
    let verified = aws.public_key().verify(MESSAGE, &signature);
    assert_eq!(verified, Err(VerifyError::Mismatch));
    service.fail(fault(FaultAnswer::Quirk(Quirk::OtherName), 1));
    let error = aws.sign(MESSAGE).await.unwrap_err();
    assert!(matches!(error, KmsError::Mismatch { .. }), "{error}");
}
