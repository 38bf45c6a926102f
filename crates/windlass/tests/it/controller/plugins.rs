//! A controller that signs with a key of a plugin, a script, and what others read of it.

use serde_json::json;

use super::process::{Controller, finished_run, mark, scene_with, until};
use crate::plugin::{install, script};
use crate::scene::Scene;

const PIN: &str = "planted-pin-7351";
const OTHER: &str = "planted-other-9174";

/// A cluster whose runs are signed with the key of a plugin in the folder `plugins`.
fn scene() -> Scene {
    let scene = scene_with(&json!({
        "artifacts.taskrun.signer": "kms", "artifacts.taskrun.storage": "tekton",
        "artifacts.oci.storage": "", "signers.kms.kmsref": "scripted://release",
    }));
    scene.shell.succeed("generate-key-pair");
    let folder = scene.shell.path("").display().to_string();
    let before = format!(
        "tr '\\0' '\\n' < /proc/$$/environ > {folder}/environment; echo \"$PLUGIN_PIN\" >&2; \
         if test -e {folder}/broken; then printf '{{\"errorMessage\":\"%s\"}}' \"$PLUGIN_PIN\"; exit; fi"
    );
    let plugin = scene.shell.path("plugins/sigstore-kms-scripted");
    install(&plugin, &script(&folder, &before));
    scene
}

fn start(scene: &Scene, more: &[&str]) -> Controller {
    let mut words = vec!["controller"];
    words.extend(more);
    words.extend([
        "--metrics-address",
        "127.0.0.1:0",
        "--health-address",
        "127.0.0.1:0",
    ]);
    Controller::start_with(scene, &words, &[("PLUGIN_PIN", PIN), ("OTHER", OTHER)])
}

#[test]
fn runs_are_signed_with_the_key_of_a_plugin_and_nobody_reads_what_it_is_given_or_says() {
    let scene = scene();
    let folder = scene.shell.path("plugins").display().to_string();
    let mut controller = start(
        &scene,
        &[
            "--kms-plugin-dir",
            &folder,
            "--kms-plugin-env",
            "PLUGIN_PIN,ABSENT",
        ],
    );
    controller.says("key scripted://release of the plugin sigstore-kms-scripted loaded");
    finished_run(&scene, "a", "first");
    until("the run is signed", || {
        mark(&scene, "a", "first").as_deref() == Some("true")
    });
    scene
        .shell
        .succeed("verify --key cosign.pub taskrun/first -n a --require-seal");
    let environment = scene.shell.read("environment");
    assert_eq!(environment, format!("PLUGIN_PIN={PIN}\n").as_bytes());
    scene.shell.write("broken", "");
    finished_run(&scene, "a", "second");
    controller.says("it reports an error, which is not repeated here");
    let events = || json!(scene.cluster.list("events")).to_string();
    until("an Event says it", || events().contains("KeyUnavailable"));
    assert_eq!(mark(&scene, "a", "second"), None);
    std::fs::remove_file(scene.shell.path("broken")).unwrap();
    until("the run is signed", || {
        mark(&scene, "a", "second").as_deref() == Some("true")
    });
    let arguments = std::fs::read_to_string(controller.file("cmdline")).unwrap();
    let log = controller.stop().join("\n");
    let runs = json!(scene.cluster.list("taskruns.tekton.dev")).to_string();
    for (place, text) in [
        ("the log", log),
        ("the events", events()),
        ("the runs", runs),
        ("the arguments", arguments),
    ] {
        assert!(!text.contains("planted"), "{place}: {text}");
    }
}

#[test]
fn no_plugin_is_run_unless_the_operator_names_a_folder() {
    let scene = scene();
    let mut controller = start(&scene, &[]);
    finished_run(&scene, "a", "first");
    controller.says("plugins are off; start the controller with --kms-plugin-dir FOLDER");
    controller.stop();
    assert_eq!(mark(&scene, "a", "first"), None);
    assert!(!scene.shell.path("environment").exists());
}
