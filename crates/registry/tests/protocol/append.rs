//! Facts about adding to a tag while others do.

use std::time::Duration;

use bytes::Bytes;
use windlass_registry::manifest::{CONFIG, Descriptor, Manifest};
use windlass_registry::{
    Blob, Client, Error, Memory, Merge, Remote, Retry, Tag, TagUpdate, Tenant, Write,
};
use windlass_sandbox::registry::{
    Accounts, Authentication, Fault, FaultAnswer, Gate, Grant, Options, SeenRequest, User,
};

use crate::at::{At, MANIFEST, anonymous, options, password, start};

fn tag() -> Tag {
    Tag::parse("sha256-12.sig").unwrap()
}

/// Adds a layer of this content, with a config that lists all layers.
async fn add(remote: &Remote, content: &str) -> Result<TagUpdate, Error> {
    remote.push_blob(&content.to_owned().into(), None).await?;
    remote.update_manifest(&tag(), adding(content)).await
}

/// What adds it to what is there.
fn adding(content: &str) -> impl Fn(Option<Manifest>) -> Result<Merge<Manifest>, String> + use<> {
    let entry = Descriptor::of("text/plain", content.as_bytes());
    move |there: Option<Manifest>| {
        let mut manifest = there.unwrap_or_else(|| Manifest::new(Descriptor::of(CONFIG, b"{}")));
        if manifest
            .layers
            .iter()
            .any(|layer| layer.digest == entry.digest)
        {
            return Ok(Merge::Present);
        }
        manifest.layers.push(entry.clone());
        let names: Vec<_> = manifest
            .layers
            .iter()
            .map(|layer| layer.digest.as_str())
            .collect();
        let config = Bytes::from(serde_json::to_vec(&names).map_err(|error| error.to_string())?);
        manifest.config = Descriptor::of(CONFIG, &config);
        Ok(Merge::Write(Write {
            manifest,
            blobs: vec![Blob::of(config)],
        }))
    }
}

/// How many layers there are, each once.
fn layers(at: &At) -> usize {
    let there = at.registry.manifest("app", tag().as_str()).unwrap();
    let manifest: Manifest = serde_json::from_slice(&there.bytes).unwrap();
    let mut digests: Vec<_> = manifest.layers.iter().map(|layer| &layer.digest).collect();
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), manifest.layers.len());
    digests.len()
}

#[tokio::test]
async fn an_entry_is_written_once_and_read_back() {
    let at = start(Options::default()).await;
    let remote = at.remote("app");
    assert_eq!(add(&remote, "one").await.unwrap().writes, 1);
    assert_eq!(add(&remote, "two").await.unwrap().writes, 1);
    at.registry.clear_requests();
    assert_eq!(add(&remote, "two").await.unwrap().writes, 0);
    assert_eq!(at.seen(), ["HEAD 200", "GET 200"]);
    assert_eq!(layers(&at), 2);
}

#[tokio::test]
async fn an_entry_another_writer_took_away_is_added_again() {
    let at = start(Options::default()).await;
    let remote = at.remote("app");
    add(&remote, "one").await.unwrap();
    let before = at.registry.manifest("app", tag().as_str()).unwrap();
    // The answer to our write is held until someone who read before has written.
    let gate = Gate::new();
    at.fail(
        "PUT",
        "/manifests/",
        1,
        FaultAnswer::PauseAfterwards(gate.clone()),
    );
    let foreign = async {
        gate.reached(1).await;
        at.registry
            .put_manifest("app", tag().as_str(), MANIFEST, before.bytes.clone());
        gate.release();
    };
    let (added, ()) = tokio::join!(add(&remote, "two"), foreign);
    assert_eq!(added.unwrap().writes, 2);
    assert_eq!(layers(&at), 2);
}

#[tokio::test]
async fn an_entry_that_somebody_else_wrote_counts_once_it_has_stayed() {
    let at = start(Options::default()).await;
    add(&at.remote("app"), "one").await.unwrap();
    let before = at.registry.manifest("app", tag().as_str()).unwrap();
    // who writes this ends before reading it back, and a third one writes what he read before
    add(&at.remote("app"), "two").await.unwrap();
    let gate = Gate::new();
    let held = FaultAnswer::PauseAfterwards(gate.clone());
    at.fail("GET", "/manifests/", 1, held);
    let third = async {
        gate.reached(1).await;
        at.registry
            .put_manifest("app", tag().as_str(), MANIFEST, before.bytes.clone());
        gate.release();
    };
    let fresh = At::client(options());
    let fresh = fresh.repository(at.repository("app"), anonymous());
    let (added, ()) = tokio::join!(add(&fresh, "two"), third);
    assert_eq!(added.unwrap().writes, 1);
    assert_eq!(layers(&at), 2);
    // what has stayed is not looked at twice again
    at.registry.clear_requests();
    assert_eq!(add(&fresh, "two").await.unwrap().writes, 0);
    assert_eq!(at.seen(), ["HEAD 200", "GET 200"]);
}

#[tokio::test]
async fn nothing_is_pushed_for_an_entry_under_a_tag_that_is_known() {
    let at = start(Options::default()).await;
    add(&at.remote("app"), "one").await.unwrap();
    let options = options();
    let clock = options.clock.clone();
    let fresh = At::client(options);
    let fresh = fresh.repository(at.repository("app"), anonymous());
    at.registry.clear_requests();
    let append = fresh.append(&tag(), adding("one")).of_known_tag();
    assert_eq!(append.finish().await.unwrap().writes, 0);
    assert_eq!(at.seen(), ["GET 200", "GET 200"]);
    let slept: Duration = clock.slept().into_iter().sum();
    assert!(slept >= Duration::from_secs(2), "{slept:?}");
}

#[tokio::test]
async fn what_was_written_since_the_tag_was_read_is_not_overwritten() {
    let at = start(Options::default()).await;
    let remote = at.remote("app");
    add(&remote, "one").await.unwrap();
    let gate = Gate::new();
    // The look before our write waits until another client is done.
    at.fail("HEAD", "/manifests/", 1, FaultAnswer::Pause(gate.clone()));
    let foreign = async {
        gate.reached(1).await;
        let other = Client::new(options()).unwrap();
        let other = other.repository(at.repository("app"), anonymous());
        add(&other, "foreign").await.unwrap();
        gate.release();
    };
    let (added, ()) = tokio::join!(add(&remote, "two"), foreign);
    assert_eq!(added.unwrap().writes, 1);
    assert_eq!(layers(&at), 3);
}

#[tokio::test]
async fn what_was_written_while_a_registry_refused_ours_is_not_overwritten() {
    let at = start(Options::default()).await;
    add(&at.remote("app"), "one").await.unwrap();
    let mut waiting = options();
    waiting.clock = windlass_registry::Clock::system();
    let remote = At::client(waiting).repository(at.repository("app"), anonymous());
    at.registry.clear_requests();
    at.fail("PUT", "/manifests/", 1, FaultAnswer::Status(503.into()));
    let foreign = async {
        while at.registry.count("PUT", "/manifests/") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // our next try is a second away
        add(&at.remote("app"), "foreign").await.unwrap();
    };
    let (added, ()) = tokio::join!(add(&remote, "two"), foreign);
    assert_eq!(added.unwrap().writes, 1);
    assert_eq!(layers(&at), 3);
}

#[tokio::test]
async fn a_tenant_that_takes_long_at_a_tag_keeps_no_other_from_it() {
    let at = start(Options::default()).await;
    let of = |tenant: &str| at.remote("app").on_behalf_of(Tenant::from(tenant));
    let (slow, other) = (of("team-b"), of("team-a"));
    let gate = Gate::new();
    at.fail("GET", "/manifests/", 1, FaultAnswer::Pause(gate.clone()));
    let meanwhile = async {
        gate.reached(1).await;
        let added = tokio::time::timeout(Duration::from_secs(3), add(&other, "two")).await;
        gate.release();
        added
    };
    let (first, second) = tokio::join!(add(&slow, "one"), meanwhile);
    let second = second.expect("it does not wait for the other tenant");
    assert_eq!(second.unwrap().writes, 1);
    first.unwrap();
    assert_eq!(layers(&at), 2);
}

/// Writes of manifests that were carried out.
fn puts(at: &At) -> usize {
    let requests = at.registry.requests();
    let put = |seen: &&SeenRequest| seen.method == "PUT" && seen.path.contains("/manifests/");
    requests.iter().filter(put).count()
}

#[tokio::test]
async fn writers_of_two_clients_with_the_same_memory_write_together() {
    let at = start(Options::default()).await;
    let options = options();
    let memory = Memory::default();
    let client = || Client::with_memory(options.clone(), memory.clone()).unwrap();
    let clients = [client(), client()];
    let remotes: Vec<_> = (0..20)
        .map(|number| clients[number % 2].repository(at.repository("app"), anonymous()))
        .collect();
    let texts: Vec<_> = (0..20).map(|number| format!("entry {number}")).collect();
    let adding = remotes
        .iter()
        .zip(&texts)
        .map(|(remote, text)| add(remote, text));
    for added in futures::future::join_all(adding).await {
        added.unwrap();
    }
    assert_eq!(layers(&at), 20);
    assert!(puts(&at) <= 5, "{} writes", puts(&at));
}

#[tokio::test]
async fn twenty_writers_in_one_process_write_together() {
    let at = start(Options::default()).await;
    let remote = at.remote("app");
    let texts: Vec<_> = (0..20).map(|number| format!("entry {number}")).collect();
    let added = futures::future::join_all(texts.iter().map(|text| add(&remote, text))).await;
    for added in added {
        added.unwrap();
    }
    assert_eq!(layers(&at), 20);
    assert!(puts(&at) <= 3, "{} writes", puts(&at));
}

#[tokio::test]
async fn what_is_refused_together_is_written_one_by_one() {
    let at = start(Options::default()).await;
    let remote = at.remote("app");
    // the first request of a repository goes ahead of the others
    remote.can_push().await.unwrap();
    // as a registry that takes no manifest of that size
    at.fail("PUT", "/manifests/", 1, FaultAnswer::Status(413.into()));
    let added = ["a", "b", "c"].map(|text| add(&remote, text));
    for added in futures::future::join_all(added).await {
        added.unwrap();
    }
    assert_eq!(layers(&at), 3);
}

#[tokio::test]
async fn nobody_writes_with_the_credentials_of_another() {
    let users = ["one", "two"].map(|name| User::new(name, name, [Grant::push("app")]));
    let at = start(Options {
        authentication: Authentication::Basic(Accounts::of(users)),
        ..Options::default()
    })
    .await;
    let remotes = ["one", "two"].map(|name| at.remote_as("app", [password(name, name, name)]));
    let texts = ["a", "b"];
    let added = remotes
        .iter()
        .zip(texts)
        .map(|(remote, text)| add(remote, text));
    for added in futures::future::join_all(added).await {
        added.unwrap();
    }
    assert_eq!(layers(&at), 2);
    let requests = at.registry.requests();
    for name in ["Basic one", "Basic two"] {
        let written = requests.iter().filter(|seen| {
            seen.method == "PUT" && seen.path.contains("/manifests/") && seen.authorization == name
        });
        assert_eq!(written.count(), 1, "{name}");
    }
}

#[tokio::test]
async fn among_others_an_entry_is_looked_after_for_longer() {
    let at = start(Options::default()).await;
    let remote = at.remote("app");
    add(&remote, "one").await.unwrap();
    let quiet = at.clock.slept();
    assert!(
        quiet.iter().sum::<Duration>() < Duration::from_secs(2),
        "{quiet:?}"
    );
    let other = Client::new(options()).unwrap();
    let other = other.repository(at.repository("app"), anonymous());
    add(&other, "foreign").await.unwrap();
    add(&remote, "two").await.unwrap();
    let slept: Duration = at.clock.slept()[quiet.len()..].iter().sum();
    assert!(slept >= Duration::from_secs(2), "{slept:?}");
    assert_eq!(layers(&at), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_writers_that_know_nothing_of_each_other_lose_nothing() {
    let at = start(Options::default()).await;
    let texts: Vec<_> = (0..20).map(|number| format!("entry {number}")).collect();
    let writers = texts.iter().map(|text| {
        // A client each, in real time: as if each were a process of its own.
        let mut options = options();
        options.clock = windlass_registry::Clock::system();
        options.append.settle = Duration::from_millis(150);
        let remote = At::client(options).repository(at.repository("app"), anonymous());
        async move { add(&remote, text).await }
    });
    for added in futures::future::join_all(writers).await {
        added.unwrap();
    }
    assert_eq!(layers(&at), 20);
}

#[tokio::test]
async fn a_writer_that_never_gets_its_entry_in_gives_up() {
    let at = start(Options::default()).await;
    let mut options = options();
    options.append.rounds = 3;
    let remote = At::client(options).repository(at.repository("app"), anonymous());
    // The registry says yes and stores nothing.
    let lost = Fault {
        method: Some("PUT".to_owned()),
        path_contains: "/manifests/".to_owned(),
        times: usize::MAX,
        answer: FaultAnswer::Status(201.into()),
        ..Fault::default()
    };
    at.registry.fail(lost);
    let error = add(&remote, "one").await.unwrap_err();
    assert!(
        matches!(error, Error::Contended { rounds: 3, .. }),
        "{error:?}"
    );
    assert_eq!(error.retry(), Retry::Backoff);
}

#[tokio::test]
async fn something_that_is_no_manifest_is_left_alone() {
    let at = start(Options::default()).await;
    at.registry
        .put_manifest("app", tag().as_str(), "text/plain", "something");
    let error = add(&at.remote("app"), "one").await.unwrap_err();
    assert!(error.to_string().contains("no image manifest"), "{error}");
    let there = at.registry.manifest("app", tag().as_str()).unwrap();
    assert_eq!(there.bytes, "something");
}

#[tokio::test]
async fn a_new_tag_is_written_right_after_it_is_read_and_any_other_is_looked_at_once_more() {
    let at = start(Options::default()).await;
    let remote = at.remote("app");
    add(&remote, "one").await.unwrap();
    let blob = ["HEAD 404", "POST 202", "PUT 201"];
    let config = ["POST 202", "PUT 201"];
    let tag = ["GET 404", "PUT 201", "GET 200"];
    assert_eq!(at.seen(), [&blob[..], &config, &tag].concat());
    add(&remote, "two").await.unwrap();
    let tag = ["HEAD 200", "PUT 201", "GET 200"];
    assert_eq!(at.seen(), [&blob[..], &["GET 200"], &config, &tag].concat());
    // what others wrote meanwhile is seen without another look
    let fresh = At::client(options());
    let fresh = fresh.repository(at.repository("app"), anonymous());
    add(&fresh, "three").await.unwrap();
    assert_eq!(layers(&at), 3);
}

#[tokio::test]
async fn who_may_not_push_finds_that_the_entry_is_there_all_the_same() {
    let users = [
        User::new("push", "push", [Grant::push("app")]),
        User::new("pull", "pull", [Grant::pull("app")]),
    ];
    let at = start(Options {
        authentication: Authentication::Basic(Accounts::of(users)),
        ..Options::default()
    })
    .await;
    let push = at.remote_as("app", [password("push", "push", "push")]);
    add(&push, "one").await.unwrap();
    let fresh = At::client(options());
    let reader = password("pull", "pull", "pull");
    let reader = fresh.repository(
        at.repository("app"),
        windlass_registry::keychain::Candidates::new([reader]),
    );
    let update = add(&reader, "one").await.unwrap();
    assert_eq!(update.writes, 0);
}
