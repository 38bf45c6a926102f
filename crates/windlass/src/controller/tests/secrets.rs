//! Secrets that a tenant makes large or many: a run waits for as many as any registry takes.

use windlass_sandbox::registry::{Options, Registry};

use super::registries::{built, docker_secret, everywhere, image};
use super::*;

/// Creates a run that names these secrets, and waits until it is signed and an Event says so much.
async fn signed_with_secrets(scene: &Scene, names: &[String], message: &str) {
    let registry = Registry::start(Options::default()).await.unwrap();
    let digest = image(&registry);
    let mut run = built("app", &registry, &digest);
    let names: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
    run["spec"]["podTemplate"] = json!({ "imagePullSecrets": names });
    scene.create(run);
    assert_eq!(scene.marked("app").await, "true");
    let told = |scene: &Scene| {
        let events = scene.local.cluster.list("events");
        let messages = events.iter().filter_map(|event| event["message"].as_str());
        messages.into_iter().any(|told| told.contains(message))
    };
    scene.until("an event tells of the secrets", told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_secrets_that_a_run_names_a_few_are_read_and_an_event_says_so() {
    let scene = Scene::with(everywhere()).await;
    let names: Vec<String> = (0..1000).map(|number| format!("s-{number:04}")).collect();
    signed_with_secrets(&scene, &names, "more than 64 secrets").await;
    let requests = scene.local.cluster.requests();
    let of_run = requests
        .iter()
        .filter(|request| request.path.contains("/secrets/s-"));
    let paths: std::collections::BTreeSet<&String> = of_run.map(|request| &request.path).collect();
    assert_eq!(paths.len(), 64);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_are_large_together_are_not_kept_and_an_event_says_so() {
    let scene = Scene::with(everywhere()).await;
    let config = json!({ "auths": { "r.io": { "auth": "YTpi", "email": "x".repeat(200_000) } } });
    let names: Vec<String> = (0..4).map(|number| format!("s-{number}")).collect();
    for name in &names {
        docker_secret(&scene, name, &config.to_string());
    }
    signed_with_secrets(
        &scene,
        &names,
        "secrets of an account have more than 262144 bytes",
    )
    .await;
    scene.end().await;
}
