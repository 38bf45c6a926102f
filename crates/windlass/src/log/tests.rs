//! The client of a log against one on loopback that fails, repeats itself and lies.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use windlass_core::error::Chain;
use windlass_core::image::Image;
use windlass_core::key::PrivateKey;
use windlass_core::payload::Payload;
use windlass_core::retry::Retry;
use windlass_core::signed::{Artifact, Identity, Repeatability, Signature, message};
use windlass_sandbox::rekor::{Fault, FaultAnswer, Options, Quirk, Rekor as Server};

use super::*;
use crate::service::breaker::OPEN;

mod version_two;

const ENTRIES: &str = "/api/v1/log/entries";
const STAMPED: &[Stamped] = &[Stamped::Signature];
/// Requests that one call makes of a server that fails.
const ATTEMPTS: usize = 3;

/// A log, and the client of it.
struct Stage {
    server: Server,
    logs: Logs,
    config: Config,
}

fn config(entries: &[(&str, &str)], own: &[(&str, &str)]) -> Config {
    let map = |entries: &[(&str, &str)]| {
        let entries = entries.iter();
        let entries = entries.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        entries.collect::<BTreeMap<_, _>>()
    };
    Config::parse(&map(entries), &map(own)).unwrap().config
}

impl Stage {
    async fn new() -> Self {
        Self::with(Options::default()).await
    }

    async fn with(options: Options) -> Self {
        let server = Server::start(options).await.unwrap();
        let url = server.url();
        let entries = [("transparency.enabled", "true"), ("transparency.url", &url)];
        Self {
            config: config(&entries, &[]),
            logs: Logs::new(OPEN, Circuits::default()),
            server,
        }
    }

    /// The same with the public key of the log in the settings.
    fn pinned(mut self, key: &str) -> Self {
        let url = self.server.url();
        let entries = [("transparency.enabled", "true"), ("transparency.url", &url)];
        self.config = config(&entries, &[("transparency.public-key", key)]);
        self
    }

    async fn add(&self, signed: &Signed, claimed: Option<&str>) -> Result<Added, LogError> {
        let until = Instant::now() + Duration::from_secs(30);
        let url = claimed.map(str::to_owned);
        let claimed = Claimed {
            url,
            ..Claimed::default()
        };
        let run = json!({ "kind": "TaskRun", "metadata": { "uid": "u" } }).to_string();
        let run = Run::parse(run.as_bytes()).unwrap();
        let log = self.logs.of(&self.config, &run);
        log.add(&run, (signed, STAMPED), claimed, until).await
    }

    async fn refused(&self, signed: &Signed) -> (Retry, String) {
        let error = self.add(signed, None).await.unwrap_err();
        assert!(signed.entry.get().is_none());
        (error.retry(), Chain(&error).to_string())
    }

    fn lies(&self, quirk: Quirk) {
        let answer = FaultAnswer::Quirk(quirk);
        self.server.fail(Fault::new("POST", ENTRIES, answer));
    }
}

fn image(number: u8) -> Image {
    Image::parse(&format!("r.io/app@sha256:{number:064x}")).unwrap()
}

fn signed_by(key: &PrivateKey, payload: Payload) -> Signed {
    let signature = Signature {
        bytes: key.sign(&message(&payload)).unwrap(),
        identity: Arc::new(Identity::Key(key.public_key().clone())),
        repeatability: Repeatability::Repeatable,
    };
    Signed::new(Artifact::Image(image(1)), payload, signature)
}

fn key() -> PrivateKey {
    PrivateKey::generate_p256(&[7; 32]).unwrap()
}

fn statement(number: u8) -> Signed {
    signed_by(&key(), Payload::image_statement(&image(number)))
}

fn url_of(signed: &Signed) -> &str {
    &signed.entry.get().unwrap().url
}

#[tokio::test]
async fn an_entry_is_added_by_one_request_and_the_key_of_the_log_read_once() {
    let prefix = "/log/1".to_owned();
    let stage = Stage::with(Options { prefix }).await;
    let image = signed_by(&key(), Payload::of_image(&image(1)));
    for (number, signed) in [statement(1), image].iter().enumerate() {
        assert_eq!(stage.add(signed, None).await.unwrap(), Added::Now);
        let url = format!("{}{ENTRIES}?logIndex={number}", stage.server.url());
        assert_eq!(url_of(signed), url);
        // and not again
        assert_eq!(stage.add(signed, None).await.unwrap(), Added::Nothing);
    }
    assert_eq!(stage.server.count("POST", ""), 2);
    assert_eq!(stage.server.count("GET", ""), 1);
    assert_eq!(stage.server.connections(), 1);
}

#[tokio::test]
async fn what_the_log_has_already_is_read_where_it_says_and_not_added_again() {
    let stage = Stage::new().await;
    for lost in [
        FaultAnswer::StatusAfterwards(503.into()),
        FaultAnswer::ResetAfterwards,
        FaultAnswer::StatusAfterwards(500.into()),
    ] {
        stage.server.fail(Fault::new("POST", ENTRIES, lost));
        let signed = statement(1);
        assert!(stage.add(&signed, None).await.is_ok() || stage.add(&signed, None).await.is_ok());
        assert!(url_of(&signed).ends_with("?logIndex=0"));
    }
    assert_eq!(stage.server.entries().len(), 1);
}

#[tokio::test]
async fn no_other_server_is_asked_for_the_entry_that_the_log_has_already() {
    let stage = Stage::new().await;
    let other = Server::start(Options::default()).await.unwrap();
    stage.add(&statement(1), None).await.unwrap();
    let place = |place: &str| FaultAnswer::Header("location".parse().unwrap(), place.to_owned());
    for answer in [
        FaultAnswer::LocationAt(other.url()),
        FaultAnswer::WithoutHeader("location".parse().unwrap()),
        place("/api/v1/log/entries/../../../secret"),
        place(&format!("//{}/{}", other.host(), "0a".repeat(32))),
    ] {
        stage.server.fail(Fault::new("POST", ENTRIES, answer));
        let (retry, text) = stage.refused(&statement(1)).await;
        assert_eq!(retry, Retry::Backoff);
        assert!(text.contains("is not asked"), "{text}");
    }
    assert!(other.requests().is_empty());
    // with its own path it is found
    let answer = FaultAnswer::RelativeLocation;
    stage.server.fail(Fault::new("POST", ENTRIES, answer));
    stage.add(&statement(1), None).await.unwrap();
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let stage = Stage::new().await;
    let other = Server::start(Options::default()).await.unwrap();
    let (status, to) = (307, other.url());
    let answer = FaultAnswer::Redirect { status, to };
    stage.server.fail(Fault::new("POST", ENTRIES, answer));
    let (_, text) = stage.refused(&statement(1)).await;
    assert!(text.contains("redirect"), "{text}");
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn a_log_that_lies_is_not_believed_and_the_error_says_which_check_failed() {
    for (quirk, why) in [
        (Quirk::OtherEntry, "the entry of another signature"),
        (
            Quirk::OtherLogId,
            "its log ID is not that of the public key",
        ),
        (Quirk::OtherPromise, "signed entry timestamp was not made"),
        (Quirk::Future, "time in the future"),
        (Quirk::OtherRoot, "does not lead to the root"),
        (Quirk::OtherSigner, "the log did not sign it"),
        (Quirk::OtherTree, "another tree than the checkpoint"),
        (Quirk::NoProof, "has no inclusion proof"),
    ] {
        let stage = Stage::new().await;
        stage.add(&statement(9), None).await.unwrap();
        stage.lies(quirk);
        let (retry, text) = stage.refused(&statement(1)).await;
        assert!(text.contains(why), "{quirk:?}: {text}");
        assert_eq!(retry, Retry::Backoff);
        // the truth is found the next time, and is one entry
        stage.add(&statement(1), None).await.unwrap();
        assert_eq!(stage.server.entries().len(), 2, "{quirk:?}");
    }
}

#[tokio::test]
async fn a_log_with_another_key_than_that_of_the_settings_is_not_believed() {
    let stage = Stage::new().await;
    let stage = stage.pinned(&key().public_key().to_pem());
    let (_, text) = stage.refused(&statement(1)).await;
    assert!(text.contains("transparency.public-key"), "{text}");
    let right = stage.server.public_key();
    let stage = stage.pinned(&right);
    stage.add(&statement(1), None).await.unwrap();
    assert_eq!(stage.server.count("GET", "publicKey"), 0);
}

#[tokio::test]
async fn without_a_key_in_the_settings_a_new_key_of_the_log_is_read() {
    let stage = Stage::new().await;
    stage.add(&statement(1), None).await.unwrap();
    stage.server.replace_key().unwrap();
    stage.add(&statement(2), None).await.unwrap();
    assert_eq!(stage.server.count("GET", "publicKey"), 2);
}

#[tokio::test]
async fn what_a_run_claims_is_looked_up_in_the_log_of_the_settings_and_nowhere_else() {
    let stage = Stage::new().await;
    let other = Server::start(Options::default()).await.unwrap();
    stage.add(&statement(9), None).await.unwrap();
    stage.add(&statement(1), None).await.unwrap();
    let claim = |number: u64| format!("{}{ENTRIES}?logIndex={number}", other.url());
    let signed = statement(1);
    assert_eq!(
        stage.add(&signed, Some(&claim(1))).await.unwrap(),
        Added::Nothing
    );
    assert!(url_of(&signed).starts_with(&stage.server.url()));
    let posts = stage.server.count("POST", "");
    // that is the entry of another signature, and there is no such entry
    for number in [0, 77] {
        let signed = statement(1);
        let added = stage.add(&signed, Some(&claim(number))).await;
        assert_eq!(added.unwrap(), Added::Now);
        assert!(url_of(&signed).ends_with("?logIndex=1"));
    }
    assert_eq!(stage.server.count("POST", ""), posts + 2);
    let signed = statement(1);
    stage
        .add(&signed, Some("http://169.254.169.254/"))
        .await
        .unwrap();
    assert_eq!(stage.server.entries().len(), 2);
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn a_failure_that_may_pass_is_tried_again_and_what_the_log_says_is_not_repeated() {
    let stage = Stage::new().await;
    let planted = "planted-text";
    for (status, wanted, text) in [
        (500, Retry::Backoff, "HTTP 500"),
        (
            429,
            Retry::After(Duration::from_secs(90)),
            "too many requests",
        ),
        (400, Retry::Settings, "refuses the entry (HTTP 400)"),
        (404, Retry::Backoff, "HTTP 404"),
    ] {
        let reply = windlass_sandbox::Reply::from(status).body(planted);
        let reply = if status == 429 {
            reply.retry_after("90")
        } else {
            reply
        };
        let answer = FaultAnswer::Status(reply);
        stage
            .server
            .fail(Fault::new("POST", ENTRIES, answer).repeated(ATTEMPTS));
        let (retry, told) = stage.refused(&statement(1)).await;
        stage.server.clear_faults();
        assert_eq!(retry, wanted, "{told}");
        assert!(told.contains(text) && !told.contains(planted), "{told}");
    }
    for (number, answer) in [
        (2, FaultAnswer::EndlessBody),
        (3, FaultAnswer::WrongContent),
    ] {
        stage
            .server
            .fail(Fault::new("POST", ENTRIES, answer).repeated(ATTEMPTS));
        stage.refused(&statement(number)).await;
        stage.server.clear_faults();
    }
    stage.add(&statement(1), None).await.unwrap();
    assert_eq!(stage.server.entries().len(), 3);
}

#[tokio::test]
async fn a_log_that_hangs_is_given_up_in_time_and_then_left_in_peace_by_all_runs() {
    let stage = Stage::new().await;
    stage.add(&statement(9), None).await.unwrap();
    stage
        .server
        .fail(Fault::new("POST", ENTRIES, FaultAnswer::Hang).repeated(usize::MAX));
    tokio::time::pause();
    for _ in 0..3 {
        let hanging = statement(1);
        let (result, ()) = tokio::join!(stage.add(&hanging, None), async {
            for second in 0..50 {
                // the server's side is real
                if second % 10 == 0 {
                    tokio::task::yield_now().await;
                }
                tokio::time::advance(Duration::from_secs(1)).await;
            }
        });
        assert!(result.is_err());
    }
    tokio::time::resume();
    let asked = stage.server.requests().len();
    let (retry, text) = stage.refused(&statement(1)).await;
    assert!(matches!(retry, Retry::After(_)), "{text}");
    assert!(text.contains("not responded for a while"), "{text}");
    assert_eq!(stage.server.requests().len(), asked, "nothing was sent");
}

#[tokio::test]
async fn a_signature_that_the_log_does_not_take_is_not_sent_and_that_is_said() {
    let stage = Stage::new().await;
    let p384 = include_bytes!("../../../core/tests/fixtures/keys/import-p384/cosign.key");
    let password = include_str!("../../../core/tests/fixtures/keys/import-p384/cosign.password");
    let key = PrivateKey::from_cosign(p384, password.as_bytes());
    let key = key.unwrap_or_else(|error| panic!("{error}"));
    let (retry, text) = stage
        .refused(&signed_by(&key, Payload::image_statement(&image(1))))
        .await;
    assert_eq!(retry, Retry::Settings);
    assert!(
        text.contains("ECDSA with SHA-384 of an attestation"),
        "{text}"
    );
    assert!(stage.server.requests().is_empty());
    // by its hash it is taken
    let signed = signed_by(&key, Payload::of_image(&image(1)));
    stage.add(&signed, None).await.unwrap();
    assert!(stage.server.entries()[0].contains("sha384"));
}

#[tokio::test]
async fn a_hash_that_the_log_does_not_take_with_a_key_is_named_once_the_log_refuses_it() {
    let stage = Stage::new().await;
    let p384 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let key = PrivateKey::from_x509_pem(p384.serialize_pem().as_bytes());
    let key = key.unwrap_or_else(|error| panic!("{error}"));
    let (retry, text) = stage
        .refused(&signed_by(&key, Payload::of_image(&image(1))))
        .await;
    assert_eq!(retry, Retry::Settings);
    assert!(
        text.contains(
            "ECDSA with SHA-256 with a key of ECDSA P-384; use P-256 with SHA-256, P-384 with"
        ),
        "{text}"
    );
    assert_eq!(stage.server.requests().len(), 1, "the log decides");
    // a whole statement is taken
    let signed = signed_by(&key, Payload::image_statement(&image(1)));
    stage.add(&signed, None).await.unwrap();
}

#[tokio::test]
async fn a_run_has_a_say_in_whether_there_is_an_entry_only_where_the_settings_give_it_one() {
    let stage = Stage::new().await;
    let url = stage.server.url();
    for (mode, asked, wanted) in [
        ("true", None, true),
        ("true", Some("false"), true),
        ("manual", None, false),
        ("manual", Some("True"), false),
        ("manual", Some("true"), true),
        ("false", Some("true"), false),
    ] {
        let entries = [("transparency.enabled", mode), ("transparency.url", &*url)];
        let config = config(&entries, &[]);
        let run = json!({ "kind": "TaskRun", "metadata": {
            "uid": "u", "annotations": { "chains.tekton.dev/transparency-upload": asked },
        }});
        let mut run = run;
        if asked.is_none() {
            run["metadata"]["annotations"] = json!({});
        }
        let run = run.to_string();
        let run = Run::parse(run.as_bytes()).unwrap();
        assert_eq!(
            stage.logs.of(&config, &run).is_on(),
            wanted,
            "{mode} {asked:?}"
        );
    }
}
