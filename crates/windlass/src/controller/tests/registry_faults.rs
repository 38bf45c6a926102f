//! Registries that fail: what becomes of the run for each way, and that nothing secret is seen
//! where it does not belong. The table in `docs/registries.md` names these tests.

use windlass_registry::{Clock, Timeouts};
use windlass_sandbox::registry::{
    Accounts, Authentication, Fault as RegistryFault, FaultAnswer as Answer, Grant,
    Options as RegistryOptions, Quirk, Registry, Reply, Tokens, User,
};

use super::planted::Planted;
use super::registries::{account, built, docker_secret, everywhere, image, verify_both};
use super::*;
use crate::telemetry::recorded::{EVERYTHING, Log};

const SECRET: &str = "wine-dark-sea";

/// A controller, and a registry that asks for tokens.
struct Stage {
    scene: Scene,
    registry: Registry,
    digest: String,
    clock: Clock,
    log: Log,
    _logging: tracing::subscriber::DefaultGuard,
}

impl Stage {
    async fn set() -> Self {
        let log = Log::default();
        let logging = log.record(EVERYTHING);
        let clock = Clock::manual();
        let mut options = options();
        options.pauses = (Duration::from_millis(10), Duration::from_millis(50));
        options.silence = options.pauses;
        options.registries.clock = clock.clone();
        options.registries.timeouts = Timeouts {
            connect: Duration::from_secs(1),
            first_byte: Duration::from_millis(300),
            idle: Duration::from_millis(200),
            request: Duration::from_millis(400),
        };
        let scene = Scene::with_options(options).await;
        let scene = scene.configured(everywhere()).await;
        let users = [User::new("pusher", SECRET, [Grant::push("team")])];
        let authentication = Authentication::Bearer(Accounts::of(users), Tokens::default());
        let registry = Registry::start(RegistryOptions {
            authentication,
            ..RegistryOptions::default()
        });
        let registry = registry.await.unwrap();
        let digest = image(&registry);
        docker_secret(&scene, "push", &registry.docker_config("pusher").unwrap());
        account(&scene, &json!({ "secrets": [{ "name": "push" }] }));
        Self {
            scene,
            registry,
            digest,
            clock,
            log,
            _logging: logging,
        }
    }

    /// Fails so many requests like this.
    fn fail(&self, method: &str, path: &str, times: usize, answer: Answer) {
        self.registry.fail(RegistryFault {
            method: Some(method.to_owned()),
            path_contains: path.to_owned(),
            times,
            answer,
            ..RegistryFault::default()
        });
    }

    fn start(&self) {
        self.scene
            .create(built("app", &self.registry, &self.digest));
    }

    /// The run waits, unmarked, and says why.
    async fn waits(&self, parts: &[&str]) {
        self.start();
        let reason = self.scene.reason("app").await;
        for part in parts {
            assert!(reason.contains(part), "{reason}");
        }
        let annotations = self.scene.annotations("app");
        assert!(!annotations.contains_key("chains.tekton.dev/signed"));
        self.scene.event("SigningIncomplete").await;
    }

    /// The registry is well again and the run gets what it waits for.
    async fn mend(self) {
        self.registry.clear_faults();
        // whoever mended it tells the controller by touching the settings, or waits for half an hour
        self.scene
            .configure(json!({ "artifacts.pipelinerun.enable-deep-inspection": "true" }))
            .await;
        self.end_signed().await;
    }

    /// The run is signed, everything is there once, and nothing secret was seen.
    async fn end_signed(self) {
        assert_eq!(self.scene.marked("app").await, "true");
        assert!(
            !self
                .scene
                .annotations("app")
                .contains_key("chains.tekton.dev/reason")
        );
        verify_both(&self.registry, &self.digest);
        // the line follows the write of the mark
        let log = || self.log.text();
        let written = |_: &Scene| log().contains("signed");
        self.scene.until("the log was written", written).await;
        let mut planted = Planted::of(&self.scene);
        planted.add("the password", SECRET);
        let tokens = self.registry.issued();
        assert!(!tokens.is_empty());
        for token in tokens {
            planted.add("a token", &token);
        }
        planted.search_everywhere(&self.scene, &log());
        self.scene.end().await;
    }

    fn slept(&self) -> Duration {
        self.clock.slept().iter().sum()
    }

    /// Which credentials the registry beside this one saw.
    async fn beside(&self) -> Registry {
        let options = RegistryOptions::default();
        self.registry.start_beside(options).await.unwrap()
    }
}

fn status(code: u16) -> Answer {
    Answer::Status(code.into())
}

#[tokio::test]
async fn a_refusal_of_every_credential_keeps_the_run_waiting_and_is_tried_again() {
    for code in [401, 403] {
        let stage = Stage::set().await;
        stage.fail("POST", "/blobs/uploads/", usize::MAX, status(code));
        let http = format!("HTTP {code}");
        stage
            .waits(&["secret default/push", &http, "no credential"])
            .await;
        stage.registry.clear_faults();
        stage.end_signed().await;
    }
}

#[tokio::test]
async fn a_repository_that_does_not_exist_keeps_the_run_waiting_and_says_so() {
    let stage = Stage::set().await;
    let body = r#"{"errors":[{"code":"NAME_UNKNOWN","message":"no such repository"}]}"#;
    let reply = Reply::from(404).body(body);
    stage.fail("POST", "/blobs/uploads/", usize::MAX, Answer::Status(reply));
    stage
        .waits(&["HTTP 404, NAME_UNKNOWN; create the repository"])
        .await;
    stage.mend().await;
}

#[tokio::test]
async fn a_tag_that_may_not_be_moved_keeps_the_run_waiting_and_says_what_to_do() {
    let stage = Stage::set().await;
    let body = r#"{"errors":[{"code":"TAG_INVALID","message":"the tag is immutable"}]}"#;
    let reply = Reply::from(409).body(body);
    stage.fail("PUT", "/manifests/", usize::MAX, Answer::Status(reply));
    stage
        .waits(&["HTTP 409", "does not allow this tag to be moved"])
        .await;
    stage.mend().await;
}

#[tokio::test]
async fn a_short_retry_after_is_waited_for() {
    let stage = Stage::set().await;
    let busy = Reply::from(429).retry_after("7");
    stage.fail("PUT", "/manifests/", 1, Answer::Status(busy));
    stage.start();
    stage.scene.marked("app").await;
    assert!(stage.clock.slept().contains(&Duration::from_secs(7)));
    stage.end_signed().await;
}

#[tokio::test]
async fn for_a_long_retry_after_the_run_waits_and_leaves_the_registry_in_peace() {
    let stage = Stage::set().await;
    let busy = Reply::from(429).retry_after("600");
    stage.fail("POST", "/blobs/uploads/", usize::MAX, Answer::Status(busy));
    stage
        .waits(&["HTTP 429", "limits the rate of requests"])
        .await;
    stage.registry.clear_requests();
    stage.scene.skip(Duration::from_secs(590)).await;
    stage.scene.settled_after_that("later").await;
    assert!(stage.registry.requests().is_empty());
    stage.registry.clear_faults();
    // pauses that were asked for are spread over a tenth more
    stage.scene.skip(Duration::from_secs(70)).await;
    stage.end_signed().await;
}

#[tokio::test]
async fn an_error_of_the_server_that_passes_is_not_seen() {
    for code in [500, 502, 503, 504] {
        let stage = Stage::set().await;
        stage.fail("PUT", ".att", 2, status(code));
        stage.start();
        stage.scene.marked("app").await;
        assert!(stage.slept() >= Duration::from_secs(4), "it backed off");
        stage.end_signed().await;
    }
}

#[tokio::test]
async fn ten_minutes_of_503_keep_the_run_waiting_and_lose_nothing() {
    let stage = Stage::set().await;
    stage.registry.fail(RegistryFault {
        times: usize::MAX,
        answer: status(503),
        ..RegistryFault::default()
    });
    stage.waits(&["HTTP 503", "try again later"]).await;
    let long = |stage: &Stage| stage.slept() > Duration::from_secs(600);
    stage
        .scene
        .until("ten minutes are over", |_| long(&stage))
        .await;
    let writes = stage.scene.run_requests("PATCH");
    assert_eq!(writes, 2, "what goes on the run, and the reason once");
    stage.registry.clear_faults();
    stage.end_signed().await;
}

#[tokio::test]
async fn a_reset_connection_is_not_seen() {
    for answer in [Answer::Reset, Answer::ResetAfterwards] {
        let stage = Stage::set().await;
        stage.fail("PUT", "/manifests/", 2, answer);
        stage.start();
        stage.end_signed().await;
    }
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_keeps_the_run_waiting() {
    let stage = Stage::set().await;
    let (chunk, delay) = (1, Duration::from_millis(150));
    let slow = Answer::SlowBody { chunk, delay };
    stage.fail("GET", "", usize::MAX, slow);
    stage.waits(&["no complete response from 127.0.0.1"]).await;
    stage.registry.clear_faults();
    stage.end_signed().await;
}

#[tokio::test]
async fn a_body_without_end_keeps_the_run_waiting() {
    let stage = Stage::set().await;
    stage.fail("GET", "/manifests/", usize::MAX, Answer::EndlessBody);
    stage.waits(&["larger than"]).await;
    stage.mend().await;
}

#[tokio::test]
async fn content_of_another_digest_keeps_the_run_waiting_and_is_not_added_to() {
    let stage = Stage::set().await;
    let tag = format!("{}.sig", stage.digest.replace(':', "-"));
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let theirs = stage.registry.manifest("team/app", "v1").unwrap().bytes;
    stage
        .registry
        .put_manifest("team/app", &tag, media_type, theirs.clone());
    stage.fail("GET", ".sig", usize::MAX, Answer::WrongContent);
    stage.waits(&["do not trust it"]).await;
    let kept = stage.registry.manifest("team/app", &tag).unwrap().bytes;
    assert_eq!(kept, theirs);
    stage.mend().await;
}

#[tokio::test]
async fn a_redirect_to_another_host_carries_no_credential() {
    let stage = Stage::set().await;
    let beside = stage.beside().await;
    let to = beside.url();
    let away = Answer::Redirect { status: 307, to };
    stage.fail("HEAD", "/blobs/", usize::MAX, away.clone());
    stage.fail("GET", "/manifests/", usize::MAX, away);
    stage.start();
    stage.scene.marked("app").await;
    let seen = beside.requests();
    assert!(!seen.is_empty(), "it was followed");
    assert!(seen.iter().all(|seen| seen.authorization.is_empty()));
    stage.registry.clear_faults();
    stage.end_signed().await;
}

#[tokio::test]
async fn an_upload_at_another_host_carries_no_credential() {
    let stage = Stage::set().await;
    let beside = stage.beside().await;
    let away = Answer::LocationAt(beside.url());
    stage.fail("POST", "/blobs/uploads/", usize::MAX, away);
    stage.start();
    stage.scene.marked("app").await;
    let seen = beside.requests();
    assert!(!seen.is_empty(), "it was followed");
    assert!(seen.iter().all(|seen| seen.authorization.is_empty()));
    stage.end_signed().await;
}

#[tokio::test]
async fn a_token_that_expires_in_the_middle_is_replaced() {
    let stage = Stage::set().await;
    stage.fail("PUT", "", 3, Answer::Quirk(Quirk::ExpiredToken));
    stage.start();
    stage.scene.marked("app").await;
    let requests = stage.registry.requests();
    let tokens = requests.iter().filter(|seen| seen.path == "/token").count();
    assert!(tokens > 1, "{tokens} tokens were asked for");
    stage.end_signed().await;
}
