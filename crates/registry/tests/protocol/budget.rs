//! Facts about the memory that responses take: they share a budget, and none holds it for long.

use std::time::Duration;

use windlass_registry::{Bodies, Budget, Error, Name, Retry, Tag, Tenant};
use windlass_sandbox::registry::{FaultAnswer, Options};

use crate::at::{At, MANIFEST, anonymous, options, start};

const MIB: usize = 1 << 20;

fn tag(name: &str) -> Name {
    Name::Tag(Tag::parse(name).unwrap())
}

/// A registry with a large manifest and a small one, and a client whose bodies share 8 MiB.
async fn scene() -> (At, windlass_registry::Remote, Bodies) {
    let at = start(Options::default()).await;
    for (tag, size) in [("large", MIB), ("small", 20_000)] {
        let content = format!(r#"{{"x":"{}"}}"#, "x".repeat(size));
        at.registry.put_manifest("app", tag, MANIFEST, content);
    }
    let mut options = options();
    options.retry.attempts = 1;
    options.bodies = Bodies {
        budget: Budget::new(8 * MIB),
        patience: Duration::from_millis(50),
        time: Duration::from_millis(200),
        ..Bodies::default()
    };
    let bodies = options.bodies.clone();
    let client = At::client(options);
    let remote = client.repository(at.repository("app"), anonymous());
    (at, remote, bodies)
}

#[tokio::test]
async fn a_large_body_counts_until_the_last_of_it_is_dropped() {
    let (_at, remote, bodies) = scene().await;
    let stored = remote.get_manifest(&tag("large")).await.unwrap().unwrap();
    let part = stored.bytes.slice(..10);
    assert!(bodies.budget.free() <= 7 * MIB);
    drop(stored);
    assert!(bodies.budget.free() <= 7 * MIB);
    drop(part);
    assert_eq!(bodies.budget.free(), 8 * MIB);
}

#[tokio::test]
async fn a_body_without_room_is_not_read_while_small_ones_and_those_of_other_tenants_are() {
    let (_at, remote, bodies) = scene().await;
    let (greedy, modest) = (Tenant::from("greedy"), Tenant::from("modest"));
    let modest = remote.clone().on_behalf_of(modest);
    let remote = remote.on_behalf_of(greedy);
    let held = bodies.budget.take("greedy", 2 * MIB, bodies.patience);
    let held = held.await.unwrap();
    let error = remote.get_manifest(&tag("large")).await.unwrap_err();
    assert!(matches!(error, Error::Busy { .. }), "{error}");
    assert!(error.is_timeout(), "{error}");
    assert_eq!(error.retry(), Retry::Backoff);
    assert!(remote.get_manifest(&tag("small")).await.unwrap().is_some());
    // the same body of the same registry
    assert!(modest.get_manifest(&tag("large")).await.unwrap().is_some());
    drop(held);
    assert!(remote.get_manifest(&tag("large")).await.unwrap().is_some());
}

#[tokio::test]
async fn a_large_body_that_comes_too_slowly_gives_its_room_back() {
    let (at, remote, bodies) = scene().await;
    let slow = FaultAnswer::SlowBody {
        chunk: 64 << 10,
        delay: Duration::from_millis(50),
    };
    at.fail("GET", "/manifests/", 1, slow);
    let error = remote.get_manifest(&tag("large")).await.unwrap_err();
    assert!(matches!(error, Error::Slow { .. }), "{error}");
    assert_eq!(bodies.budget.free(), 8 * MIB);
}
