//! Facts about credentials: which are tried, in which order, and where they are never sent.

use std::time::Duration;

use windlass_registry::keychain::{Account, Candidate, Keychain, Secret, Source};
use windlass_registry::{Credential, Error, Name, Retry, Tag};
use windlass_sandbox::registry::{
    Accounts, Authentication, FaultAnswer, Grant, Options, Quirk, Reply, TokenFields, Tokens, User,
};

use crate::at::{At, MANIFEST, image, password, start};

fn accounts() -> Accounts {
    let users = vec![
        User::new("push", "push-word", [Grant::push("team")]).with_identity_token("refresh-me"),
        User::new("pull", "pull-word", [Grant::pull("")]),
    ];
    Accounts {
        users,
        anonymous: vec![Grant::pull("public")],
    }
}

fn basic() -> Options {
    Options {
        authentication: Authentication::Basic(accounts()),
        ..Options::default()
    }
}

fn bearer(tokens: Tokens) -> Options {
    Options {
        authentication: Authentication::Bearer(accounts(), tokens),
        ..Options::default()
    }
}

fn token(credential: Credential) -> Candidate {
    Candidate {
        source: "secret ns/token".to_owned(),
        key: None,
        credential,
    }
}

async fn push_works(at: &At, candidate: Candidate) {
    let remote = at.remote_as("team/app", [candidate]);
    let (manifest, _) = image(&remote, b"layer").await;
    let tag = Name::Tag(Tag::parse("v1").unwrap());
    remote.put_manifest(&tag, MANIFEST, manifest).await.unwrap();
    assert!(at.registry.manifest("team/app", "v1").is_some());
}

#[tokio::test]
async fn a_name_and_password_are_sent_once_they_are_asked_for() {
    let at = start(basic()).await;
    push_works(&at, password("a", "push", "push-word")).await;
    let requests = at.registry.take_requests();
    assert_eq!(
        (requests[0].status, requests[0].authorization.as_str()),
        (401, "")
    );
    assert!(
        requests[1..]
            .iter()
            .all(|seen| seen.authorization == "Basic push"),
        "{requests:?}"
    );
}

#[tokio::test]
async fn what_one_repository_asked_for_is_not_sent_to_another_before_that_asks_itself() {
    // behind one host, paths may belong to different owners
    for options in [basic(), bearer(Tokens::default())] {
        let at = start(options).await;
        let thief = at.remote_as("thief/app", [password("b", "pull", "pull-word")]);
        let _ = thief.can_push().await;
        assert!(!at.registry.take_requests().is_empty());
        let remote = at.remote_as("team/app", [password("a", "push", "push-word")]);
        remote.can_push().await.unwrap();
        let seen = at.registry.take_requests();
        let first = (seen[0].status, seen[0].authorization.as_str());
        assert_eq!(first, (401, ""), "{seen:?}");
        assert!(seen[0].path.starts_with("/v2/team/app/"), "{seen:?}");
        // and what it asked for itself is remembered
        remote.can_push().await.unwrap();
        assert!(at.seen().iter().all(|seen| !seen.ends_with(" 401")));
    }
}

#[tokio::test]
async fn one_token_is_asked_for_and_used_for_all_of_a_push() {
    for fields in [
        TokenFields::Both,
        TokenFields::Token,
        TokenFields::AccessToken,
    ] {
        let at = start(bearer(Tokens {
            fields,
            ..Tokens::default()
        }))
        .await;
        push_works(&at, password("a", "push", "push-word")).await;
        let seen = at.registry.take_requests();
        let asked = seen.iter().filter(|seen| seen.path == "/token").count();
        assert_eq!(asked, 1);
        assert_eq!(seen.iter().filter(|seen| seen.status == 401).count(), 1);
    }
}

#[tokio::test]
async fn an_identity_token_is_exchanged() {
    let at = start(bearer(Tokens::default())).await;
    let identity = Credential::IdentityToken("refresh-me".to_owned().into());
    push_works(&at, token(identity)).await;
    let seen = at.registry.take_requests();
    let asked = seen.iter().find(|seen| seen.path == "/token").unwrap();
    assert_eq!((asked.method.as_str(), asked.query.as_str()), ("POST", ""));
}

#[tokio::test]
async fn a_registry_token_is_sent_as_it_is() {
    let at = start(bearer(Tokens::default())).await;
    let issued = at
        .registry
        .issue("push", "repository:team/app:pull,push")
        .unwrap();
    push_works(&at, token(Credential::RegistryToken(issued.into()))).await;
    assert!(
        at.registry
            .take_requests()
            .iter()
            .all(|seen| seen.path != "/token")
    );
}

#[tokio::test]
async fn what_anyone_may_read_is_read_without_a_credential() {
    for options in [basic(), bearer(Tokens::default())] {
        let at = start(options).await;
        at.registry.put_manifest("public/app", "v1", MANIFEST, "{}");
        let tag = Name::Tag(Tag::parse("v1").unwrap());
        let stored = at.remote("public/app").get_manifest(&tag).await.unwrap();
        assert!(stored.is_some());
    }
}

#[tokio::test]
async fn a_pull_only_credential_before_the_push_one_is_passed_over_in_both_orders() {
    for options in [
        basic(),
        bearer(Tokens::default()),
        bearer(Tokens {
            denied: 403,
            ..Tokens::default()
        }),
    ] {
        for reversed in [false, true] {
            let at = start(options.clone()).await;
            let mut candidates = vec![
                password("pull", "pull", "pull-word"),
                password("push", "push", "push-word"),
            ];
            if reversed {
                candidates.reverse();
            }
            let remote = at.remote_as("team/app", candidates);
            let (manifest, digest) = image(&remote, b"layer").await;
            remote
                .put_manifest(&digest.into(), MANIFEST, manifest.clone())
                .await
                .unwrap();
            at.registry.clear_requests();
            remote.push_blob(&"more".into(), None).await.unwrap();
            assert!(
                !at.seen()
                    .iter()
                    .any(|seen| seen.ends_with("401") || seen.ends_with("403"))
            );
        }
    }
}

#[tokio::test]
async fn what_worked_is_tried_first_by_the_next_run_of_the_account() {
    let at = start(basic()).await;
    let keychain = Keychain::default();
    let account = Account {
        namespace: "ns".to_owned(),
        name: "builder".to_owned(),
    };
    let secret = |name: &str, user: &str| {
        let auth = serde_json::json!({"username": user, "password": format!("{user}-word")});
        let auths = serde_json::json!({"auths": {at.registry.host(): auth}}).to_string();
        Source::Secret(Secret {
            name: format!("ns/{name}"),
            kind: "kubernetes.io/dockerconfigjson".to_owned(),
            data: [(".dockerconfigjson".to_owned(), auths.into_bytes().into())].into(),
            annotations: [].into(),
        })
    };
    let sources = [secret("a", "pull"), secret("b", "push")];
    let repository = at.repository("team/app");
    for round in 0..2 {
        at.registry.clear_requests();
        let found = keychain.candidates(&account, &sources, &repository);
        assert_eq!(found.warnings, []);
        let remote = at.client.repository(repository.clone(), found.candidates);
        remote.can_push().await.unwrap();
        let refused = at
            .seen()
            .iter()
            .filter(|seen| seen.ends_with(" 403"))
            .count();
        assert_eq!(refused, 1 - round);
    }
}

#[tokio::test]
async fn when_all_are_refused_one_error_lists_each_without_a_value() {
    let at = start(basic()).await;
    let identity = token(Credential::IdentityToken("refresh-me".to_owned().into()));
    let candidates = [
        password("wrong", "push", "hunter22"),
        password("pull", "pull", "pull-word"),
        identity,
    ];
    let remote = at.remote_as("team/app", candidates);
    let error = remote.can_push().await.unwrap_err();
    assert_eq!(error.retry(), Retry::Never);
    let Error::Denied { attempts, .. } = &error else {
        panic!("{error:?}");
    };
    let statuses: Vec<_> = attempts.iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [Some(401), Some(403), None, Some(401)]);
    let text = format!("{error} {error:?}");
    for part in [
        "secret ns/wrong (for 127.0.0.1): HTTP 401",
        "secret ns/pull",
        "no credential",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    for secret in ["hunter22", "pull-word", "refresh-me"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(text.contains(&format!("{}/team/app", at.registry.host())));
}

#[tokio::test]
async fn a_password_the_token_endpoint_refuses_is_one_attempt() {
    let at = start(bearer(Tokens::default())).await;
    let remote = at.remote_as("team/app", [password("wrong", "push", "hunter22")]);
    let Err(Error::Denied { attempts, .. }) = remote.can_push().await else {
        panic!("it was let in");
    };
    assert_eq!(attempts.len(), 2);
    assert!(
        attempts[0].message.contains("token endpoint"),
        "{attempts:?}"
    );
}

#[tokio::test]
async fn a_credential_that_is_not_there_is_passed_over_and_named() {
    let at = start(basic()).await;
    let missing = Candidate {
        source: "identity of this process".to_owned(),
        key: None,
        credential: Credential::Unavailable("there is no role".to_owned()),
    };
    let right = password("a", "push", "push-word");
    let remote = at.remote_as("team/app", [missing.clone(), right]);
    remote.push_blob(&"x".into(), None).await.unwrap();
    let remote = at.remote_as("team/app", [missing]);
    let error = remote.push_blob(&"y".into(), None).await.unwrap_err();
    let text = error.to_string();
    let named = "identity of this process: not used, there is no role";
    assert!(text.contains(named), "{text}");
}

#[tokio::test]
async fn each_candidate_can_be_asked_for_what_it_may_do() {
    let at = start(basic()).await;
    let candidates = [
        password("pull", "pull", "pull-word"),
        password("push", "push", "push-word"),
    ];
    let remote = at.remote_as("team/app", candidates);
    let mut may = Vec::new();
    for only in remote.candidates().each() {
        let alone = at.client.repository(at.repository("team/app"), only);
        may.push(alone.can_push().await.is_ok());
    }
    assert_eq!(may, [false, true, false]);
}

#[tokio::test]
async fn an_expired_token_is_replaced_once() {
    let at = start(bearer(Tokens::default())).await;
    let remote = at.remote_as("team/app", [password("a", "push", "push-word")]);
    remote.push_blob(&"one".into(), None).await.unwrap();
    at.registry.expire_tokens();
    at.registry.clear_requests();
    remote.push_blob(&"two".into(), None).await.unwrap();
    assert_eq!(
        at.seen(),
        ["HEAD 401", "GET 200", "HEAD 404", "POST 202", "PUT 201"]
    );
}

#[tokio::test]
async fn a_token_is_replaced_before_it_expires() {
    let at = start(bearer(Tokens::default())).await;
    let remote = at.remote_as("team/app", [password("a", "push", "push-word")]);
    remote.push_blob(&"one".into(), None).await.unwrap();
    at.registry.clear_requests();
    at.clock.advance(Duration::from_secs(295));
    remote.push_blob(&"one".into(), None).await.unwrap();
    assert_eq!(at.seen(), ["GET 200", "HEAD 200"]);
}

#[tokio::test]
async fn a_registry_that_never_accepts_its_tokens_is_asked_twice_and_no_more() {
    let at = start(bearer(Tokens::default())).await;
    at.always("/v2/team/", FaultAnswer::Quirk(Quirk::ExpiredToken));
    let remote = at.remote_as("team/app", [password("a", "push", "push-word")]);
    assert!(matches!(remote.can_push().await, Err(Error::Denied { .. })));
    let asked = at.seen();
    assert!(asked.len() <= 8, "{asked:?}");
}

#[tokio::test]
async fn many_at_once_share_one_token() {
    let at = start(bearer(Tokens::default())).await;
    let remote = at.remote_as("team/app", [password("a", "push", "push-word")]);
    let pushes = (0..10).map(|number| {
        let remote = remote.clone();
        async move { remote.push_blob(&format!("{number}").into(), None).await }
    });
    for pushed in futures::future::join_all(pushes).await {
        pushed.unwrap();
    }
    let seen = at.registry.take_requests();
    assert_eq!(seen.iter().filter(|seen| seen.path == "/token").count(), 1);
}

#[tokio::test]
async fn a_redirect_to_another_host_gets_no_credential() {
    let at = start(basic()).await;
    let digest = at.registry.put_blob("team/app", "layer");
    let beside = at.registry.start_beside(Options::default()).await.unwrap();
    let to = beside.url();
    at.fail(
        "GET",
        "/blobs/",
        9,
        FaultAnswer::Redirect { status: 307, to },
    );
    let remote = at.remote_as("team/app", [password("a", "push", "push-word")]);
    let digest = windlass_registry::Digest::parse(&digest).unwrap();
    // The fault stands before the question for a credential: make the client know it first.
    remote.tags().await.unwrap();
    let content = remote.get_blob(&digest, 100).await.unwrap().unwrap();
    assert_eq!(content, "layer");
    let home = at.registry.take_requests();
    assert!(
        home.iter()
            .any(|seen| seen.status == 307 && seen.authorization == "Basic push")
    );
    let away = beside.take_requests();
    assert!(!away.is_empty() && away.iter().all(|seen| seen.authorization.is_empty()));
}

#[tokio::test]
async fn an_upload_at_another_host_gets_no_credential() {
    let at = start(basic()).await;
    let beside = at.registry.start_beside(Options::default()).await.unwrap();
    at.fail(
        "POST",
        "/blobs/uploads/",
        9,
        FaultAnswer::LocationAt(beside.url()),
    );
    let remote = at.remote_as("team/app", [password("a", "push", "push-word")]);
    remote.push_blob(&"layer".into(), None).await.unwrap();
    let away = beside.take_requests();
    assert_eq!(away.len(), 1);
    assert_eq!(
        (away[0].method.as_str(), away[0].authorization.as_str()),
        ("PUT", "")
    );
}

#[tokio::test]
async fn a_host_led_to_that_asks_for_a_credential_is_given_none() {
    let at = start(basic()).await;
    let digest = at.registry.put_blob("team/app", "layer");
    let beside = at.registry.start_beside(basic()).await.unwrap();
    let to = beside.url();
    at.fail(
        "GET",
        "/blobs/",
        9,
        FaultAnswer::Redirect { status: 302, to },
    );
    let remote = at.remote_as("team/app", [password("a", "push", "push-word")]);
    remote.tags().await.unwrap();
    let digest = windlass_registry::Digest::parse(&digest).unwrap();
    let error = remote.get_blob(&digest, 100).await.unwrap_err();
    assert_eq!(error.status(), Some(401), "{error}");
    assert!(
        beside
            .take_requests()
            .iter()
            .all(|seen| seen.authorization.is_empty())
    );
}

#[tokio::test]
async fn a_redirect_to_plain_http_elsewhere_is_not_followed() {
    let at = start(Options::default()).await;
    let to = "http://192.0.2.1".to_owned();
    at.fail(
        "GET",
        "/manifests/",
        9,
        FaultAnswer::Redirect { status: 307, to },
    );
    let tag = Name::Tag(Tag::parse("v1").unwrap());
    let error = at.remote("team/app").get_manifest(&tag).await.unwrap_err();
    assert_eq!(error.retry(), Retry::Never);
    let text = error.to_string();
    assert!(
        text.contains("http://192.0.2.1") && text.contains("not HTTPS"),
        "{text}"
    );
}

#[tokio::test]
async fn a_token_endpoint_in_plain_http_elsewhere_gets_no_credential() {
    let at = start(bearer(Tokens {
        realm: Some("http://192.0.2.1/token".to_owned()),
        ..Tokens::default()
    }))
    .await;
    let remote = at.remote_as("team/app", [password("a", "push", "push-word")]);
    let error = remote.can_push().await.unwrap_err().to_string();
    assert!(error.contains("plain HTTP"), "{error}");
}

#[tokio::test]
async fn a_credential_a_registry_sends_back_is_not_shown() {
    let at = start(basic()).await;
    let remote = at.remote_as("team/app", [password("a", "push", "push-word")]);
    remote.tags().await.unwrap();
    let echo = Reply::from(400).body("you sent push:push-word\u{7}!");
    at.always("/blobs/", FaultAnswer::Status(echo));
    let error = remote.can_push().await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(
        text.contains("you sent [redacted]") && !text.contains("push-word"),
        "{text}"
    );
}

#[tokio::test]
async fn a_credential_for_a_team_is_not_for_another_of_a_longer_name() {
    let at = start(basic()).await;
    let host = at.registry.host();
    let config =
        format!(r#"{{"auths":{{"{host}/team":{{"username":"push","password":"push-word"}}}}}}"#);
    let source = Source::DockerConfig {
        path: "config.json".to_owned(),
        content: config.into_bytes().into(),
    };
    let sources = [source];
    let find = |path| windlass_registry::keychain::find(&sources, &at.repository(path)).candidates;
    let remote = at
        .client
        .repository(at.repository("team-b/app"), find("team-b/app"));
    assert!(remote.can_push().await.is_err());
    assert!(
        at.registry
            .take_requests()
            .iter()
            .all(|seen| seen.authorization.is_empty())
    );
    let remote = at
        .client
        .repository(at.repository("team/app"), find("team/app"));
    remote.can_push().await.unwrap();
}

#[tokio::test]
async fn of_requests_that_come_together_one_asks_what_the_repository_wants() {
    let push = || password("a", "push", "push-word");
    for options in [basic(), bearer(Tokens::default())] {
        let at = start(options).await;
        let remote = at.remote_as("team/app", [push()]);
        let asks = (0..8).map(|_| remote.can_push());
        for asked in futures::future::join_all(asks).await {
            asked.unwrap();
        }
        let requests = at.registry.take_requests().into_iter();
        let refused = requests.filter(|seen| seen.status == 401).count();
        assert_eq!(refused, 1);
    }
}

#[tokio::test]
async fn at_a_registry_that_wants_nothing_requests_do_not_wait_for_each_other() {
    let at = start(Options::default()).await;
    let remote = at.remote("team/app");
    remote.can_push().await.unwrap();
    let gate = windlass_sandbox::Gate::new();
    at.fail(
        "GET",
        "/manifests/slow",
        1,
        FaultAnswer::Pause(gate.clone()),
    );
    let slow = Name::Tag(Tag::parse("slow").unwrap());
    let slow = remote.get_manifest(&slow);
    let quick = async {
        gate.reached(1).await;
        remote.can_push().await.unwrap();
        gate.release();
    };
    let (slow, ()) = tokio::join!(slow, quick);
    assert!(slow.unwrap().is_none());
}

#[tokio::test]
async fn once_a_first_request_fails_nobody_waits_for_the_next() {
    let at = start(basic()).await;
    at.fail("POST", "/v2/team/", 1, FaultAnswer::Reset);
    let remote = at.remote_as("team/app", [password("a", "push", "push-word")]);
    let asks = (0..8).map(|_| remote.can_push());
    for asked in futures::future::join_all(asks).await {
        asked.unwrap();
    }
}
