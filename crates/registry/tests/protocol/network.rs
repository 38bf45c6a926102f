//! Where the client connects: not to forbidden addresses, however they are spelt and whoever names
//! them.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::header::{LINK, LOCATION, WWW_AUTHENTICATE};
use windlass_core::network::{Network, Rules};
use windlass_registry::{Client, Error, Lookup, Policy, Remote, Repository, Retry, Tenant};
use windlass_sandbox::registry::{FaultAnswer, Options, Registry};

use super::at::{At, anonymous, options, password, start};

/// Forbidden addresses as the host of a registry or a URL.
const SPELLINGS: [&str; 74] = [
    // loopback: dotted, short, decimal, hexadecimal, octal, mixed, with a trailing dot
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "127.0.0.1.",
    "2130706433",
    "2130706433.",
    "0x7f000001",
    "0X7F000001",
    "0x7f.0.0.1",
    "0x7F.1",
    "0x7f.0x0.0x0.0x1",
    "0177.0.0.1",
    "0177.1",
    "00177.0.0.01",
    "017700000001",
    "0x7f.0.0.01",
    // escaped and in other scripts
    "%31%32%37.0.0.1",
    "127%2e0%2E0%2e1",
    "127\u{3002}0\u{3002}0\u{3002}1",
    "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
    "\u{2460}\u{2461}\u{2466}.0.0.1",
    // names of this machine
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "A.LocalHost.",
    "%6cocalhost",
    // IPv6, and what embeds IPv4
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::0.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::FFFF:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:0001]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[::ffff:0:127.0.0.1]",
    "[2002:7f00:1::]",
    "[2002:7f00:1:2:3:4:5:6]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[64:ff9b:1:7f00:0:100::]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "[2001:470::5efe:127.0.0.1]",
    "[::1%25lo]",
    // unspecified
    "0.0.0.0",
    "0",
    "0x0",
    "0.",
    "[::]",
    "[::ffff:0.0.0.0]",
    // link-local and metadata services
    "169.254.169.254",
    "169.254.43518",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "[::ffff:169.254.169.254]",
    "[2002:a9fe:a9fe::]",
    "[64:ff9b::169.254.169.254]",
    "[fe80::1]",
    "[FEBF::1]",
    "[fe80::1%25eth0]",
    "[fd00:ec2::254]",
    "100.100.100.200",
    // multicast and broadcast
    "224.0.0.1",
    "[ff02::1]",
    "255.255.255.255",
    "4294967295",
    "0xffffffff",
    "037777777777",
    "0xff.255.0377.255",
];

/// Names that resolve to forbidden addresses, alone or among others.
const NAMES: [(&str, &[&str]); 8] = [
    ("loopback.example", &["127.0.0.1"]),
    ("LoopBack.Example.", &["127.0.0.1"]),
    ("mapped.example", &["::ffff:127.0.0.1"]),
    ("nat64.example", &["64:ff9b::127.0.0.1"]),
    ("metadata.example", &["169.254.169.254"]),
    ("second.example", &["8.8.8.8", "127.0.0.1"]),
    ("first.example", &["127.0.0.1", "8.8.8.8"]),
    ("both.example", &["2606:4700::1111", "fe80::1"]),
];

/// The host of the registry that the operator allows, whatever it resolves to.
const HOME: &str = "registry.test";

fn addresses(of: &[&str]) -> Vec<IpAddr> {
    of.iter().map(|address| address.parse().unwrap()).collect()
}

/// The options of a controller, for whom `HOME` is allowed and has no TLS.
fn guarded(home: &Registry) -> windlass_registry::Options {
    let allow = Rules::parse(HOME).unwrap();
    let port = home.host().rsplit(':').next().unwrap().to_owned();
    windlass_registry::Options {
        network: Policy::default().with(&Network {
            allow,
            deny: Rules::default(),
        }),
        lookup: Lookup::scripted(|host| {
            let host = host.trim_end_matches('.');
            let is_it = |name: &str| name.trim_end_matches('.').eq_ignore_ascii_case(host);
            let known = NAMES.iter().find(|(name, _)| is_it(name));
            addresses(known.map_or(&["127.0.0.1"], |(_, found)| found))
        }),
        plain_http: vec![format!("{HOME}:{port}")],
        ..options()
    }
}

/// A registry that responds to whatever name these tests give it.
async fn registry() -> Registry {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let names = [HOME, "rebind.example"].map(|name| format!("{name}:{port}"));
    let names = names.into_iter().chain(["public.example".to_owned()]);
    let options = Options {
        port: Some(port),
        names: names.collect(),
        ..Options::default()
    };
    Registry::start(options).await.unwrap()
}

fn remote(options: windlass_registry::Options, host: &str) -> Option<Remote> {
    let repository = Repository::parse(&format!("{host}/team/app")).ok()?;
    let client = Client::new(options).unwrap();
    Some(client.repository(repository, anonymous()))
}

fn port(registry: &Registry) -> String {
    registry.host().rsplit(':').next().unwrap().to_owned()
}

fn everything() -> impl Iterator<Item = &'static str> {
    let names = NAMES.iter().map(|(name, _)| *name);
    SPELLINGS.into_iter().chain(names)
}

#[tokio::test]
async fn no_spelling_of_a_forbidden_address_is_connected_to() {
    let trap = registry().await;
    for host in everything() {
        let place = format!("{host}:{}", port(&trap));
        let Some(remote) = remote(guarded(&trap), &place) else {
            continue;
        };
        let error = remote.tags().await.unwrap_err();
        let is_refused = matches!(error, Error::Forbidden { .. } | Error::Refused { .. });
        assert!(is_refused, "{host}: {error}");
        assert!(remote.can_push().await.is_err(), "{host}");
        assert_eq!(trap.connections(), 0, "{host}");
    }
}

#[tokio::test]
async fn no_response_leads_to_a_forbidden_address() {
    let home = registry().await;
    let trap = registry().await;
    let place = format!("{HOME}:{}", port(&home));
    // a registry that the operator allows is reached
    let reached = remote(guarded(&home), &place).unwrap();
    reached.push_blob(&"content".into(), None).await.unwrap();
    for host in everything() {
        for scheme in ["https", "http"] {
            let there = format!("{scheme}://{host}:{}/v2/", port(&trap));
            let realm = format!("Bearer realm=\"{there}\"");
            let unauthorised = FaultAnswer::Status(401.into());
            for (method, answer) in [
                ("GET", FaultAnswer::RedirectTo(there.clone())),
                ("HEAD", FaultAnswer::RedirectTo(there.clone())),
                ("POST", FaultAnswer::RedirectTo(there.clone())),
                ("POST", FaultAnswer::Header(LOCATION, there.clone())),
                (
                    "GET",
                    FaultAnswer::Header(LINK, format!("<{there}>; rel=next")),
                ),
                ("GET", FaultAnswer::Header(WWW_AUTHENTICATE, realm)),
                ("GET", unauthorised),
            ] {
                if !there.is_ascii() && matches!(answer, FaultAnswer::Header(..)) {
                    continue;
                }
                let what = format!("{method} {answer:?}");
                home.clear_faults();
                home.fail(windlass_sandbox::registry::Fault {
                    method: Some(method.to_owned()),
                    times: usize::MAX,
                    answer,
                    ..Default::default()
                });
                let remote = remote(guarded(&home), &place).unwrap();
                // whether it is followed or ignored, nothing is connected to
                let _ = remote.tags().await;
                let _ = remote.push_blob(&"other".into(), None).await;
                assert_eq!(trap.connections(), 0, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_redirect_to_a_forbidden_address_says_what_it_is_and_which_setting_allows_it() {
    let home = registry().await;
    home.fail(windlass_sandbox::registry::Fault {
        times: usize::MAX,
        answer: FaultAnswer::RedirectTo("https://169.254.169.254/latest".to_owned()),
        ..Default::default()
    });
    let place = format!("{HOME}:{}", port(&home));
    let error = remote(guarded(&home), &place).unwrap().tags().await;
    let error = error.unwrap_err();
    assert_eq!(error.retry(), Retry::Settings);
    let text = error.outline().to_string();
    assert!(
        text.contains("a host that the registry refers to"),
        "{text}"
    );
    assert!(text.contains("a link-local address"), "{text}");
    assert!(text.contains("network.allow of windlass-config"), "{text}");
    assert!(!text.contains("169.254"), "{text}");
}

#[tokio::test]
async fn a_name_that_resolves_elsewhere_the_next_time_is_refused_then() {
    let trap = registry().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let mut options = options();
    options.network = Policy::default().with(&Network {
        allow: Rules::parse("127.0.0.1").unwrap(),
        deny: Rules::default(),
    });
    options.plain_http = vec![format!("rebind.example:{}", port(&trap))];
    // the attempt with TLS, then the first request
    options.lookup = Lookup::scripted(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => addresses(&["127.0.0.1"]),
        _ => addresses(&["0.0.0.0"]),
    });
    let remote = remote(options, &format!("rebind.example:{}", port(&trap))).unwrap();
    remote.tags().await.unwrap();
    // the connection ends, and the next request needs another one
    trap.fail(windlass_sandbox::registry::Fault {
        answer: FaultAnswer::Reset,
        ..Default::default()
    });
    let before = trap.connections();
    let error = remote.tags().await.unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error}");
    assert_eq!(trap.connections(), before);
    assert!(asked.load(Ordering::SeqCst) > 2);
}

#[tokio::test]
async fn behind_a_proxy_an_address_is_refused_and_a_public_host_does_not_lead_inward() {
    let proxy = registry().await;
    let options = || windlass_registry::Options {
        network: Policy::default(),
        lookup: Lookup::scripted(|_| Vec::new()),
        plain_http: vec!["public.example".to_owned(), "127.0.0.2".to_owned()],
        proxies: windlass_registry::Proxies {
            http: Some(proxy.url()),
            ..Default::default()
        },
        ..options()
    };
    // the proxy itself may be on this machine
    let public = || remote(options(), "public.example").unwrap();
    public().tags().await.unwrap();
    let before = proxy.take_requests().len();
    assert!(before > 0);
    for host in ["127.0.0.2", "localhost"] {
        let error = remote(options(), host).unwrap().tags().await;
        assert!(matches!(error, Err(Error::Forbidden { .. })), "{host}");
    }
    assert!(proxy.take_requests().is_empty());
    proxy.fail(windlass_sandbox::registry::Fault {
        times: usize::MAX,
        answer: FaultAnswer::RedirectTo("https://10.1.2.3/secret".to_owned()),
        ..Default::default()
    });
    let error = public().tags().await.unwrap_err().to_string();
    assert!(
        error.contains("a public host refers to a private address"),
        "{error}"
    );
}

#[tokio::test]
async fn a_write_is_redirected_within_its_origin_only() {
    let at = start(Options::default()).await;
    let beside = at.registry.start_beside(Options::default()).await.unwrap();
    for status in [307, 308] {
        for (method, path) in [
            ("POST", "/uploads/"),
            ("PUT", "/uploads/"),
            ("PUT", "/manifests/"),
        ] {
            at.registry.clear_faults();
            let to = beside.url();
            at.fail(
                method,
                path,
                usize::MAX,
                FaultAnswer::Redirect { status, to },
            );
            let remote = at.remote("team/app");
            let blob = format!("{status} {method} {path}");
            let pushed = remote.push_blob(&blob.clone().into(), None).await;
            let written = remote
                .put_manifest(
                    &windlass_registry::Name::Tag(windlass_registry::Tag::parse("v1").unwrap()),
                    super::at::MANIFEST,
                    "{}".into(),
                )
                .await;
            let error = pushed.map(drop).and(written.map(drop)).unwrap_err();
            assert!(matches!(error, Error::Redirect { .. }), "{blob}: {error}");
            assert!(beside.take_requests().is_empty(), "{blob}");
        }
    }
}

#[tokio::test]
async fn no_address_in_a_response_may_have_a_name_or_password() {
    let at = start(Options::default()).await;
    let beside = at.registry.start_beside(Options::default()).await.unwrap();
    for user in ["x:y@", "x@", ":y@"] {
        let there = format!("http://{user}{}/v2/team/app/tags/list", beside.host());
        let home = format!("http://{user}{}/v2/team/app/tags/list", at.registry.host());
        for there in [there, home] {
            for (method, answer) in [
                ("GET", FaultAnswer::RedirectTo(there.clone())),
                ("POST", FaultAnswer::Header(LOCATION, there.clone())),
                (
                    "GET",
                    FaultAnswer::Header(LINK, format!("<{there}>; rel=next")),
                ),
            ] {
                at.registry.clear_faults();
                at.fail(method, "", usize::MAX, answer.clone());
                at.registry
                    .put_manifest("team/app", "v1", "text/plain", "{}");
                let remote = at.remote("team/app");
                let result = match method {
                    "GET" => remote.tags().await.map(drop),
                    _ => remote
                        .push_blob(&there.clone().into(), None)
                        .await
                        .map(drop),
                };
                let error = result.unwrap_err();
                let is_refused = matches!(error, Error::Redirect { .. });
                assert!(is_refused, "{method} {answer:?}: {error}");
            }
        }
    }
    assert!(beside.take_requests().is_empty());
}

/// A registry whose token service is the same server by another name.
async fn with_foreign_service() -> At {
    use windlass_sandbox::registry::{Accounts, Authentication, Grant, Tokens, User};
    let users = || Accounts::of([User::new("push", "push-word", [Grant::push("team")])]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let tokens = Tokens {
        realm: Some(format!("http://localhost:{port}/token")),
        ..Tokens::default()
    };
    start(Options {
        port: Some(port),
        authentication: Authentication::Bearer(users(), tokens),
        ..Options::default()
    })
    .await
}

#[tokio::test]
async fn a_token_service_on_another_host_gets_a_credential_only_if_it_is_listed() {
    let at = with_foreign_service().await;
    let credential = || super::at::password("a", "push", "push-word");
    let error = at.remote_as("team/app", [credential()]).can_push().await;
    let error = error.unwrap_err();
    let tokens = |at: &At| {
        let seen = at.registry.take_requests();
        seen.iter().filter(|seen| seen.path == "/token").count()
    };
    assert_eq!(tokens(&at), 0);
    let text = error.outline().to_string();
    // nor is a token requested without one: the service is at a private address
    let setting = "registries.token-services of windlass-config";
    assert_eq!(text.matches(setting).count(), 2, "{text}");
    assert!(!text.contains("localhost"), "{text}");

    let mut options = options();
    let registry = at.registry.host();
    options.token_services =
        windlass_core::network::TokenServices::parse(&format!("{registry} localhost")).unwrap();
    let candidates = windlass_registry::keychain::Candidates::new([credential()]);
    let client = Client::new(options).unwrap();
    let remote = client.repository(at.repository("team/app"), candidates);
    remote.can_push().await.unwrap();
    assert_eq!(tokens(&at), 1);
}

/// Looks names up like name servers of which those of `evil.test` do not respond until this is
/// dropped.
fn unanswered(answer: &'static str) -> (std::sync::mpsc::Sender<()>, Lookup) {
    let (answered, gate) = std::sync::mpsc::channel::<()>();
    let gate = Arc::new(std::sync::Mutex::new(gate));
    let lookup = Lookup::blocking(move |host| {
        if host.ends_with("evil.test") {
            let _ = gate.lock().map(|gate| gate.recv());
        }
        Ok(addresses(&[answer]))
    });
    (answered, lookup)
}

#[tokio::test]
async fn names_that_no_server_answers_keep_no_other_tenant_from_its_registry() {
    let home = registry().await;
    let (answered, lookup) = unanswered("127.0.0.1");
    let mut options = guarded(&home);
    options.lookup = lookup;
    options.timeouts.first_byte = std::time::Duration::from_millis(500);
    let client = Client::new(options).unwrap();
    let remote = |tenant: &str, host: &str| {
        let repository = Repository::parse(&format!("{host}/team/app")).unwrap();
        let remote = client.repository(repository, anonymous());
        remote.on_behalf_of(Tenant::from(tenant))
    };
    let hosts = (0..600).map(|number| format!("x{number}.evil.test"));
    let hostile = hosts.map(|host| {
        let remote = remote("team-b", &host);
        async move { remote.tags().await.unwrap_err() }
    });
    for error in futures::future::join_all(hostile).await {
        assert!(error.is_timeout(), "{error}");
    }
    let home = format!("{HOME}:{}", port(&home));
    let crowded = remote("team-b", &home).tags().await.unwrap_err();
    assert!(matches!(crowded, Error::Unresolved { .. }), "{crowded}");
    assert!(crowded.is_timeout() && crowded.retry() == Retry::Backoff);
    remote("team-a", &home).tags().await.unwrap();
    drop(answered);
}

#[tokio::test]
async fn a_password_that_is_the_name_of_a_host_keeps_no_other_tenant_from_it() {
    let at = start(Options::default()).await;
    let beside = at.registry.start_beside(Options::default()).await.unwrap();
    let digest = at.registry.put_blob("team/app", "layer");
    let digest = windlass_registry::Digest::parse(&digest).unwrap();
    let to = beside.url().replace("127.0.0.1", "localhost");
    let redirect = FaultAnswer::Redirect { status: 307, to };
    at.fail("GET", "/blobs/", 9, redirect);
    let of = |tenant: &str, word: &str| {
        let remote = at.remote_as("team/app", [password("a", "push", word)]);
        remote.on_behalf_of(Tenant::from(tenant))
    };
    // it may be what the registry was sent, so the name is not looked up for whoever sent it
    let error = of("team-b", "localhost").get_blob(&digest, 100).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("its name has a secret in it"), "{error}");
    let content = of("team-a", "push-word").get_blob(&digest, 100).await;
    assert_eq!(content.unwrap().unwrap(), "layer");
}
