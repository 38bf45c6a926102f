//! Where a controller connects that no option takes for a person's own machine.

use windlass_sandbox::registry::{self, Registry};

use super::registries::{built, everywhere, image, verify_both};
use super::*;

/// A controller as `windlass controller` starts it.
async fn guarded() -> Scene {
    let options = Options::new(SYSTEM.to_owned(), 8);
    let scene = Scene::with_options(options).await;
    scene.configured(everywhere()).await
}

#[tokio::test]
async fn a_registry_on_loopback_gets_no_request_until_network_allow_lists_it() {
    let (scene, registry) = (
        guarded().await,
        Registry::start(registry::Options::default()).await.unwrap(),
    );
    let digest = image(&registry);
    registry.clear_requests();
    scene.create(built("app", &registry, &digest));
    let reason = scene.reason("app").await;
    assert!(reason.contains("it is a loopback address"), "{reason}");
    assert!(
        reason.contains("network.allow of windlass-config"),
        "{reason}"
    );
    assert_eq!(registry.connections(), 0);
    scene.event("SigningIncomplete").await;

    scene
        .configure_own(json!({ "network.allow": "127.0.0.0/8" }))
        .await;
    assert_eq!(scene.marked("app").await, "true");
    verify_both(&registry, &digest);

    // what is not listed any more is refused from then on
    scene
        .configure_own(json!({ "network.allow": "127.0.0.2" }))
        .await;
    registry.clear_requests();
    scene.create(built("later", &registry, &digest));
    let reason = scene.reason("later").await;
    assert!(reason.contains("it is a loopback address"), "{reason}");
    assert!(registry.requests().is_empty());
    scene.end().await;
}

#[tokio::test]
async fn what_network_deny_lists_is_refused_where_anything_else_is_allowed() {
    let scene = Scene::with(everywhere()).await;
    let registry = Registry::start(registry::Options::default()).await.unwrap();
    let digest = image(&registry);
    registry.clear_requests();
    scene
        .configure_own(json!({ "network.deny": "127.0.0.1" }))
        .await;
    scene.create(built("app", &registry, &digest));
    let reason = scene.reason("app").await;
    assert!(
        reason.contains("network.deny of windlass-config lists it"),
        "{reason}"
    );
    assert!(registry.requests().is_empty());
    scene.end().await;
}

#[tokio::test]
async fn a_bad_entry_of_network_allow_is_a_configuration_error_that_names_it() {
    let scene = guarded().await;
    let allowed = json!({ "network.allow": "127.0.0.0/8,10.0.0.0/40" });
    scene.create(windlass_config(&allowed));
    let event = scene.event("ConfigRefused").await;
    let message = event["message"].as_str().unwrap();
    assert!(
        message.contains("network.allow: \"10.0.0.0/40\" is not allowed"),
        "{message}"
    );
    scene.end().await;
}
