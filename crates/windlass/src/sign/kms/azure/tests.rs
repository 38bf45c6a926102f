use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::time::OffsetDateTime;
use windlass_core::key::VerifyError;
use windlass_sandbox::Reply;
use windlass_sandbox::kms::{Fault, FaultAnswer, KeyService, Kind, Quirk, Service, Usage};

use super::*;
use crate::cloud::azure::Identity;
use crate::sign::kms::trial::{self, KINDS, account, text};
use crate::telemetry::recorded::Log;

const NAME: &str = "signer";
const SCOPE: &str = "https://vault.azure.net/.default";
const MESSAGE: &[u8] = b"message";

/// An identity with the token of the account.
#[derive(Debug)]
struct Entra;

#[async_trait::async_trait]
impl TokenCredential for Entra {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        assert_eq!(scopes, [SCOPE]);
        Ok(AccessToken::new(account().token, OffsetDateTime::now_utc()))
    }
}

fn key(name: &str, version: Option<&str>) -> AzureKey {
    AzureKey {
        host: "team.vault.azure.net".to_owned(),
        name: name.to_owned(),
        version: version.map(str::to_owned),
    }
}

fn line(service: &KeyService) -> Arc<Line> {
    let identity = Identity::of(Arc::new(Entra));
    Arc::new(Line::new(identity, SCOPE, service.url()).unwrap())
}

async fn open(service: &KeyService, version: Option<&str>) -> Result<Azure, KmsError> {
    Azure::read(&key(NAME, version), line(service)).await
}

async fn with_key() -> KeyService {
    let service = trial::start(Service::Azure).await;
    service.create(NAME, Kind::P256, Usage::Sign).unwrap();
    service
}

fn fault(answer: FaultAnswer, times: usize) -> Fault {
    Fault::new("POST", "/sign", answer).repeated(times)
}

#[tokio::test]
async fn every_kind_of_key_of_a_hardware_module_signs_with_the_hash_of_its_size() {
    let service = trial::start(Service::Azure).await;
    for (kind, scheme, _) in KINDS {
        let name = format!("{kind:?}");
        service.create(&name, kind, Usage::Sign).unwrap();
        let azure = Azure::read(&key(&name, None), line(&service))
            .await
            .unwrap();
        assert_eq!(
            Some(azure.public_key().der()),
            service.public_key(&name, 1).as_deref()
        );
        let signature = azure.sign(MESSAGE).await.unwrap();
        let verified = azure.public_key().verify(MESSAGE, &signature);
        assert_eq!(verified, Ok(scheme), "{name}");
        let is_random = signature != azure.sign(MESSAGE).await.unwrap();
        assert_eq!(azure.is_random(), is_random, "{name}");
    }
}

#[tokio::test]
async fn a_rotation_between_two_signatures_changes_neither_version_nor_key_until_it_is_read_again()
{
    let service = with_key().await;
    let azure = open(&service, None).await.unwrap();
    azure.sign(MESSAGE).await.unwrap();
    service.create(NAME, Kind::P256, Usage::Sign).unwrap();
    let signature = azure.sign(MESSAGE).await.unwrap();
    assert!(azure.public_key().verify(MESSAGE, &signature).is_ok());
    let next = azure.reopen().await.unwrap();
    assert_ne!(next.name(), azure.name());
    assert_eq!(
        Some(next.public_key().der()),
        service.public_key(NAME, 2).as_deref()
    );
    // a version that the reference names stays
    let first = service.version_id(NAME, 1).unwrap();
    let pinned = open(&service, Some(&first)).await.unwrap();
    assert_eq!(pinned.reopen().await.unwrap().name(), azure.name());
}

#[tokio::test]
async fn a_version_that_is_disabled_is_read_and_signs_nothing() {
    let service = with_key().await;
    let azure = open(&service, None).await.unwrap();
    service.enable(NAME, 1, false);
    let error = azure.sign(MESSAGE).await.unwrap_err();
    assert!(text(&error).contains("it is disabled"), "{error}");
    let again = azure.reopen().await.unwrap();
    assert_eq!(again.public_key(), azure.public_key());
    service.clear_requests();
    let error = again.sign(MESSAGE).await.unwrap_err();
    assert!(text(&error).contains("--enabled true"), "{error}");
    assert_eq!(service.count("POST", ""), 0);
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_does_not_is_an_error() {
    let service = with_key().await;
    let azure = open(&service, None).await.unwrap();
    for answer in [
        FaultAnswer::Status(429.into()),
        FaultAnswer::Status(500.into()),
        FaultAnswer::Reset,
        FaultAnswer::CutBody(30),
    ] {
        service.fail(fault(answer, 2));
        azure.sign(MESSAGE).await.unwrap();
    }
    for (answer, expected) in [
        (FaultAnswer::Status(429.into()), "too many requests"),
        (FaultAnswer::Status(503.into()), "HTTP 503"),
        (FaultAnswer::EndlessBody, "larger than"),
        (
            FaultAnswer::Status(Reply::from(200).body("planted")),
            "malformed",
        ),
        (
            FaultAnswer::Redirect {
                status: 302,
                to: "http://127.0.0.1:1".to_owned(),
            },
            "redirect",
        ),
    ] {
        service.fail(fault(answer, usize::MAX));
        let error = azure.sign(MESSAGE).await.unwrap_err();
        assert!(text(&error).contains(expected), "{expected}: {error}");
        service.clear_faults();
    }
}

#[tokio::test]
async fn a_refusal_says_what_to_do_and_shows_nothing_secret() {
    let log = Log::default();
    let _recording = log.record(trial::LEVELS);
    let service = with_key().await;
    let azure = open(&service, None).await.unwrap();
    let sign = "Microsoft.KeyVault/vaults/keys/sign/action";
    service.deny(sign);
    let error = azure.sign(MESSAGE).await.unwrap_err();
    assert!(
        text(&error).contains(&format!("grant {sign} to this identity")),
        "{error}"
    );
    service.allow(sign);
    let read = "Microsoft.KeyVault/vaults/keys/read";
    service.deny(read);
    let error = open(&service, None).await.unwrap_err();
    assert!(
        text(&error).contains(&format!("grant {read} to this identity")),
        "{error}"
    );
    service.allow(read);
    for (status, name, expected) in [
        (403, "ForbiddenByFirewall", "in the firewall of the vault"),
        (403, "KeyDisabled", "it is disabled"),
        (401, "Unauthorized", "does not accept the token"),
    ] {
        service.fail(fault(
            FaultAnswer::Quirk(Quirk::Refusal(status, name.to_owned())),
            1,
        ));
        let error = azure.sign(MESSAGE).await.unwrap_err();
        assert!(text(&error).contains(expected), "{error}");
    }
    let error = Azure::read(&key("nothing", None), line(&service))
        .await
        .unwrap_err();
    assert!(
        text(&error).contains("check the vault and the name"),
        "{error}"
    );
    service
        .create("encrypts", Kind::Rsa2048, Usage::Encrypt)
        .unwrap();
    let encrypts = Azure::read(&key("encrypts", None), line(&service))
        .await
        .unwrap();
    let error = encrypts.sign(MESSAGE).await.unwrap_err();
    assert!(
        text(&error).contains("`sign` is not among its operations"),
        "{error}"
    );
    service
        .create("koblitz", Kind::Secp256k1, Usage::Sign)
        .unwrap();
    let error = Azure::read(&key("koblitz", None), line(&service))
        .await
        .unwrap_err();
    assert!(
        text(&error).contains("(P256K) is not supported"),
        "{}",
        text(&error)
    );
    assert_eq!(format!("{azure:?}"), format!("Azure({})", azure.name()));
    trial::search(&log);
}

#[tokio::test]
async fn a_signature_by_another_key_is_not_taken() {
    let service = with_key().await;
    let azure = open(&service, None).await.unwrap();
    service.fail(fault(FaultAnswer::Quirk(Quirk::OtherKey), 1));
    let signature = azure.sign(MESSAGE).await.unwrap();
    let verified = azure.public_key().verify(MESSAGE, &signature);
    assert_eq!(verified, Err(VerifyError::Mismatch));
    service.fail(fault(FaultAnswer::Quirk(Quirk::OtherName), 1));
    let error = azure.sign(MESSAGE).await.unwrap_err();
    assert!(matches!(error, KmsError::Mismatch { .. }), "{error}");
}
