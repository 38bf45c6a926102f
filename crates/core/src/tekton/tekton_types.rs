//! Tekton types, field by field: docs/behaviour.md, "Go types".

use super::core_types::{
    AFFINITY, CONFIG_MAP_VOLUME_SOURCE, CONTAINER_PORT, CONTAINER_STATE_RUNNING,
    CONTAINER_STATE_TERMINATED, CONTAINER_STATE_WAITING, CSI_VOLUME_SOURCE,
    EMPTY_DIR_VOLUME_SOURCE, ENV_FROM_SOURCE, ENV_VAR, HOST_ALIAS, LIFECYCLE,
    LOCAL_OBJECT_REFERENCE, OBJECT_META, PERSISTENT_VOLUME_CLAIM,
    PERSISTENT_VOLUME_CLAIM_VOLUME_SOURCE, POD_DNS_CONFIG, POD_SECURITY_CONTEXT, PROBE,
    PROJECTED_VOLUME_SOURCE, RESOURCE_REQUIREMENTS, SECRET_VOLUME_SOURCE, SECURITY_CONTEXT,
    TOLERATION, TOPOLOGY_SPREAD_CONSTRAINT, VOLUME, VOLUME_DEVICE, VOLUME_MOUNT,
};
use super::schema::Kind::{Bool, Duration, Int, Of, Param, Raw, Text, Time};
use super::schema::Shape::{List, Map, One, Pointer};
use super::schema::{Struct, always, omit};

/// `apis.Condition`
pub(super) static CONDITION: Struct = &[
    always("type", One(Text)),
    always("status", One(Text)),
    omit("severity", One(Text)),
    omit("lastTransitionTime", One(Time)),
    omit("reason", One(Text)),
    omit("message", One(Text)),
];

/// `config.FeatureFlags`
pub(super) static FEATURE_FLAGS: Struct = &[
    omit("disableCredsInit", One(Bool)),
    omit("runningInEnvWithInjectedSidecars", One(Bool)),
    omit("requireGitSSHSecretKnownHosts", One(Bool)),
    omit("enableAPIFields", One(Text)),
    omit("sendCloudEventsForRuns", One(Bool)),
    omit("awaitSidecarReadiness", One(Bool)),
    omit("enforceNonfalsifiability", One(Text)),
    omit("enableKeepPodOnCancel", One(Bool)),
    omit("verificationNoMatchPolicy", One(Text)),
    omit("enableProvenanceInStatus", One(Bool)),
    omit("resultExtractionMethod", One(Text)),
    omit("maxResultSize", One(Int)),
    omit("setSecurityContext", One(Bool)),
    omit("setSecurityContextReadOnlyRootFilesystem", One(Bool)),
    omit("coschedule", One(Text)),
    omit("enableCELInWhenExpression", One(Bool)),
    omit("enableStepActions", One(Bool)),
    omit("enableParamEnum", One(Bool)),
    omit("enableArtifacts", One(Bool)),
    omit("disableInlineSpec", One(Text)),
    omit("enableConciseResolverSyntax", One(Bool)),
    omit("enableKubernetesSidecar", One(Bool)),
    omit("enableWaitExponentialBackoff", One(Bool)),
    omit("enableTerminationMessageCompression", One(Bool)),
    omit("enableTektonOCIBundles", Pointer(Bool)),
];

/// `pod.Template`
pub(super) static TEMPLATE: Struct = &[
    omit("nodeSelector", Map(Text)),
    omit("env", List(Of(&ENV_VAR))),
    omit("tolerations", List(Of(&TOLERATION))),
    omit("affinity", Pointer(Of(&AFFINITY))),
    omit("securityContext", Pointer(Of(&POD_SECURITY_CONTEXT))),
    omit("volumes", List(Of(&VOLUME))),
    omit("runtimeClassName", Pointer(Text)),
    omit("automountServiceAccountToken", Pointer(Bool)),
    omit("dnsPolicy", Pointer(Text)),
    omit("dnsConfig", Pointer(Of(&POD_DNS_CONFIG))),
    omit("enableServiceLinks", Pointer(Bool)),
    omit("priorityClassName", Pointer(Text)),
    omit("schedulerName", One(Text)),
    omit("imagePullSecrets", List(Of(&LOCAL_OBJECT_REFERENCE))),
    omit("hostAliases", List(Of(&HOST_ALIAS))),
    omit("hostNetwork", One(Bool)),
    omit("hostUsers", Pointer(Bool)),
    omit(
        "topologySpreadConstraints",
        List(Of(&TOPOLOGY_SPREAD_CONSTRAINT)),
    ),
];

/// `tkn.Artifact`
pub(super) static ARTIFACT: Struct = &[
    omit("name", One(Text)),
    omit("values", List(Of(&ARTIFACT_VALUE))),
    omit("buildOutput", One(Bool)),
];

/// `tkn.ArtifactValue`
pub(super) static ARTIFACT_VALUE: Struct = &[omit("digest", Map(Text)), omit("uri", One(Text))];

/// `tkn.Artifacts`
pub(super) static ARTIFACTS: Struct = &[
    omit("inputs", List(Of(&ARTIFACT))),
    omit("outputs", List(Of(&ARTIFACT))),
];

/// `tkn.EmbeddedTask`
pub(super) static EMBEDDED_TASK: Struct = &[
    omit("apiVersion", One(Text)),
    omit("kind", One(Text)),
    omit("spec", One(Raw)),
    omit("metadata", One(Of(&PIPELINE_TASK_METADATA))),
    omit("params", List(Of(&PARAM_SPEC))),
    omit("displayName", One(Text)),
    omit("description", One(Text)),
    omit("steps", List(Of(&STEP))),
    omit("volumes", List(Of(&VOLUME))),
    omit("stepTemplate", Pointer(Of(&STEP_TEMPLATE))),
    omit("sidecars", List(Of(&SIDECAR))),
    omit("workspaces", List(Of(&WORKSPACE_DECLARATION))),
    omit("results", List(Of(&TASK_RESULT))),
];

/// `tkn.IncludeParams`
pub(super) static INCLUDE_PARAMS: Struct =
    &[omit("name", One(Text)), omit("params", List(Of(&PARAM)))];

/// `tkn.Matrix`
pub(super) static MATRIX: Struct = &[
    omit("params", List(Of(&PARAM))),
    omit("include", List(Of(&INCLUDE_PARAMS))),
];

/// `tkn.Param`
pub(super) static PARAM: Struct = &[always("name", One(Text)), always("value", One(Param))];

/// `tkn.ParamSpec`
pub(super) static PARAM_SPEC: Struct = &[
    always("name", One(Text)),
    omit("type", One(Text)),
    omit("description", One(Text)),
    omit("properties", Map(Of(&PROPERTY_SPEC))),
    omit("default", Pointer(Param)),
    omit("enum", List(Text)),
];

/// `tkn.PipelineRef`
pub(super) static PIPELINE_REF: Struct = &[
    omit("name", One(Text)),
    omit("apiVersion", One(Text)),
    omit("resolver", One(Text)),
    omit("params", List(Of(&PARAM))),
];

/// `tkn.PipelineResult`
pub(super) static PIPELINE_RESULT: Struct = &[
    always("name", One(Text)),
    omit("type", One(Text)),
    always("description", One(Text)),
    always("value", One(Param)),
];

/// `tkn.PipelineRunSpec`
pub(super) static PIPELINE_RUN_SPEC: Struct = &[
    omit("pipelineRef", Pointer(Of(&PIPELINE_REF))),
    omit("pipelineSpec", Pointer(Of(&PIPELINE_SPEC))),
    omit("params", List(Of(&PARAM))),
    omit("status", One(Text)),
    omit("timeouts", Pointer(Of(&TIMEOUT_FIELDS))),
    omit("taskRunTemplate", One(Of(&PIPELINE_TASK_RUN_TEMPLATE))),
    omit("workspaces", List(Of(&WORKSPACE_BINDING))),
    omit("taskRunSpecs", List(Of(&PIPELINE_TASK_RUN_SPEC))),
    omit("managedBy", Pointer(Text)),
];

/// `tkn.PipelineSpec`
pub(super) static PIPELINE_SPEC: Struct = &[
    omit("displayName", One(Text)),
    omit("description", One(Text)),
    omit("tasks", List(Of(&PIPELINE_TASK))),
    omit("params", List(Of(&PARAM_SPEC))),
    omit("workspaces", List(Of(&PIPELINE_WORKSPACE_DECLARATION))),
    omit("results", List(Of(&PIPELINE_RESULT))),
    omit("finally", List(Of(&PIPELINE_TASK))),
];

/// `tkn.PipelineTask`
pub(super) static PIPELINE_TASK: Struct = &[
    omit("name", One(Text)),
    omit("displayName", One(Text)),
    omit("description", One(Text)),
    omit("taskRef", Pointer(Of(&TASK_REF))),
    omit("taskSpec", Pointer(Of(&EMBEDDED_TASK))),
    omit("when", List(Of(&WHEN_EXPRESSION))),
    omit("retries", One(Int)),
    omit("runAfter", List(Text)),
    omit("params", List(Of(&PARAM))),
    omit("matrix", Pointer(Of(&MATRIX))),
    omit("workspaces", List(Of(&WORKSPACE_PIPELINE_TASK_BINDING))),
    omit("timeout", Pointer(Duration)),
    omit("pipelineRef", Pointer(Of(&PIPELINE_REF))),
    omit("pipelineSpec", Pointer(Of(&PIPELINE_SPEC))),
    omit("onError", One(Text)),
];

/// `tkn.PipelineTaskMetadata`
pub(super) static PIPELINE_TASK_METADATA: Struct =
    &[omit("labels", Map(Text)), omit("annotations", Map(Text))];

/// `tkn.PipelineTaskRunSpec`
pub(super) static PIPELINE_TASK_RUN_SPEC: Struct = &[
    omit("pipelineTaskName", One(Text)),
    omit("serviceAccountName", One(Text)),
    omit("podTemplate", Pointer(Of(&TEMPLATE))),
    omit("stepSpecs", List(Of(&TASK_RUN_STEP_SPEC))),
    omit("sidecarSpecs", List(Of(&TASK_RUN_SIDECAR_SPEC))),
    omit("metadata", Pointer(Of(&PIPELINE_TASK_METADATA))),
    omit("computeResources", Pointer(Of(&RESOURCE_REQUIREMENTS))),
    omit("timeout", Pointer(Duration)),
];

/// `tkn.PipelineTaskRunTemplate`
pub(super) static PIPELINE_TASK_RUN_TEMPLATE: Struct = &[
    omit("podTemplate", Pointer(Of(&TEMPLATE))),
    omit("serviceAccountName", One(Text)),
];

/// `tkn.PipelineWorkspaceDeclaration`
pub(super) static PIPELINE_WORKSPACE_DECLARATION: Struct = &[
    always("name", One(Text)),
    omit("description", One(Text)),
    omit("optional", One(Bool)),
];

/// `tkn.PropertySpec`
pub(super) static PROPERTY_SPEC: Struct = &[omit("type", One(Text))];

/// `tkn.Provenance`
pub(super) static PROVENANCE: Struct = &[
    omit("refSource", Pointer(Of(&REF_SOURCE))),
    omit("featureFlags", Pointer(Of(&FEATURE_FLAGS))),
];

/// `tkn.Ref`
pub(super) static REF: Struct = &[
    omit("name", One(Text)),
    omit("resolver", One(Text)),
    omit("params", List(Of(&PARAM))),
];

/// `tkn.RefSource`
pub(super) static REF_SOURCE: Struct = &[
    omit("uri", One(Text)),
    omit("digest", Map(Text)),
    omit("entryPoint", One(Text)),
];

/// `tkn.Sidecar`
pub(super) static SIDECAR: Struct = &[
    always("name", One(Text)),
    omit("image", One(Text)),
    omit("command", List(Text)),
    omit("args", List(Text)),
    omit("workingDir", One(Text)),
    omit("ports", List(Of(&CONTAINER_PORT))),
    omit("envFrom", List(Of(&ENV_FROM_SOURCE))),
    omit("env", List(Of(&ENV_VAR))),
    omit("computeResources", One(Of(&RESOURCE_REQUIREMENTS))),
    omit("volumeMounts", List(Of(&VOLUME_MOUNT))),
    omit("volumeDevices", List(Of(&VOLUME_DEVICE))),
    omit("livenessProbe", Pointer(Of(&PROBE))),
    omit("readinessProbe", Pointer(Of(&PROBE))),
    omit("startupProbe", Pointer(Of(&PROBE))),
    omit("lifecycle", Pointer(Of(&LIFECYCLE))),
    omit("terminationMessagePath", One(Text)),
    omit("terminationMessagePolicy", One(Text)),
    omit("imagePullPolicy", One(Text)),
    omit("securityContext", Pointer(Of(&SECURITY_CONTEXT))),
    omit("stdin", One(Bool)),
    omit("stdinOnce", One(Bool)),
    omit("tty", One(Bool)),
    omit("script", One(Text)),
    omit("workspaces", List(Of(&WORKSPACE_USAGE))),
    omit("restartPolicy", Pointer(Text)),
];

/// `tkn.SidecarState`
pub(super) static SIDECAR_STATE: Struct = &[
    omit("waiting", Pointer(Of(&CONTAINER_STATE_WAITING))),
    omit("running", Pointer(Of(&CONTAINER_STATE_RUNNING))),
    omit("terminated", Pointer(Of(&CONTAINER_STATE_TERMINATED))),
    omit("name", One(Text)),
    omit("container", One(Text)),
    omit("imageID", One(Text)),
];

/// `tkn.Step`
pub(super) static STEP: Struct = &[
    always("name", One(Text)),
    omit("displayName", One(Text)),
    omit("image", One(Text)),
    omit("command", List(Text)),
    omit("args", List(Text)),
    omit("workingDir", One(Text)),
    omit("envFrom", List(Of(&ENV_FROM_SOURCE))),
    omit("env", List(Of(&ENV_VAR))),
    omit("computeResources", One(Of(&RESOURCE_REQUIREMENTS))),
    omit("volumeMounts", List(Of(&VOLUME_MOUNT))),
    omit("volumeDevices", List(Of(&VOLUME_DEVICE))),
    omit("imagePullPolicy", One(Text)),
    omit("securityContext", Pointer(Of(&SECURITY_CONTEXT))),
    omit("script", One(Text)),
    omit("timeout", Pointer(Duration)),
    omit("workspaces", List(Of(&WORKSPACE_USAGE))),
    omit("onError", One(Text)),
    omit("stdoutConfig", Pointer(Of(&STEP_OUTPUT_CONFIG))),
    omit("stderrConfig", Pointer(Of(&STEP_OUTPUT_CONFIG))),
    omit("ref", Pointer(Of(&REF))),
    omit("params", List(Of(&PARAM))),
    omit("results", List(Of(&STEP_RESULT))),
    omit("when", List(Of(&WHEN_EXPRESSION))),
];

/// `tkn.StepOutputConfig`
pub(super) static STEP_OUTPUT_CONFIG: Struct = &[omit("path", One(Text))];

/// `tkn.StepResult`
pub(super) static STEP_RESULT: Struct = &[
    always("name", One(Text)),
    omit("type", One(Text)),
    omit("properties", Map(Of(&PROPERTY_SPEC))),
    omit("description", One(Text)),
];

/// `tkn.StepState`
pub(super) static STEP_STATE: Struct = &[
    omit("waiting", Pointer(Of(&CONTAINER_STATE_WAITING))),
    omit("running", Pointer(Of(&CONTAINER_STATE_RUNNING))),
    omit("terminated", Pointer(Of(&CONTAINER_STATE_TERMINATED))),
    omit("name", One(Text)),
    omit("container", One(Text)),
    omit("imageID", One(Text)),
    omit("results", List(Of(&TASK_RUN_RESULT))),
    omit("provenance", Pointer(Of(&PROVENANCE))),
    omit("terminationReason", One(Text)),
    omit("inputs", List(Of(&ARTIFACT))),
    omit("outputs", List(Of(&ARTIFACT))),
];

/// `tkn.StepTemplate`
pub(super) static STEP_TEMPLATE: Struct = &[
    omit("image", One(Text)),
    omit("command", List(Text)),
    omit("args", List(Text)),
    omit("workingDir", One(Text)),
    omit("envFrom", List(Of(&ENV_FROM_SOURCE))),
    omit("env", List(Of(&ENV_VAR))),
    omit("computeResources", One(Of(&RESOURCE_REQUIREMENTS))),
    omit("volumeMounts", List(Of(&VOLUME_MOUNT))),
    omit("volumeDevices", List(Of(&VOLUME_DEVICE))),
    omit("imagePullPolicy", One(Text)),
    omit("securityContext", Pointer(Of(&SECURITY_CONTEXT))),
];

/// `tkn.TaskBreakpoints`
pub(super) static TASK_BREAKPOINTS: Struct = &[
    omit("onFailure", One(Text)),
    omit("beforeSteps", List(Text)),
];

/// `tkn.TaskRef`
pub(super) static TASK_REF: Struct = &[
    omit("name", One(Text)),
    omit("kind", One(Text)),
    omit("apiVersion", One(Text)),
    omit("resolver", One(Text)),
    omit("params", List(Of(&PARAM))),
];

/// `tkn.TaskResult`
pub(super) static TASK_RESULT: Struct = &[
    always("name", One(Text)),
    omit("type", One(Text)),
    omit("properties", Map(Of(&PROPERTY_SPEC))),
    omit("description", One(Text)),
    omit("value", Pointer(Param)),
];

/// `tkn.TaskRun`
pub(super) static TASK_RUN: Struct = &[
    omit("kind", One(Text)),
    omit("apiVersion", One(Text)),
    omit("metadata", One(Of(&OBJECT_META))),
    omit("spec", One(Of(&TASK_RUN_SPEC))),
    omit("status", One(Of(&TASK_RUN_STATUS))),
];

/// `tkn.TaskRunDebug`
pub(super) static TASK_RUN_DEBUG: Struct = &[omit("breakpoints", Pointer(Of(&TASK_BREAKPOINTS)))];

/// `tkn.TaskRunResult`
pub(super) static TASK_RUN_RESULT: Struct = &[
    always("name", One(Text)),
    omit("type", One(Text)),
    always("value", One(Param)),
];

/// `tkn.TaskRunSidecarSpec`
pub(super) static TASK_RUN_SIDECAR_SPEC: Struct = &[
    always("name", One(Text)),
    always("computeResources", One(Of(&RESOURCE_REQUIREMENTS))),
];

/// `tkn.TaskRunSpec`
pub(super) static TASK_RUN_SPEC: Struct = &[
    omit("debug", Pointer(Of(&TASK_RUN_DEBUG))),
    omit("params", List(Of(&PARAM))),
    always("serviceAccountName", One(Text)),
    omit("taskRef", Pointer(Of(&TASK_REF))),
    omit("taskSpec", Pointer(Of(&TASK_SPEC))),
    omit("status", One(Text)),
    omit("statusMessage", One(Text)),
    omit("retries", One(Int)),
    omit("timeout", Pointer(Duration)),
    omit("podTemplate", Pointer(Of(&TEMPLATE))),
    omit("workspaces", List(Of(&WORKSPACE_BINDING))),
    omit("stepSpecs", List(Of(&TASK_RUN_STEP_SPEC))),
    omit("sidecarSpecs", List(Of(&TASK_RUN_SIDECAR_SPEC))),
    omit("computeResources", Pointer(Of(&RESOURCE_REQUIREMENTS))),
    omit("managedBy", Pointer(Text)),
];

/// `tkn.TaskRunStatus`
pub(super) static TASK_RUN_STATUS: Struct = &[
    omit("observedGeneration", One(Int)),
    omit("conditions", List(Of(&CONDITION))),
    omit("annotations", Map(Text)),
    always("podName", One(Text)),
    omit("startTime", Pointer(Time)),
    omit("completionTime", Pointer(Time)),
    omit("steps", List(Of(&STEP_STATE))),
    omit("retriesStatus", List(Of(&TASK_RUN_STATUS))),
    omit("results", List(Of(&TASK_RUN_RESULT))),
    omit("artifacts", Pointer(Of(&ARTIFACTS))),
    omit("sidecars", List(Of(&SIDECAR_STATE))),
    omit("taskSpec", Pointer(Of(&TASK_SPEC))),
    omit("provenance", Pointer(Of(&PROVENANCE))),
    omit("spanContext", Map(Text)),
];

/// `tkn.TaskRunStepSpec`
pub(super) static TASK_RUN_STEP_SPEC: Struct = &[
    always("name", One(Text)),
    always("computeResources", One(Of(&RESOURCE_REQUIREMENTS))),
];

/// `tkn.TaskSpec`
pub(super) static TASK_SPEC: Struct = &[
    omit("params", List(Of(&PARAM_SPEC))),
    omit("displayName", One(Text)),
    omit("description", One(Text)),
    omit("steps", List(Of(&STEP))),
    omit("volumes", List(Of(&VOLUME))),
    omit("stepTemplate", Pointer(Of(&STEP_TEMPLATE))),
    omit("sidecars", List(Of(&SIDECAR))),
    omit("workspaces", List(Of(&WORKSPACE_DECLARATION))),
    omit("results", List(Of(&TASK_RESULT))),
];

/// `tkn.TimeoutFields`
pub(super) static TIMEOUT_FIELDS: Struct = &[
    omit("pipeline", Pointer(Duration)),
    omit("tasks", Pointer(Duration)),
    omit("finally", Pointer(Duration)),
];

/// `tkn.WhenExpression`
pub(super) static WHEN_EXPRESSION: Struct = &[
    omit("input", One(Text)),
    omit("operator", One(Text)),
    omit("values", List(Text)),
    omit("cel", One(Text)),
];

/// `tkn.WorkspaceBinding`
pub(super) static WORKSPACE_BINDING: Struct = &[
    always("name", One(Text)),
    omit("subPath", One(Text)),
    omit("volumeClaimTemplate", Pointer(Of(&PERSISTENT_VOLUME_CLAIM))),
    omit(
        "persistentVolumeClaim",
        Pointer(Of(&PERSISTENT_VOLUME_CLAIM_VOLUME_SOURCE)),
    ),
    omit("emptyDir", Pointer(Of(&EMPTY_DIR_VOLUME_SOURCE))),
    omit("configMap", Pointer(Of(&CONFIG_MAP_VOLUME_SOURCE))),
    omit("secret", Pointer(Of(&SECRET_VOLUME_SOURCE))),
    omit("projected", Pointer(Of(&PROJECTED_VOLUME_SOURCE))),
    omit("csi", Pointer(Of(&CSI_VOLUME_SOURCE))),
];

/// `tkn.WorkspaceDeclaration`
pub(super) static WORKSPACE_DECLARATION: Struct = &[
    always("name", One(Text)),
    omit("description", One(Text)),
    omit("mountPath", One(Text)),
    omit("readOnly", One(Bool)),
    omit("optional", One(Bool)),
];

/// `tkn.WorkspacePipelineTaskBinding`
pub(super) static WORKSPACE_PIPELINE_TASK_BINDING: Struct = &[
    always("name", One(Text)),
    omit("workspace", One(Text)),
    omit("subPath", One(Text)),
];

/// `tkn.WorkspaceUsage`
pub(super) static WORKSPACE_USAGE: Struct =
    &[always("name", One(Text)), always("mountPath", One(Text))];
