//! `--trusted-root` with a ConfigMap of the built-in cluster.

use serde_json::{Value, json};
use windlass_sandbox::{Fault, FaultAnswer};

use super::stack::{IDENTITY, ISSUER, Request, Stack, TIME};
use crate::scene::Scene;
use crate::shell::Shell;

const NAMESPACE: &str = "tekton-chains";
const ROOT: &str = "--trusted-root k8s://tekton-chains/windlass-config";
const SHOW: &str = "trust show --trusted-root k8s://tekton-chains/windlass-config";

fn scene() -> (Scene, Stack) {
    (Scene::with(Shell::new(), &[NAMESPACE]), Stack::new())
}

fn config_map(scene: &Scene, data: &Value) {
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "windlass-config", "namespace": NAMESPACE },
        "data": data,
    });
    scene.cluster.create(map).unwrap();
}

#[test]
fn a_bundle_is_judged_by_the_trusted_root_of_a_config_map() {
    let (scene, stack) = scene();
    let shell = &scene.shell;
    config_map(
        &scene,
        &json!({ "trusted_root.json": stack.root().to_string() }),
    );
    let leaf = stack.certificate(&Request::default());
    let file = b"what was built\n";
    let bundle = stack.file_bundle(&leaf, file, TIME + 10);
    shell.write("bundle", bundle.to_string());
    shell.write("app", file);
    let line = format!(
        "verify-blob {ROOT} --certificate-identity {IDENTITY} --certificate-oidc-issuer {ISSUER} \
         --bundle bundle app"
    );
    shell.succeed(&line);
    shell.write("app", "another");
    shell.fail(1, &line, "another artifact");
}

#[test]
fn a_trusted_root_may_come_from_standard_input_and_nothing_else_then() {
    let (scene, stack) = scene();
    let shell = &scene.shell;
    let leaf = stack.certificate(&Request::default());
    let file = b"what was built\n";
    let bundle = stack.file_bundle(&leaf, file, TIME + 10).to_string();
    shell.write("bundle", &bundle);
    shell.write("app", file);
    let root = stack.root().to_string();
    let line = |bundle: &str| {
        format!(
            "verify-blob --trusted-root - --certificate-identity {IDENTITY} \
             --certificate-oidc-issuer {ISSUER} --bundle {bundle} app"
        )
    };
    let outcome = shell.pipe(root.as_bytes(), &line("bundle"));
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let shown = shell.pipe(root.as_bytes(), "trust show --trusted-root -");
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    let wrong = shell.pipe(b"{}", "trust show --trusted-root -");
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("standard input"), "{}", wrong.stderr);
    // two readers: neither gets what is meant for the other
    let twice = shell.pipe(bundle.as_bytes(), &line("-"));
    assert_eq!(twice.code, 2);
    let told = "standard input has been read for something else";
    assert!(twice.stderr.contains(told), "{}", twice.stderr);
}

#[test]
fn trust_shows_the_trusted_root_of_a_config_map() {
    let (scene, stack) = scene();
    let root = stack.root().to_string();
    config_map(&scene, &json!({ "trusted_root.json": root }));
    let shown = scene.shell.run(SHOW);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    let name = "trusted_root.json of config map windlass-config in namespace tekton-chains";
    assert!(shown.stdout.contains(name), "{}", shown.stdout);
    let shown = scene.shell.run(&format!("{SHOW} -o json"));
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    let place = json!({ "namespace": "tekton-chains", "name": "windlass-config" });
    assert_eq!(shown["configMap"], place);
    let printed = scene.shell.run(&format!("{SHOW} -o root"));
    assert_eq!(printed.stdout, root);
}

#[test]
fn a_config_map_without_a_trusted_root_is_told_as_what_it_is() {
    let (scene, _) = scene();
    let missing = "kubectl create configmap windlass-config -n tekton-chains \
                   --from-file=trusted_root.json";
    scene.shell.fail(2, SHOW, missing);
    config_map(&scene, &json!({ "transparency.version": "2" }));
    scene.shell.fail(2, SHOW, "has no entry trusted_root.json");
    scene.cluster.fail(Fault {
        method: Some("GET".to_owned()),
        path_contains: "/configmaps/windlass-config".to_owned(),
        answer: FaultAnswer::Status(403.into()),
        ..Fault::default()
    });
    scene.shell.fail(2, SHOW, "ask for `get` on config maps");
    scene.shell.fail(
        2,
        "trust show --trusted-root k8s://one",
        "write a file, or k8s://",
    );
}
