//! `explain` of files.

use serde_json::Value;

use super::runs::{HEX, folder, task};

#[test]
fn the_text_is_pinned() {
    let shell = folder();
    let expected = format!(
        "TaskRun build in namespace team-a
  run: format slsa/v1, signer x509, stored in tekton
  images: format simplesigning, signer x509, stored in oci

Subjects (1)
  r.io/app
    sha256:{HEX}
    from result app-IMAGE_URL and result app-IMAGE_DIGEST of TaskRun build

Dependencies (0)

Images to sign (1)
  r.io/app@sha256:{HEX}
    from result app-IMAGE_URL and result app-IMAGE_DIGEST of TaskRun build
    key 222222222222

Warnings (0)
"
    );
    assert_eq!(shell.succeed("explain -f task.yaml"), expected);
}

#[test]
fn json_has_images_subjects_dependencies_and_warnings() {
    let shell = folder();
    let missing = task().replace("app-IMAGE_DIGEST", "app-IMAGE_DIGESTS");
    shell.write("missing.yaml", missing);
    let json: Value =
        serde_json::from_str(&shell.succeed("explain -f missing.yaml -o json")).unwrap();
    for name in ["images", "subjects", "dependencies"] {
        assert_eq!(json[name], Value::Array(Vec::new()), "{name}");
    }
    let warnings = json["warnings"].to_string();
    assert!(warnings.contains("app-IMAGE_URL") && warnings.contains("app-IMAGE_DIGEST"));
    let first = shell.succeed("explain -f task.yaml -o jsonpath={.images[0].shortKey}");
    assert_eq!(first, "222222222222");
}

#[test]
fn a_pipeline_run_says_what_deep_inspection_would_add() {
    let shell = folder();
    let off = shell.succeed("explain -f list.yaml");
    assert!(off.contains("enable-deep-inspection is false"), "{off}");
    assert!(off.contains("Subjects (0)"), "{off}");
    let on = shell.succeed("explain -f list.yaml --config deep.yaml");
    assert!(on.contains("of TaskRun build (task build)"), "{on}");
    assert!(on.contains("Warnings (0)"), "{on}");
    let alone = shell.succeed("explain -f pipeline.yaml");
    assert!(
        alone.contains("\"build\" is missing from the files"),
        "{alone}"
    );
}

#[test]
fn a_format_and_a_config_are_explained_as_given() {
    let shell = folder();
    let alpha4 = shell.succeed("explain -f task.yaml --format slsa-provenance/v1");
    assert!(alpha4.contains("format slsa/v2alpha4"), "{alpha4}");
    let off =
        "kind: ConfigMap\ndata: {artifacts.taskrun.signer: none, artifacts.oci.storage: ''}\n";
    shell.write("off.yaml", off);
    let off = shell.succeed("explain -f task.yaml --config off.yaml");
    assert!(
        off.contains("run: not signed\n  images: not signed"),
        "{off}"
    );
    assert!(off.contains("artifacts.taskrun.signer is none"), "{off}");
    assert!(off.contains("artifacts.oci.storage is empty"), "{off}");
}

#[test]
fn what_is_to_be_explained_has_to_be_said_once() {
    let shell = folder();
    shell.fail(2, "explain", "taskrun/NAME or pipelinerun/NAME");
    shell.fail(2, "explain -f task.yaml tr/build", "cannot be used with");
    shell.fail(2, "explain tr/build --child task.yaml", "--filename");
    shell.fail(2, "explain build", "taskrun/NAME or pipelinerun/NAME");
}
