//! The controller ends in the middle of a pass, and another one takes over.

use windlass_sandbox::Gate;
use windlass_sandbox::registry::{self, Options as RegistryOptions, Registry};

use super::registries::{account, built, docker_secret, everywhere, image, verify_both};
use super::*;

/// Calls of a pass that pushes, more than there are.
const CALLS: usize = 100;

/// Where the controller is when it ends.
#[derive(Debug, Clone, Copy)]
enum Server {
    /// A call of the registry was carried out, and its answer is under way.
    Registry,
    /// The same of the cluster.
    Cluster,
}

/// Ends the controller after the call with this number, and starts another. Returns whether there
/// was such a call.
async fn killed_after(server: Server, number: usize) -> bool {
    let mut scene = Scene::with(everywhere()).await;
    let registry = Registry::start(RegistryOptions::default()).await.unwrap();
    let digest = image(&registry);
    docker_secret(&scene, "push", r#"{"auths":{}}"#);
    account(&scene, &json!({ "secrets": [{ "name": "push" }] }));
    let gate = Gate::new();
    match server {
        Server::Registry => registry.fail(registry::Fault {
            skip: number,
            answer: registry::FaultAnswer::PauseAfterwards(gate.clone()),
            ..registry::Fault::default()
        }),
        // reads of the account and its secrets, the record, and Events; not the watches
        Server::Cluster => scene.local.cluster.fail(Fault {
            path_contains: "/namespaces/default/".to_owned(),
            skip: number,
            answer: FaultAnswer::PauseAfterwards(gate.clone()),
            ..Fault::default()
        }),
    }
    scene.create(built("app", &registry, &digest));
    let is_over = |scene: &Scene| {
        scene
            .annotations("app")
            .contains_key("chains.tekton.dev/signed")
    };
    let signed = scene.until("the run is signed", is_over);
    tokio::select! {
        () = gate.reached(1) => {}
        () = signed => {}
    }
    // the last call may be what marks the run, or the Event after that
    let a_while = Duration::from_millis(200);
    let was_reached = tokio::time::timeout(a_while, gate.reached(1)).await.is_ok();
    if was_reached {
        scene.local.kill_and_start_controller().await.unwrap();
        gate.release();
    }
    assert_eq!(scene.marked("app").await, "true", "{server:?} {number}");
    verify_both(&registry, &digest);
    assert_eq!(registry.tags("team/app").len(), 3);
    scene.end().await;
    was_reached
}

async fn killed_after_each(server: Server) -> usize {
    for number in 0..CALLS {
        if !killed_after(server, number).await {
            return number;
        }
    }
    panic!("a pass has more than {CALLS} calls");
}

#[tokio::test]
async fn killed_after_any_call_of_the_registry_it_leaves_one_signature_and_one_attestation() {
    let calls = killed_after_each(Server::Registry).await;
    assert!(calls > 10, "a push has more than {calls} calls");
}

#[tokio::test]
async fn killed_after_any_call_of_the_cluster_it_leaves_one_signature_and_one_attestation() {
    let calls = killed_after_each(Server::Cluster).await;
    // the account, its secret, the record
    assert!(calls >= 3, "a pass has more than {calls} calls");
}
