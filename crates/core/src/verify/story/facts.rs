//! What only one version of SLSA provenance has, or each has in another place.

use serde_json::Value;

const PIPELINE: &str = "tekton.dev/pipeline";
const PIPELINE_RUN: &str = "tekton.dev/pipelineRun";
const TASK: &str = "tekton.dev/task";

/// Facts as they are written.
#[derive(Default)]
pub(super) struct Facts<'a> {
    pub(super) build_type: &'a str,
    pub(super) uid: Option<&'a str>,
    pub(super) run: Option<&'a str>,
    pub(super) pipeline: Option<&'a str>,
    pub(super) tasks: Vec<&'a str>,
    pub(super) account: Option<&'a str>,
    pub(super) started: Option<&'a str>,
    pub(super) finished: Option<&'a str>,
}

/// The facts of a predicate of SLSA provenance v0.2.
pub(super) fn v02(predicate: &Value) -> Facts<'_> {
    let labels = &predicate["invocation"]["environment"]["labels"];
    let tasks = || array(&predicate["buildConfig"]["tasks"]);
    let mut names: Vec<&str> = tasks().filter_map(|task| text(&task["name"])).collect();
    names.extend(text(&labels[TASK]));
    Facts {
        build_type: text(&predicate["buildType"]).unwrap_or_default(),
        uid: None,
        run: text(&labels[PIPELINE_RUN]),
        pipeline: text(&labels[PIPELINE]),
        tasks: names,
        account: tasks().find_map(|task| text(&task["serviceAccountName"])),
        started: text(&predicate["metadata"]["buildStartedOn"]),
        finished: text(&predicate["metadata"]["buildFinishedOn"]),
    }
}

/// The facts of a predicate of SLSA provenance v1.
pub(super) fn v1(predicate: &Value) -> Facts<'_> {
    let definition = &predicate["buildDefinition"];
    let spec = &definition["externalParameters"]["runSpec"];
    let labels = &definition["internalParameters"]["labels"];
    let metadata = &predicate["runDetails"]["metadata"];
    let task = reference(&spec["taskRef"]).or_else(|| text(&labels[TASK]));
    Facts {
        build_type: text(&definition["buildType"]).unwrap_or_default(),
        uid: text(&metadata["invocationId"]),
        run: text(&labels[PIPELINE_RUN]),
        pipeline: reference(&spec["pipelineRef"]).or_else(|| text(&labels[PIPELINE])),
        tasks: task.into_iter().collect(),
        account: text(&spec["serviceAccountName"])
            .or_else(|| text(&spec["taskRunTemplate"]["serviceAccountName"])),
        started: text(&metadata["startedOn"]),
        finished: text(&metadata["finishedOn"]),
    }
}

/// The name of a definition: that of an object of the cluster, or what the resolver was asked for.
fn reference(reference: &Value) -> Option<&str> {
    text(&reference["name"]).or_else(|| {
        let mut params = array(&reference["params"]);
        let name =
            params.find(|param| matches!(text(&param["name"]), Some("name" | "pathInRepo")))?;
        text(&name["value"])
    })
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
