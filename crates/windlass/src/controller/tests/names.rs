//! Names that runs choose and that no object can have.

use windlass_sandbox::registry::{Options, Registry};

use super::registries::{everywhere, image};
use super::*;

/// Names that would become another path, a query or a fragment, or that nothing can be called.
const HOSTILE: [&str; 10] = [
    "../../team-a/serviceaccounts/pusher",
    "?labelSelector=x",
    "?watch=true",
    "x#y",
    "default/token",
    "%2e%2e%2f",
    "a b",
    "a\nb",
    "Default",
    "söldner",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_run_with_a_name_that_cannot_exist_is_signed_with_a_warning_and_no_request_bears_it() {
    let scene = Scene::with(everywhere()).await;
    let registry = Registry::start(Options::default()).await.unwrap();
    let digest = image(&registry);
    let long = "a".repeat(254);
    let names: Vec<&str> = HOSTILE.into_iter().chain([&*long]).collect();
    for (number, name) in names.iter().enumerate() {
        let mut run = registries::built(&format!("r-{number}"), &registry, &digest);
        run["spec"]["serviceAccountName"] = json!(name);
        run["spec"]["podTemplate"] = json!({ "imagePullSecrets": [{ "name": name }] });
        scene.create(run);
    }
    for number in 0..names.len() {
        let run = format!("r-{number}");
        assert_eq!(scene.marked(&run).await, "true");
        let told = |scene: &Scene| {
            let events = scene.local.cluster.list("events");
            events.iter().any(|event| {
                let message = event["message"].as_str().unwrap_or_default();
                event["involvedObject"]["name"] == *run && message.contains("cannot be the name")
            })
        };
        scene.until("an event tells of the name", told).await;
    }
    let requests = scene.local.cluster.requests();
    let credentials = requests.iter().filter(|request| {
        let parts = ["/serviceaccounts", "/secrets"];
        let is_read = parts.iter().any(|part| request.path.contains(part));
        is_read
            && !request
                .path
                .starts_with("/api/v1/namespaces/tekton-chains/")
    });
    let paths: Vec<&String> = credentials.map(|request| &request.path).collect();
    assert!(paths.is_empty(), "{paths:?}");
    scene.end().await;
}
