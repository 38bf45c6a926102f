//! Credentials: passwords, tokens, scopes.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{IMAGE, TestRequest, TestResponse, call, get, send};
use crate::registry::{
    Accounts, Authentication, Fault, FaultAnswer, Grant, Options, Quirk, Registry, TokenFields,
    Tokens, User,
};

const FORM: &str = "application/x-www-form-urlencoded";

fn accounts() -> Accounts {
    Accounts {
        users: vec![
            User::new("alice", "pass:word", [Grant::push("team")])
                .with_identity_token("alices-identity"),
            User::new("reader", "read", [Grant::pull("team")]),
            User::new("root", "root", [Grant::all("")]),
        ],
        anonymous: vec![Grant::pull("public")],
    }
}

async fn started(authentication: Authentication) -> Registry {
    let options = Options {
        authentication,
        ..Options::default()
    };
    let registry = Registry::start(options).await.unwrap();
    for name in ["team/app", "team-b/app", "public/app"] {
        registry.put_manifest(name, "v1", IMAGE, "{}");
    }
    registry
}

async fn bearer(tokens: Tokens) -> Registry {
    started(Authentication::Bearer(accounts(), tokens)).await
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

async fn with(registry: &Registry, authorization: &str, method: &str, path: &str) -> TestResponse {
    let ask = TestRequest {
        method,
        path,
        headers: &[("authorization", authorization)],
        body: b"",
    };
    send(registry, ask).await
}

/// A token of a user for some scopes, from the endpoint.
async fn token(registry: &Registry, user: &str, password: &str, scope: &str) -> String {
    let path = format!("/token?service=windlass-sandbox&scope={scope}");
    let got = with(registry, &basic(user, password), "GET", &path).await;
    assert_eq!(got.status, 200);
    format!("Bearer {}", got.json()["token"].as_str().unwrap())
}

async fn post(registry: &Registry, form: &str) -> TestResponse {
    let ask = TestRequest {
        method: "POST",
        path: "/token",
        headers: &[("content-type", FORM)],
        body: form.as_bytes(),
    };
    send(registry, ask).await
}

#[tokio::test]
async fn a_password_opens_what_its_user_is_granted() {
    let registry = started(Authentication::Basic(accounts())).await;
    let cases = [
        (
            "alice",
            "pass:word",
            "GET",
            "/v2/team/app/manifests/v1",
            200,
        ),
        (
            "alice",
            "pass:word",
            "GET",
            "/v2/team-b/app/manifests/v1",
            403,
        ),
        (
            "alice",
            "pass:word",
            "POST",
            "/v2/team/app/blobs/uploads/",
            202,
        ),
        (
            "alice",
            "pass:word",
            "DELETE",
            "/v2/team/app/manifests/v1",
            403,
        ),
        ("alice", "pass", "GET", "/v2/team/app/manifests/v1", 401),
        ("reader", "read", "GET", "/v2/", 200),
        ("reader", "read", "POST", "/v2/team/app/blobs/uploads/", 403),
        ("root", "root", "DELETE", "/v2/team-b/app/manifests/v1", 202),
        ("nobody", "", "GET", "/v2/public/app/manifests/v1", 401),
    ];
    for (user, password, method, path, status) in cases {
        let got = with(&registry, &basic(user, password), method, path).await;
        assert_eq!(got.status, status, "{user} {method} {path}");
    }
    assert_eq!(registry.open_uploads(), 1);
}

#[tokio::test]
async fn without_a_password_a_challenge_asks_for_one() {
    let registry = started(Authentication::Basic(accounts())).await;
    for path in ["/v2/", "/v2/_catalog", "/v2/team/app/manifests/v1"] {
        let got = get(&registry, path).await;
        assert_eq!((got.status, got.code()), (401, "UNAUTHORIZED".into()));
        let challenge = got.header("www-authenticate");
        assert_eq!(challenge, "Basic realm=\"windlass sandbox\"");
    }
    assert_eq!(
        get(&registry, "/v2/public/app/manifests/v1").await.status,
        200
    );
    let uploads = "/v2/public/app/blobs/uploads/";
    assert_eq!(call(&registry, "POST", uploads, b"").await.status, 401);
    assert_eq!(get(&registry, "/token").await.status, 404);
}

#[tokio::test]
async fn a_challenge_names_realm_service_and_scope() {
    let registry = bearer(Tokens::default()).await;
    let got = call(&registry, "POST", "/v2/team/app/blobs/uploads/", b"").await;
    let realm = format!(
        "Bearer realm=\"{}/token\",service=\"windlass-sandbox\"",
        registry.url()
    );
    let scope = "scope=\"repository:team/app:pull,push\"";
    assert_eq!(
        (got.status, got.header("www-authenticate")),
        (401, &*format!("{realm},{scope}"))
    );
    let got = get(&registry, "/v2/").await;
    assert_eq!((got.status, got.header("www-authenticate")), (401, &*realm));
}

#[tokio::test]
async fn a_token_reaches_as_far_as_its_scopes_and_its_user() {
    let registry = bearer(Tokens::default()).await;
    let app = "repository:team/app:pull,push,delete";
    let token_of_alice = token(&registry, "alice", "pass:word", app).await;
    let got = with(
        &registry,
        &token_of_alice,
        "POST",
        "/v2/team/app/blobs/uploads/",
    )
    .await;
    assert_eq!(got.status, 202);
    for (method, path) in [
        ("GET", "/v2/team/other/manifests/v1"),
        ("DELETE", "/v2/team/app/manifests/v1"),
        ("GET", "/v2/_catalog"),
    ] {
        let got = with(&registry, &token_of_alice, method, path).await;
        assert_eq!(got.status, 401, "{method} {path}");
        let challenge = got.header("www-authenticate");
        assert!(
            challenge.ends_with("error=\"insufficient_scope\""),
            "{challenge}"
        );
    }
    let reader = token(&registry, "reader", "read", app).await;
    let got = with(&registry, &reader, "POST", "/v2/team/app/blobs/uploads/").await;
    assert_eq!(got.status, 401);
    let got = with(&registry, &basic("alice", "pass:word"), "GET", "/v2/").await;
    assert_eq!(got.status, 401, "a password is no token");
}

#[tokio::test]
async fn a_token_for_several_scopes_mounts_across_repositories() {
    let registry = bearer(Tokens::default()).await;
    let digest = registry.put_blob("team/base", "layer");
    let one = "repository:team/app:push,pull";
    let path = format!("/v2/team/app/blobs/uploads/?mount={digest}&from=team/base");
    let got = call(&registry, "POST", &path, b"").await;
    let wanted = "scope=\"repository:team/base:pull repository:team/app:pull,push\"";
    assert!(got.header("www-authenticate").ends_with(wanted));
    let narrow = token(&registry, "alice", "pass:word", one).await;
    assert_eq!(with(&registry, &narrow, "POST", &path).await.status, 202);
    for both in ["%20", "&scope="] {
        let scope = format!("{one}{both}repository:team/base:pull");
        let wide = token(&registry, "alice", "pass:word", &scope).await;
        assert_eq!(with(&registry, &wide, "POST", &path).await.status, 201);
    }
}

#[tokio::test]
async fn the_refusal_of_a_token_can_be_403() {
    let registry = bearer(Tokens {
        denied: 403,
        ..Tokens::default()
    })
    .await;
    let reader = token(&registry, "reader", "read", "repository:team/app:pull,push").await;
    let got = with(&registry, &reader, "POST", "/v2/team/app/blobs/uploads/").await;
    assert_eq!((got.status, got.code()), (403, "DENIED".into()));
}

#[tokio::test]
async fn anyone_gets_a_token_for_what_anyone_may_do() {
    let registry = bearer(Tokens::default()).await;
    for (name, status) in [("public/app", 200), ("team/app", 401)] {
        let got = get(&registry, &format!("/token?scope=repository:{name}:pull")).await;
        let token = format!("Bearer {}", got.json()["token"].as_str().unwrap());
        let path = format!("/v2/{name}/manifests/v1");
        assert_eq!(
            with(&registry, &token, "GET", &path).await.status,
            status,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_token_ends_with_its_lifetime() {
    let registry = bearer(Tokens {
        lifetime: Duration::from_secs(60),
        ..Tokens::default()
    })
    .await;
    let token = token(&registry, "reader", "read", "repository:team/app:pull").await;
    let path = "/v2/team/app/manifests/v1";
    registry.skip_time(Duration::from_secs(55));
    assert_eq!(with(&registry, &token, "GET", path).await.status, 200);
    registry.skip_time(Duration::from_secs(5));
    let got = with(&registry, &token, "GET", path).await;
    assert_eq!(got.status, 401);
    assert!(
        got.header("www-authenticate")
            .ends_with("error=\"invalid_token\"")
    );
}

#[tokio::test]
async fn a_fault_ends_the_token_of_a_request() {
    let registry = bearer(Tokens::default()).await;
    let token = token(&registry, "reader", "read", "repository:team/app:pull").await;
    registry.fail(Fault {
        answer: FaultAnswer::Quirk(Quirk::ExpiredToken),
        ..Fault::default()
    });
    let path = "/v2/team/app/manifests/v1";
    for _ in 0..2 {
        assert_eq!(with(&registry, &token, "GET", path).await.status, 401);
    }
    let other = registry
        .issue("reader", "repository:team/app:pull")
        .unwrap();
    assert_eq!(
        with(&registry, &format!("Bearer {other}"), "GET", path)
            .await
            .status,
        200
    );
    registry.expire_tokens();
    assert_eq!(
        with(&registry, &format!("Bearer {other}"), "GET", path)
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn a_wrong_password_gets_no_token_and_a_wrong_service_neither() {
    let registry = bearer(Tokens::default()).await;
    let got = with(&registry, &basic("alice", "wrong"), "GET", "/token").await;
    assert_eq!(got.status, 401);
    let path = "/token?service=127.0.0.1";
    assert_eq!(
        with(&registry, &basic("reader", "read"), "GET", path)
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn an_identity_token_is_exchanged() {
    let registry = bearer(Tokens::default()).await;
    let form = "grant_type=refresh_token&service=windlass-sandbox&client_id=facts\
                &scope=repository%3Ateam%2Fapp%3Apull%2Cpush%2Cdelete&refresh_token=";
    let got = post(&registry, &format!("{form}alices-identity")).await;
    assert_eq!(got.status, 200);
    let answer: Value = got.json();
    assert_eq!(answer["scope"], "repository:team/app:pull,push");
    assert_eq!(answer["refresh_token"], "alices-identity");
    let token = format!("Bearer {}", answer["access_token"].as_str().unwrap());
    let got = with(&registry, &token, "POST", "/v2/team/app/blobs/uploads/").await;
    assert_eq!(got.status, 202);
    assert_eq!(post(&registry, &format!("{form}other")).await.status, 401);
    let nameless = form.replace("client_id", "client");
    assert_eq!(
        post(&registry, &format!("{nameless}alices-identity"))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_refresh_token_is_issued_when_asked_for() {
    let registry = bearer(Tokens::default()).await;
    let alice = basic("alice", "pass:word");
    let got = with(&registry, &alice, "GET", "/token?offline_token=true").await;
    let refresh = got.json()["refresh_token"].as_str().unwrap().to_owned();
    let form = "grant_type=refresh_token&service=windlass-sandbox&client_id=facts&refresh_token=";
    assert_eq!(
        post(&registry, &format!("{form}{refresh}")).await.status,
        200
    );
    let form = "grant_type=password&service=windlass-sandbox&client_id=facts&username=alice";
    let got = post(&registry, &format!("{form}&password=pass%3Aword")).await;
    assert_eq!(
        (got.status, got.json()["refresh_token"].clone()),
        (200, Value::Null)
    );
    assert_eq!(
        post(&registry, &format!("{form}&password=no")).await.status,
        401
    );
}

#[tokio::test]
async fn the_answer_names_the_token_as_chosen() {
    for (fields, token, access_token) in [
        (TokenFields::Both, true, true),
        (TokenFields::Token, true, false),
        (TokenFields::AccessToken, false, true),
    ] {
        let tokens = Tokens {
            fields,
            oauth2: false,
            ..Tokens::default()
        };
        let registry = bearer(tokens).await;
        let answer = get(&registry, "/token").await.json();
        assert_eq!(answer["token"].is_string(), token);
        assert_eq!(answer["access_token"].is_string(), access_token);
        assert_eq!(answer["expires_in"], 300);
        assert_eq!(post(&registry, "").await.status, 404);
    }
}

#[tokio::test]
async fn the_realm_may_be_another_registry_beside_this_one() {
    let issuing = bearer(Tokens::default()).await;
    let tokens = Tokens {
        realm: Some(format!("{}/token", issuing.url())),
        ..Tokens::default()
    };
    let options = Options {
        authentication: Authentication::Bearer(accounts(), tokens),
        ..Options::default()
    };
    let registry = issuing.start_beside(options).await.unwrap();
    let got = get(&registry, "/v2/").await;
    assert!(got.header("www-authenticate").contains(&issuing.url()));
    let token = token(&issuing, "reader", "read", "repository:team/app:pull").await;
    let got = with(&registry, &token, "GET", "/v2/team/app/manifests/v1").await;
    assert_eq!(got.status, 200);
}

#[tokio::test]
async fn the_catalog_holds_what_its_reader_may_pull() {
    let registry = bearer(Tokens::default()).await;
    let reader = token(&registry, "reader", "read", "registry:catalog:*").await;
    let got = with(&registry, &reader, "GET", "/v2/_catalog").await;
    assert_eq!(got.json(), json!({"repositories": ["team/app"]}));
    let anyone = get(&registry, "/token?scope=registry:catalog:*")
        .await
        .json();
    let anyone = format!("Bearer {}", anyone["token"].as_str().unwrap());
    let got = with(&registry, &anyone, "GET", "/v2/_catalog").await;
    assert_eq!(got.status, 401);
}

#[tokio::test]
async fn the_log_names_users_and_numbers_of_tokens_and_no_secret() {
    let registry = bearer(Tokens::default()).await;
    let sent = token(&registry, "alice", "pass:word", "repository:team/app:pull").await;
    with(&registry, &sent, "GET", "/v2/").await;
    with(&registry, "Bearer made-up", "GET", "/v2/").await;
    with(&registry, "garbage", "GET", "/v2/").await;
    get(&registry, "/v2/").await;
    let seen = registry.requests();
    let shown: Vec<&str> = seen.iter().map(|seen| &*seen.authorization).collect();
    assert_eq!(
        shown,
        [
            "Basic alice",
            "Bearer 1",
            "Bearer unknown",
            "unreadable",
            ""
        ]
    );
    let log = format!("{seen:?} {registry:?}");
    for secret in [
        "pass:word",
        "made-up",
        "alices-identity",
        sent.split_once(' ').unwrap().1,
    ] {
        assert!(!log.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_docker_configuration_opens_the_registry_to_its_user() {
    let registry = started(Authentication::Basic(accounts())).await;
    let config: Value = serde_json::from_str(&registry.docker_config("alice").unwrap()).unwrap();
    let auth = config["auths"][registry.host()]["auth"].as_str().unwrap();
    let got = with(&registry, &format!("Basic {auth}"), "GET", "/v2/").await;
    assert_eq!(got.status, 200);
    assert!(registry.docker_config("nobody").is_none());
}
