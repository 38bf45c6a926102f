//! The controller ends in the middle of a pass, and another one takes over.

use windlass_sandbox::Gate;
use windlass_sandbox::registry::{self, Options as RegistryOptions, Registry};

use super::registries::{anonymous, built, everywhere, image, verify_both};
use super::*;

/// Calls of the registry that a pass over a run with one image makes.
const REGISTRY_CALLS: usize = 14;
/// Calls of the cluster: the record before the push, the account, its secret, the record with the mark.
const CLUSTER_CALLS: usize = 4;

/// Where the controller is when it ends.
#[derive(Debug, Clone, Copy)]
enum Server {
    /// A call of the registry was carried out, and its answer is under way.
    Registry,
    /// The same of the cluster.
    Cluster,
}

/// A controller with a registry, and an image in it.
async fn stage() -> (Scene, Registry, String) {
    let scene = Scene::with(everywhere()).await;
    let registry = Registry::start(RegistryOptions::default()).await.unwrap();
    let digest = image(&registry);
    anonymous(&scene);
    registry.clear_requests();
    (scene, registry, digest)
}

/// Calls of the registry and of the cluster by a pass that nobody disturbs; watches left out.
async fn calls() -> (usize, usize) {
    let (scene, registry, digest) = stage().await;
    scene.create(built("app", &registry, &digest));
    assert_eq!(scene.marked("app").await, "true");
    // a request is in the log once it has been answered
    scene.wrote(2).await;
    let requests = scene.local.cluster.requests();
    let of_run = requests
        .iter()
        .filter(|request| request.path.contains(OF_RUN));
    let calls = (registry.requests().len(), of_run.count());
    scene.end().await;
    calls
}

/// Part of the paths of everything that a pass asks the cluster for.
const OF_RUN: &str = "/namespaces/default/";

/// Ends the controller after the call with this number, and starts another.
async fn killed_after(server: Server, number: usize) {
    let (mut scene, registry, digest) = stage().await;
    let gate = Gate::new();
    match server {
        Server::Registry => registry.fail(registry::Fault {
            skip: number,
            answer: registry::FaultAnswer::PauseAfterwards(gate.clone()),
            ..registry::Fault::default()
        }),
        Server::Cluster => scene.local.cluster.fail(Fault {
            path_contains: OF_RUN.to_owned(),
            skip: number,
            answer: FaultAnswer::PauseAfterwards(gate.clone()),
            ..Fault::default()
        }),
    }
    scene.create(built("app", &registry, &digest));
    let reached = tokio::time::timeout(PATIENCE, gate.reached(1)).await;
    assert!(reached.is_ok(), "{server:?} is not called {number} times");
    scene.local.kill_and_start_controller().await.unwrap();
    gate.release();
    assert_eq!(scene.marked("app").await, "true", "{server:?} {number}");
    verify_both(&registry, &digest);
    assert_eq!(registry.tags("team/app").len(), 3);
    scene.end().await;
}

#[tokio::test]
async fn a_pass_makes_these_calls_and_no_others() {
    assert_eq!(calls().await, (REGISTRY_CALLS, CLUSTER_CALLS));
}

#[tokio::test]
async fn killed_after_any_call_of_the_registry_it_leaves_one_signature_and_one_attestation() {
    for number in 0..REGISTRY_CALLS {
        killed_after(Server::Registry, number).await;
    }
}

#[tokio::test]
async fn killed_after_any_call_of_the_cluster_it_leaves_one_signature_and_one_attestation() {
    for number in 0..CLUSTER_CALLS {
        killed_after(Server::Cluster, number).await;
    }
}
