//! Statements and statuses compared with the runs that they are about, and with others.

use serde_json::{Value, json};

use super::*;
use crate::run::{PipelineRun, TaskRun};

const FORMATS: [Format; 4] = [
    Format::SlsaV1,
    Format::SlsaV2Alpha3,
    Format::SlsaV2Alpha4,
    Format::Tekton,
];

/// A pipeline run with one child, or that child by itself.
#[derive(Clone)]
struct Scene {
    kind: Kind,
    task: Value,
    pipeline: Value,
}

fn digest(digit: &str) -> String {
    format!("sha256:{}", digit.repeat(64))
}

impl Scene {
    fn new(kind: Kind) -> Self {
        let results = json!([
            { "name": "IMAGE_URL", "type": "string", "value": "r.io/team/app" },
            { "name": "IMAGE_DIGEST", "type": "string", "value": digest("2") },
            { "name": "CHAINS-GIT_URL", "type": "string", "value": "https://g.io/app" },
            { "name": "CHAINS-GIT_COMMIT", "type": "string", "value": "33".repeat(20) },
            { "name": "note", "type": "string", "value": "none" },
        ]);
        let condition = json!([{ "type": "Succeeded", "status": "True" }]);
        let task = json!({
            "apiVersion": "tekton.dev/v1",
            "kind": "TaskRun",
            "metadata": {
                "name": "release-build", "namespace": "team-a", "uid": "u-task",
                "labels": { "tekton.dev/pipelineTask": "build", "team": "a" },
                "annotations": { "example.com/a": "1" },
            },
            "spec": { "params": [{ "name": "revision", "value": "main" }] },
            "status": {
                "conditions": condition, "results": results, "podName": "release-build-pod",
                "startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:01:00Z",
                "taskSpec": { "steps": [{ "name": "s", "image": "r.io/tool" }] },
                "steps": [{ "name": "s", "imageID": format!("r.io/tool@{}", digest("4")) }],
            },
        });
        let results = json!([
            { "name": "IMAGE_URL", "value": "r.io/team/app" },
            { "name": "IMAGE_DIGEST", "value": digest("2") },
            { "name": "note", "value": "none" },
        ]);
        let pipeline = json!({
            "apiVersion": "tekton.dev/v1",
            "kind": "PipelineRun",
            "metadata": {
                "name": "release", "namespace": "team-a", "uid": "u-pipeline",
                "labels": { "tekton.dev/pipeline": "release" },
            },
            "spec": { "params": [{ "name": "revision", "value": "main" }] },
            "status": {
                "conditions": condition, "results": results,
                "startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:02:00Z",
                "childReferences": [
                    { "kind": "TaskRun", "name": "release-build", "pipelineTaskName": "build" },
                ],
                "pipelineSpec": { "tasks": [
                    { "name": "build", "taskSpec": { "steps": [{ "name": "s", "image": "r.io/tool" }] } },
                ] },
            },
        });
        Self {
            kind,
            task,
            pipeline,
        }
    }

    fn run(&mut self) -> &mut Value {
        match self.kind {
            Kind::Task => &mut self.task,
            Kind::Pipeline => &mut self.pipeline,
        }
    }

    fn read<T>(&self, use_run: impl FnOnce(&Run<'_>) -> T) -> T {
        let (task, pipeline) = (self.task.to_string(), self.pipeline.to_string());
        let task = TaskRun::parse(task.as_bytes()).unwrap();
        let run = match self.kind {
            Kind::Task => Run::Task(task),
            Kind::Pipeline => {
                let pipeline = PipelineRun::parse(pipeline.as_bytes()).unwrap();
                let children = match pipeline.status.child_references.as_slice() {
                    [child] if child.name == task.metadata.name => vec![task],
                    _ => Vec::new(),
                };
                Run::Pipeline(pipeline, children)
            }
        };
        use_run(&run)
    }

    fn signed_with(&self, format: Format, config: &Config) -> Vec<u8> {
        self.read(|run| Payload::of_run(run, config, format).unwrap().bytes)
    }

    fn signed(&self, format: Format) -> Vec<u8> {
        self.signed_with(format, &Config::default())
    }

    fn compare(&self, format: Format, payload: &[u8]) -> Comparison {
        self.read(|run| match format {
            Format::Tekton => status_of_run(run, payload),
            _ => statement_of_run(run, payload),
        })
    }

    #[track_caller]
    fn accepts(&self, format: Format, payload: &[u8]) -> Vec<String> {
        let Comparison {
            findings,
            not_covered,
        } = self.compare(format, payload);
        assert_eq!(findings, Vec::<String>::new(), "{format} {:?}", self.kind);
        not_covered
    }
}

/// Another run, which has an identity and times of its own.
fn another(scene: &mut Scene, name: &str, value: &Value) {
    let run = scene.run();
    run["metadata"][name] = value.clone();
    run["metadata"]["uid"] = json!("u-other");
    run["status"]["startTime"] = json!("2026-01-01T00:00:01Z");
}

/// How a run is another one, and what makes it so.
type Replay = (&'static str, fn(&mut Scene));

/// Everything by which a run can be another than the signed one.
fn replays() -> Vec<Replay> {
    vec![
        ("other namespace", |scene| {
            another(scene, "namespace", &json!("team-b"));
        }),
        ("other name", |scene| another(scene, "name", &json!("evil"))),
        ("other uid", |scene| {
            another(scene, "uid", &json!("u-other"));
        }),
        ("other kind", |scene| {
            scene.kind = match scene.kind {
                Kind::Task => Kind::Pipeline,
                Kind::Pipeline => Kind::Task,
            };
            // as close as it gets
            let metadata = json!({ "name": "release", "namespace": "team-a", "uid": "u-task" });
            scene.pipeline["metadata"] = metadata.clone();
            scene.task["metadata"] = metadata;
        }),
        ("changed result", |scene| {
            scene.run()["status"]["results"][1]["value"] = json!(digest("9"));
        }),
        ("foreign image", |scene| {
            scene.run()["status"]["results"][0]["value"] = json!("r.io/prod/app");
        }),
    ]
}

#[test]
fn what_was_signed_for_one_run_is_evidence_for_no_other() {
    for kind in Kind::ALL {
        for format in FORMATS {
            let rightful = Scene::new(kind);
            let payload = rightful.signed(format);
            rightful.accepts(format, &payload);
            for (what, change) in replays() {
                let mut scene = rightful.clone();
                change(&mut scene);
                let comparison = scene.compare(format, &payload);
                assert!(
                    !comparison.findings.is_empty(),
                    "{format} {kind}: {what} is accepted: {comparison:?}"
                );
            }
        }
    }
}

#[test]
fn every_setting_under_which_a_run_may_have_been_signed_is_found() {
    for kind in Kind::ALL {
        for format in FORMATS {
            for deep_inspection in [false, true] {
                for build_type in [BuildType::Slsa, BuildType::SlsaTekton] {
                    let config = Config {
                        builder_id: "https://example.com/builder".to_owned(),
                        deep_inspection,
                        build_type,
                        ..Config::default()
                    };
                    let scene = Scene::new(kind);
                    scene.accepts(format, &scene.signed_with(format, &config));
                }
            }
        }
    }
}

#[test]
fn what_is_written_after_signing_does_not_make_a_run_another_one() {
    let config = Config {
        build_type: BuildType::SlsaTekton,
        ..Config::default()
    };
    for kind in Kind::ALL {
        for format in FORMATS {
            let scene = Scene::new(kind);
            let payload = scene.signed_with(format, &config);
            let mut later = scene.clone();
            let run = later.run();
            run["metadata"]["labels"]["team"] = json!("b");
            run["metadata"]["annotations"]["chains.tekton.dev/signed"] = json!("true");
            run["metadata"]["annotations"]["results.tekton.dev/record"] = json!("x");
            run["metadata"]["resourceVersion"] = json!("77");
            run["metadata"]["managedFields"] = json!([{ "manager": "kubectl" }]);
            run["metadata"]["finalizers"] = json!(["example.com/f"]);
            if kind == Kind::Pipeline {
                later.task["metadata"]["annotations"]["chains.tekton.dev/signed"] = json!("true");
                later.task["metadata"]["resourceVersion"] = json!("78");
            }
            let parts = later.accepts(format, &payload).join(", ");
            if format != Format::Tekton {
                assert!(parts.contains("team"), "{format}: {parts}");
            }
        }
    }
}

#[test]
fn the_labels_by_which_tekton_ties_a_run_to_its_pipeline_may_not_change() {
    let mut scene = Scene::new(Kind::Task);
    let payload = scene.signed(Format::SlsaV1);
    scene.task["metadata"]["labels"]["tekton.dev/pipelineTask"] = json!("deploy");
    let comparison = scene.compare(Format::SlsaV1, &payload);
    assert!(
        comparison.findings[0].contains("pipelineTask"),
        "{comparison:?}"
    );
}

#[test]
fn a_pipeline_run_whose_task_runs_are_gone_is_compared_without_them_and_that_is_said() {
    let deep = Config {
        deep_inspection: true,
        ..Config::default()
    };
    for config in [&Config::default(), &deep] {
        for format in [Format::SlsaV1, Format::SlsaV2Alpha3, Format::SlsaV2Alpha4] {
            let scene = Scene::new(Kind::Pipeline);
            let payload = scene.signed_with(format, config);
            let mut alone = scene.clone();
            alone.task["metadata"]["name"] = json!("gone");
            let parts = alone.accepts(format, &payload).join(", ");
            assert!(parts.contains("its task runs"), "{format}: {parts}");
            for (what, change) in replays() {
                let mut other = alone.clone();
                change(&mut other);
                let comparison = other.compare(format, &payload);
                assert!(!comparison.findings.is_empty(), "{format}: {what}");
            }
        }
    }
}

#[test]
fn the_parts_that_a_format_does_not_name_are_listed() {
    let scene = Scene::new(Kind::Task);
    let parts = |format| scene.accepts(format, &scene.signed(format));
    assert_eq!(
        parts(Format::Tekton),
        ["namespace", "name", "uid", "labels", "annotations", "spec"]
    );
    assert_eq!(
        parts(Format::SlsaV1),
        [
            "namespace",
            "name",
            "uid",
            "results that name no artifact",
            "whether it succeeded"
        ]
    );
    // a by-product is called after the run
    assert_eq!(
        parts(Format::SlsaV2Alpha4),
        ["namespace", "whether it succeeded"]
    );
}

#[test]
fn a_statement_in_the_form_of_an_older_release_is_compared_by_what_it_has() {
    let scene = Scene::new(Kind::Task);
    let text = String::from_utf8(scene.signed(Format::SlsaV1)).unwrap();
    let mut statement: Value = serde_json::from_str(&text).unwrap();
    statement["predicate"]["buildType"] = json!("tekton.dev/v1beta1/TaskRun");
    statement["predicate"]["buildConfig"] = json!({ "steps": null });
    let payload = statement.to_string();
    let parts = scene.accepts(Format::SlsaV1, payload.as_bytes()).join(", ");
    assert!(parts.contains("older release"), "{parts}");
    for (what, change) in replays() {
        let mut other = scene.clone();
        change(&mut other);
        let comparison = other.compare(Format::SlsaV1, payload.as_bytes());
        assert!(!comparison.findings.is_empty(), "{what}");
    }
}

#[test]
fn a_run_vouches_for_the_images_that_it_built_and_for_no_others() {
    let image = |name: &str| Image::parse(name).unwrap();
    let own = image(&format!("r.io/team/app@{}", digest("2")));
    let others = [
        image(&format!("r.io/prod/app@{}", digest("2"))),
        image(&format!("r.io/team/app@{}", digest("9"))),
    ];
    let check = |kind, image: &Image, key: &str| {
        Scene::new(kind).read(|run| image_of_run(run, key, &Payload::of_image(image).bytes))
    };
    assert_eq!(check(Kind::Task, &own, own.short_key()), Ok(own.clone()));
    assert!(check(Kind::Task, &own, "taskrun-u-task").is_err());
    assert!(check(Kind::Pipeline, &own, own.short_key()).is_err());
    for other in &others {
        assert!(
            check(Kind::Task, other, other.short_key()).is_err(),
            "{other}"
        );
    }
    for (image, is_own) in [(&own, true), (&others[1], false)] {
        let payload = Payload::image_statement(image).bytes;
        let key = format!("{}.statement", image.short_key());
        let checked = Scene::new(Kind::Task).read(|run| image_of_run(run, &key, &payload));
        assert_eq!(checked.is_ok(), is_own);
    }
    let nothing = Scene::new(Kind::Task).read(|run| image_of_run(run, "x", b"{}"));
    assert!(nothing.is_err());
}
