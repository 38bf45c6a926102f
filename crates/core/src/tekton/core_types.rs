//! Kubernetes types that occur in runs, field by field: docs/behaviour.md, "Go types".

use super::schema::Kind::{Bool, Int, IntOrString, Of, Quantity, Raw, Text, Time};
use super::schema::Shape::{List, Map, One, Pointer};
use super::schema::{Struct, always, omit, omit_zero};

/// `core.AWSElasticBlockStoreVolumeSource`
pub(super) static AWS_ELASTIC_BLOCK_STORE_VOLUME_SOURCE: Struct = &[
    always("volumeID", One(Text)),
    omit("fsType", One(Text)),
    omit("partition", One(Int)),
    omit("readOnly", One(Bool)),
];

/// `core.Affinity`
pub(super) static AFFINITY: Struct = &[
    omit("nodeAffinity", Pointer(Of(&NODE_AFFINITY))),
    omit("podAffinity", Pointer(Of(&POD_AFFINITY))),
    omit("podAntiAffinity", Pointer(Of(&POD_ANTI_AFFINITY))),
];

/// `core.AppArmorProfile`
pub(super) static APP_ARMOR_PROFILE: Struct = &[
    always("type", One(Text)),
    omit("localhostProfile", Pointer(Text)),
];

/// `core.AzureDiskVolumeSource`
pub(super) static AZURE_DISK_VOLUME_SOURCE: Struct = &[
    always("diskName", One(Text)),
    always("diskURI", One(Text)),
    omit("cachingMode", Pointer(Text)),
    omit("fsType", Pointer(Text)),
    omit("readOnly", Pointer(Bool)),
    omit("kind", Pointer(Text)),
];

/// `core.AzureFileVolumeSource`
pub(super) static AZURE_FILE_VOLUME_SOURCE: Struct = &[
    always("secretName", One(Text)),
    always("shareName", One(Text)),
    omit("readOnly", One(Bool)),
];

/// `core.CSIVolumeSource`
pub(super) static CSI_VOLUME_SOURCE: Struct = &[
    always("driver", One(Text)),
    omit("readOnly", Pointer(Bool)),
    omit("fsType", Pointer(Text)),
    omit("volumeAttributes", Map(Text)),
    omit("nodePublishSecretRef", Pointer(Of(&LOCAL_OBJECT_REFERENCE))),
];

/// `core.Capabilities`
pub(super) static CAPABILITIES: Struct = &[omit("add", List(Text)), omit("drop", List(Text))];

/// `core.CephFSVolumeSource`
pub(super) static CEPH_FS_VOLUME_SOURCE: Struct = &[
    always("monitors", List(Text)),
    omit("path", One(Text)),
    omit("user", One(Text)),
    omit("secretFile", One(Text)),
    omit("secretRef", Pointer(Of(&LOCAL_OBJECT_REFERENCE))),
    omit("readOnly", One(Bool)),
];

/// `core.CinderVolumeSource`
pub(super) static CINDER_VOLUME_SOURCE: Struct = &[
    always("volumeID", One(Text)),
    omit("fsType", One(Text)),
    omit("readOnly", One(Bool)),
    omit("secretRef", Pointer(Of(&LOCAL_OBJECT_REFERENCE))),
];

/// `core.ClusterTrustBundleProjection`
pub(super) static CLUSTER_TRUST_BUNDLE_PROJECTION: Struct = &[
    omit("name", Pointer(Text)),
    omit("signerName", Pointer(Text)),
    omit("labelSelector", Pointer(Of(&LABEL_SELECTOR))),
    omit("optional", Pointer(Bool)),
    always("path", One(Text)),
];

/// `core.ConfigMapEnvSource`
pub(super) static CONFIG_MAP_ENV_SOURCE: Struct =
    &[omit("name", One(Text)), omit("optional", Pointer(Bool))];

/// `core.ConfigMapKeySelector`
pub(super) static CONFIG_MAP_KEY_SELECTOR: Struct = &[
    omit("name", One(Text)),
    always("key", One(Text)),
    omit("optional", Pointer(Bool)),
];

/// `core.ConfigMapProjection`
pub(super) static CONFIG_MAP_PROJECTION: Struct = &[
    omit("name", One(Text)),
    omit("items", List(Of(&KEY_TO_PATH))),
    omit("optional", Pointer(Bool)),
];

/// `core.ConfigMapVolumeSource`
pub(super) static CONFIG_MAP_VOLUME_SOURCE: Struct = &[
    omit("name", One(Text)),
    omit("items", List(Of(&KEY_TO_PATH))),
    omit("defaultMode", Pointer(Int)),
    omit("optional", Pointer(Bool)),
];

/// `core.ContainerPort`
pub(super) static CONTAINER_PORT: Struct = &[
    omit("name", One(Text)),
    omit("hostPort", One(Int)),
    always("containerPort", One(Int)),
    omit("protocol", One(Text)),
    omit("hostIP", One(Text)),
];

/// `core.ContainerStateRunning`
pub(super) static CONTAINER_STATE_RUNNING: Struct = &[omit("startedAt", One(Time))];

/// `core.ContainerStateTerminated`
pub(super) static CONTAINER_STATE_TERMINATED: Struct = &[
    always("exitCode", One(Int)),
    omit("signal", One(Int)),
    omit("reason", One(Text)),
    omit("message", One(Text)),
    omit("startedAt", One(Time)),
    omit("finishedAt", One(Time)),
    omit("containerID", One(Text)),
];

/// `core.ContainerStateWaiting`
pub(super) static CONTAINER_STATE_WAITING: Struct =
    &[omit("reason", One(Text)), omit("message", One(Text))];

/// `core.DownwardAPIProjection`
pub(super) static DOWNWARD_API_PROJECTION: Struct =
    &[omit("items", List(Of(&DOWNWARD_API_VOLUME_FILE)))];

/// `core.DownwardAPIVolumeFile`
pub(super) static DOWNWARD_API_VOLUME_FILE: Struct = &[
    always("path", One(Text)),
    omit("fieldRef", Pointer(Of(&OBJECT_FIELD_SELECTOR))),
    omit("resourceFieldRef", Pointer(Of(&RESOURCE_FIELD_SELECTOR))),
    omit("mode", Pointer(Int)),
];

/// `core.DownwardAPIVolumeSource`
pub(super) static DOWNWARD_API_VOLUME_SOURCE: Struct = &[
    omit("items", List(Of(&DOWNWARD_API_VOLUME_FILE))),
    omit("defaultMode", Pointer(Int)),
];

/// `core.EmptyDirVolumeSource`
pub(super) static EMPTY_DIR_VOLUME_SOURCE: Struct = &[
    omit("medium", One(Text)),
    omit("sizeLimit", Pointer(Quantity)),
];

/// `core.EnvFromSource`
pub(super) static ENV_FROM_SOURCE: Struct = &[
    omit("prefix", One(Text)),
    omit("configMapRef", Pointer(Of(&CONFIG_MAP_ENV_SOURCE))),
    omit("secretRef", Pointer(Of(&SECRET_ENV_SOURCE))),
];

/// `core.EnvVar`
pub(super) static ENV_VAR: Struct = &[
    always("name", One(Text)),
    omit("value", One(Text)),
    omit("valueFrom", Pointer(Of(&ENV_VAR_SOURCE))),
];

/// `core.EnvVarSource`
pub(super) static ENV_VAR_SOURCE: Struct = &[
    omit("fieldRef", Pointer(Of(&OBJECT_FIELD_SELECTOR))),
    omit("resourceFieldRef", Pointer(Of(&RESOURCE_FIELD_SELECTOR))),
    omit("configMapKeyRef", Pointer(Of(&CONFIG_MAP_KEY_SELECTOR))),
    omit("secretKeyRef", Pointer(Of(&SECRET_KEY_SELECTOR))),
    omit("fileKeyRef", Pointer(Of(&FILE_KEY_SELECTOR))),
];

/// `core.EphemeralVolumeSource`
pub(super) static EPHEMERAL_VOLUME_SOURCE: Struct = &[omit(
    "volumeClaimTemplate",
    Pointer(Of(&PERSISTENT_VOLUME_CLAIM_TEMPLATE)),
)];

/// `core.ExecAction`
pub(super) static EXEC_ACTION: Struct = &[omit("command", List(Text))];

/// `core.FCVolumeSource`
pub(super) static FC_VOLUME_SOURCE: Struct = &[
    omit("targetWWNs", List(Text)),
    omit("lun", Pointer(Int)),
    omit("fsType", One(Text)),
    omit("readOnly", One(Bool)),
    omit("wwids", List(Text)),
];

/// `core.FileKeySelector`
pub(super) static FILE_KEY_SELECTOR: Struct = &[
    always("volumeName", One(Text)),
    always("path", One(Text)),
    always("key", One(Text)),
    omit("optional", Pointer(Bool)),
];

/// `core.FlexVolumeSource`
pub(super) static FLEX_VOLUME_SOURCE: Struct = &[
    always("driver", One(Text)),
    omit("fsType", One(Text)),
    omit("secretRef", Pointer(Of(&LOCAL_OBJECT_REFERENCE))),
    omit("readOnly", One(Bool)),
    omit("options", Map(Text)),
];

/// `core.FlockerVolumeSource`
pub(super) static FLOCKER_VOLUME_SOURCE: Struct = &[
    omit("datasetName", One(Text)),
    omit("datasetUUID", One(Text)),
];

/// `core.GCEPersistentDiskVolumeSource`
pub(super) static GCE_PERSISTENT_DISK_VOLUME_SOURCE: Struct = &[
    always("pdName", One(Text)),
    omit("fsType", One(Text)),
    omit("partition", One(Int)),
    omit("readOnly", One(Bool)),
];

/// `core.GRPCAction`
pub(super) static GRPC_ACTION: Struct =
    &[always("port", One(Int)), always("service", Pointer(Text))];

/// `core.GitRepoVolumeSource`
pub(super) static GIT_REPO_VOLUME_SOURCE: Struct = &[
    always("repository", One(Text)),
    omit("revision", One(Text)),
    omit("directory", One(Text)),
];

/// `core.GlusterfsVolumeSource`
pub(super) static GLUSTERFS_VOLUME_SOURCE: Struct = &[
    always("endpoints", One(Text)),
    always("path", One(Text)),
    omit("readOnly", One(Bool)),
];

/// `core.HTTPGetAction`
pub(super) static HTTP_GET_ACTION: Struct = &[
    omit("path", One(Text)),
    always("port", One(IntOrString)),
    omit("host", One(Text)),
    omit("scheme", One(Text)),
    omit("httpHeaders", List(Of(&HTTP_HEADER))),
];

/// `core.HTTPHeader`
pub(super) static HTTP_HEADER: Struct = &[always("name", One(Text)), always("value", One(Text))];

/// `core.HostAlias`
pub(super) static HOST_ALIAS: Struct = &[always("ip", One(Text)), omit("hostnames", List(Text))];

/// `core.HostPathVolumeSource`
pub(super) static HOST_PATH_VOLUME_SOURCE: Struct =
    &[always("path", One(Text)), omit("type", Pointer(Text))];

/// `core.ISCSIVolumeSource`
pub(super) static ISCSI_VOLUME_SOURCE: Struct = &[
    always("targetPortal", One(Text)),
    always("iqn", One(Text)),
    always("lun", One(Int)),
    omit("iscsiInterface", One(Text)),
    omit("fsType", One(Text)),
    omit("readOnly", One(Bool)),
    omit("portals", List(Text)),
    omit("chapAuthDiscovery", One(Bool)),
    omit("chapAuthSession", One(Bool)),
    omit("secretRef", Pointer(Of(&LOCAL_OBJECT_REFERENCE))),
    omit("initiatorName", Pointer(Text)),
];

/// `core.ImageVolumeSource`
pub(super) static IMAGE_VOLUME_SOURCE: Struct =
    &[omit("reference", One(Text)), omit("pullPolicy", One(Text))];

/// `core.KeyToPath`
pub(super) static KEY_TO_PATH: Struct = &[
    always("key", One(Text)),
    always("path", One(Text)),
    omit("mode", Pointer(Int)),
];

/// `core.Lifecycle`
pub(super) static LIFECYCLE: Struct = &[
    omit("postStart", Pointer(Of(&LIFECYCLE_HANDLER))),
    omit("preStop", Pointer(Of(&LIFECYCLE_HANDLER))),
    omit("stopSignal", Pointer(Text)),
];

/// `core.LifecycleHandler`
pub(super) static LIFECYCLE_HANDLER: Struct = &[
    omit("exec", Pointer(Of(&EXEC_ACTION))),
    omit("httpGet", Pointer(Of(&HTTP_GET_ACTION))),
    omit("tcpSocket", Pointer(Of(&TCP_SOCKET_ACTION))),
    omit("sleep", Pointer(Of(&SLEEP_ACTION))),
];

/// `core.LocalObjectReference`
pub(super) static LOCAL_OBJECT_REFERENCE: Struct = &[omit("name", One(Text))];

/// `core.ModifyVolumeStatus`
pub(super) static MODIFY_VOLUME_STATUS: Struct = &[
    omit("targetVolumeAttributesClassName", One(Text)),
    always("status", One(Text)),
];

/// `core.NFSVolumeSource`
pub(super) static NFS_VOLUME_SOURCE: Struct = &[
    always("server", One(Text)),
    always("path", One(Text)),
    omit("readOnly", One(Bool)),
];

/// `core.NodeAffinity`
pub(super) static NODE_AFFINITY: Struct = &[
    omit(
        "requiredDuringSchedulingIgnoredDuringExecution",
        Pointer(Of(&NODE_SELECTOR)),
    ),
    omit(
        "preferredDuringSchedulingIgnoredDuringExecution",
        List(Of(&PREFERRED_SCHEDULING_TERM)),
    ),
];

/// `core.NodeSelector`
pub(super) static NODE_SELECTOR: Struct =
    &[always("nodeSelectorTerms", List(Of(&NODE_SELECTOR_TERM)))];

/// `core.NodeSelectorRequirement`
pub(super) static NODE_SELECTOR_REQUIREMENT: Struct = &[
    always("key", One(Text)),
    always("operator", One(Text)),
    omit("values", List(Text)),
];

/// `core.NodeSelectorTerm`
pub(super) static NODE_SELECTOR_TERM: Struct = &[
    omit("matchExpressions", List(Of(&NODE_SELECTOR_REQUIREMENT))),
    omit("matchFields", List(Of(&NODE_SELECTOR_REQUIREMENT))),
];

/// `core.ObjectFieldSelector`
pub(super) static OBJECT_FIELD_SELECTOR: Struct = &[
    omit("apiVersion", One(Text)),
    always("fieldPath", One(Text)),
];

/// `core.PersistentVolumeClaim`
pub(super) static PERSISTENT_VOLUME_CLAIM: Struct = &[
    omit("kind", One(Text)),
    omit("apiVersion", One(Text)),
    omit("metadata", One(Of(&OBJECT_META))),
    omit("spec", One(Of(&PERSISTENT_VOLUME_CLAIM_SPEC))),
    omit("status", One(Of(&PERSISTENT_VOLUME_CLAIM_STATUS))),
];

/// `core.PersistentVolumeClaimCondition`
pub(super) static PERSISTENT_VOLUME_CLAIM_CONDITION: Struct = &[
    always("type", One(Text)),
    always("status", One(Text)),
    omit("lastProbeTime", One(Time)),
    omit("lastTransitionTime", One(Time)),
    omit("reason", One(Text)),
    omit("message", One(Text)),
];

/// `core.PersistentVolumeClaimSpec`
pub(super) static PERSISTENT_VOLUME_CLAIM_SPEC: Struct = &[
    omit("accessModes", List(Text)),
    omit("selector", Pointer(Of(&LABEL_SELECTOR))),
    omit("resources", One(Of(&VOLUME_RESOURCE_REQUIREMENTS))),
    omit("volumeName", One(Text)),
    omit("storageClassName", Pointer(Text)),
    omit("volumeMode", Pointer(Text)),
    omit("dataSource", Pointer(Of(&TYPED_LOCAL_OBJECT_REFERENCE))),
    omit("dataSourceRef", Pointer(Of(&TYPED_OBJECT_REFERENCE))),
    omit("volumeAttributesClassName", Pointer(Text)),
];

/// `core.PersistentVolumeClaimStatus`
pub(super) static PERSISTENT_VOLUME_CLAIM_STATUS: Struct = &[
    omit("phase", One(Text)),
    omit("accessModes", List(Text)),
    omit("capacity", Map(Quantity)),
    omit("conditions", List(Of(&PERSISTENT_VOLUME_CLAIM_CONDITION))),
    omit("allocatedResources", Map(Quantity)),
    omit("allocatedResourceStatuses", Map(Text)),
    omit("currentVolumeAttributesClassName", Pointer(Text)),
    omit("modifyVolumeStatus", Pointer(Of(&MODIFY_VOLUME_STATUS))),
];

/// `core.PersistentVolumeClaimTemplate`
pub(super) static PERSISTENT_VOLUME_CLAIM_TEMPLATE: Struct = &[
    omit("metadata", One(Of(&OBJECT_META))),
    always("spec", One(Of(&PERSISTENT_VOLUME_CLAIM_SPEC))),
];

/// `core.PersistentVolumeClaimVolumeSource`
pub(super) static PERSISTENT_VOLUME_CLAIM_VOLUME_SOURCE: Struct =
    &[always("claimName", One(Text)), omit("readOnly", One(Bool))];

/// `core.PhotonPersistentDiskVolumeSource`
pub(super) static PHOTON_PERSISTENT_DISK_VOLUME_SOURCE: Struct =
    &[always("pdID", One(Text)), omit("fsType", One(Text))];

/// `core.PodAffinity`
pub(super) static POD_AFFINITY: Struct = &[
    omit(
        "requiredDuringSchedulingIgnoredDuringExecution",
        List(Of(&POD_AFFINITY_TERM)),
    ),
    omit(
        "preferredDuringSchedulingIgnoredDuringExecution",
        List(Of(&WEIGHTED_POD_AFFINITY_TERM)),
    ),
];

/// `core.PodAffinityTerm`
pub(super) static POD_AFFINITY_TERM: Struct = &[
    omit("labelSelector", Pointer(Of(&LABEL_SELECTOR))),
    omit("namespaces", List(Text)),
    always("topologyKey", One(Text)),
    omit("namespaceSelector", Pointer(Of(&LABEL_SELECTOR))),
    omit("matchLabelKeys", List(Text)),
    omit("mismatchLabelKeys", List(Text)),
];

/// `core.PodAntiAffinity`
pub(super) static POD_ANTI_AFFINITY: Struct = &[
    omit(
        "requiredDuringSchedulingIgnoredDuringExecution",
        List(Of(&POD_AFFINITY_TERM)),
    ),
    omit(
        "preferredDuringSchedulingIgnoredDuringExecution",
        List(Of(&WEIGHTED_POD_AFFINITY_TERM)),
    ),
];

/// `core.PodCertificateProjection`
pub(super) static POD_CERTIFICATE_PROJECTION: Struct = &[
    omit("signerName", One(Text)),
    omit("keyType", One(Text)),
    omit("maxExpirationSeconds", Pointer(Int)),
    omit("credentialBundlePath", One(Text)),
    omit("keyPath", One(Text)),
    omit("certificateChainPath", One(Text)),
    omit("userAnnotations", Map(Text)),
];

/// `core.PodDNSConfig`
pub(super) static POD_DNS_CONFIG: Struct = &[
    omit("nameservers", List(Text)),
    omit("searches", List(Text)),
    omit("options", List(Of(&POD_DNS_CONFIG_OPTION))),
];

/// `core.PodDNSConfigOption`
pub(super) static POD_DNS_CONFIG_OPTION: Struct =
    &[omit("name", One(Text)), omit("value", Pointer(Text))];

/// `core.PodSecurityContext`
pub(super) static POD_SECURITY_CONTEXT: Struct = &[
    omit("seLinuxOptions", Pointer(Of(&SE_LINUX_OPTIONS))),
    omit(
        "windowsOptions",
        Pointer(Of(&WINDOWS_SECURITY_CONTEXT_OPTIONS)),
    ),
    omit("runAsUser", Pointer(Int)),
    omit("runAsGroup", Pointer(Int)),
    omit("runAsNonRoot", Pointer(Bool)),
    omit("supplementalGroups", List(Int)),
    omit("supplementalGroupsPolicy", Pointer(Text)),
    omit("fsGroup", Pointer(Int)),
    omit("sysctls", List(Of(&SYSCTL))),
    omit("fsGroupChangePolicy", Pointer(Text)),
    omit("seccompProfile", Pointer(Of(&SECCOMP_PROFILE))),
    omit("appArmorProfile", Pointer(Of(&APP_ARMOR_PROFILE))),
    omit("seLinuxChangePolicy", Pointer(Text)),
];

/// `core.PortworxVolumeSource`
pub(super) static PORTWORX_VOLUME_SOURCE: Struct = &[
    always("volumeID", One(Text)),
    omit("fsType", One(Text)),
    omit("readOnly", One(Bool)),
];

/// `core.PreferredSchedulingTerm`
pub(super) static PREFERRED_SCHEDULING_TERM: Struct = &[
    always("weight", One(Int)),
    always("preference", One(Of(&NODE_SELECTOR_TERM))),
];

/// `core.Probe`
pub(super) static PROBE: Struct = &[
    omit("exec", Pointer(Of(&EXEC_ACTION))),
    omit("httpGet", Pointer(Of(&HTTP_GET_ACTION))),
    omit("tcpSocket", Pointer(Of(&TCP_SOCKET_ACTION))),
    omit("grpc", Pointer(Of(&GRPC_ACTION))),
    omit("initialDelaySeconds", One(Int)),
    omit("timeoutSeconds", One(Int)),
    omit("periodSeconds", One(Int)),
    omit("successThreshold", One(Int)),
    omit("failureThreshold", One(Int)),
    omit("terminationGracePeriodSeconds", Pointer(Int)),
];

/// `core.ProjectedVolumeSource`
pub(super) static PROJECTED_VOLUME_SOURCE: Struct = &[
    always("sources", List(Of(&VOLUME_PROJECTION))),
    omit("defaultMode", Pointer(Int)),
];

/// `core.QuobyteVolumeSource`
pub(super) static QUOBYTE_VOLUME_SOURCE: Struct = &[
    always("registry", One(Text)),
    always("volume", One(Text)),
    omit("readOnly", One(Bool)),
    omit("user", One(Text)),
    omit("group", One(Text)),
    omit("tenant", One(Text)),
];

/// `core.RBDVolumeSource`
pub(super) static RBD_VOLUME_SOURCE: Struct = &[
    always("monitors", List(Text)),
    always("image", One(Text)),
    omit("fsType", One(Text)),
    omit("pool", One(Text)),
    omit("user", One(Text)),
    omit("keyring", One(Text)),
    omit("secretRef", Pointer(Of(&LOCAL_OBJECT_REFERENCE))),
    omit("readOnly", One(Bool)),
];

/// `core.ResourceClaim`
pub(super) static RESOURCE_CLAIM: Struct = &[always("name", One(Text)), omit("request", One(Text))];

/// `core.ResourceFieldSelector`
pub(super) static RESOURCE_FIELD_SELECTOR: Struct = &[
    omit("containerName", One(Text)),
    always("resource", One(Text)),
    omit("divisor", One(Quantity)),
];

/// `core.ResourceRequirements`
pub(super) static RESOURCE_REQUIREMENTS: Struct = &[
    omit("limits", Map(Quantity)),
    omit("requests", Map(Quantity)),
    omit("claims", List(Of(&RESOURCE_CLAIM))),
];

/// `core.SELinuxOptions`
pub(super) static SE_LINUX_OPTIONS: Struct = &[
    omit("user", One(Text)),
    omit("role", One(Text)),
    omit("type", One(Text)),
    omit("level", One(Text)),
];

/// `core.ScaleIOVolumeSource`
pub(super) static SCALE_IO_VOLUME_SOURCE: Struct = &[
    always("gateway", One(Text)),
    always("system", One(Text)),
    always("secretRef", Pointer(Of(&LOCAL_OBJECT_REFERENCE))),
    omit("sslEnabled", One(Bool)),
    omit("protectionDomain", One(Text)),
    omit("storagePool", One(Text)),
    omit("storageMode", One(Text)),
    omit("volumeName", One(Text)),
    omit("fsType", One(Text)),
    omit("readOnly", One(Bool)),
];

/// `core.SeccompProfile`
pub(super) static SECCOMP_PROFILE: Struct = &[
    always("type", One(Text)),
    omit("localhostProfile", Pointer(Text)),
];

/// `core.SecretEnvSource`
pub(super) static SECRET_ENV_SOURCE: Struct =
    &[omit("name", One(Text)), omit("optional", Pointer(Bool))];

/// `core.SecretKeySelector`
pub(super) static SECRET_KEY_SELECTOR: Struct = &[
    omit("name", One(Text)),
    always("key", One(Text)),
    omit("optional", Pointer(Bool)),
];

/// `core.SecretProjection`
pub(super) static SECRET_PROJECTION: Struct = &[
    omit("name", One(Text)),
    omit("items", List(Of(&KEY_TO_PATH))),
    omit("optional", Pointer(Bool)),
];

/// `core.SecretVolumeSource`
pub(super) static SECRET_VOLUME_SOURCE: Struct = &[
    omit("secretName", One(Text)),
    omit("items", List(Of(&KEY_TO_PATH))),
    omit("defaultMode", Pointer(Int)),
    omit("optional", Pointer(Bool)),
];

/// `core.SecurityContext`
pub(super) static SECURITY_CONTEXT: Struct = &[
    omit("capabilities", Pointer(Of(&CAPABILITIES))),
    omit("privileged", Pointer(Bool)),
    omit("seLinuxOptions", Pointer(Of(&SE_LINUX_OPTIONS))),
    omit(
        "windowsOptions",
        Pointer(Of(&WINDOWS_SECURITY_CONTEXT_OPTIONS)),
    ),
    omit("runAsUser", Pointer(Int)),
    omit("runAsGroup", Pointer(Int)),
    omit("runAsNonRoot", Pointer(Bool)),
    omit("readOnlyRootFilesystem", Pointer(Bool)),
    omit("allowPrivilegeEscalation", Pointer(Bool)),
    omit("procMount", Pointer(Text)),
    omit("seccompProfile", Pointer(Of(&SECCOMP_PROFILE))),
    omit("appArmorProfile", Pointer(Of(&APP_ARMOR_PROFILE))),
];

/// `core.ServiceAccountTokenProjection`
pub(super) static SERVICE_ACCOUNT_TOKEN_PROJECTION: Struct = &[
    omit("audience", One(Text)),
    omit("expirationSeconds", Pointer(Int)),
    always("path", One(Text)),
];

/// `core.SleepAction`
pub(super) static SLEEP_ACTION: Struct = &[always("seconds", One(Int))];

/// `core.StorageOSVolumeSource`
pub(super) static STORAGE_OS_VOLUME_SOURCE: Struct = &[
    omit("volumeName", One(Text)),
    omit("volumeNamespace", One(Text)),
    omit("fsType", One(Text)),
    omit("readOnly", One(Bool)),
    omit("secretRef", Pointer(Of(&LOCAL_OBJECT_REFERENCE))),
];

/// `core.Sysctl`
pub(super) static SYSCTL: Struct = &[always("name", One(Text)), always("value", One(Text))];

/// `core.TCPSocketAction`
pub(super) static TCP_SOCKET_ACTION: Struct =
    &[always("port", One(IntOrString)), omit("host", One(Text))];

/// `core.Toleration`
pub(super) static TOLERATION: Struct = &[
    omit("key", One(Text)),
    omit("operator", One(Text)),
    omit("value", One(Text)),
    omit("effect", One(Text)),
    omit("tolerationSeconds", Pointer(Int)),
];

/// `core.TopologySpreadConstraint`
pub(super) static TOPOLOGY_SPREAD_CONSTRAINT: Struct = &[
    always("maxSkew", One(Int)),
    always("topologyKey", One(Text)),
    always("whenUnsatisfiable", One(Text)),
    omit("labelSelector", Pointer(Of(&LABEL_SELECTOR))),
    omit("minDomains", Pointer(Int)),
    omit("nodeAffinityPolicy", Pointer(Text)),
    omit("nodeTaintsPolicy", Pointer(Text)),
    omit("matchLabelKeys", List(Text)),
];

/// `core.TypedLocalObjectReference`
pub(super) static TYPED_LOCAL_OBJECT_REFERENCE: Struct = &[
    always("apiGroup", Pointer(Text)),
    always("kind", One(Text)),
    always("name", One(Text)),
];

/// `core.TypedObjectReference`
pub(super) static TYPED_OBJECT_REFERENCE: Struct = &[
    always("apiGroup", Pointer(Text)),
    always("kind", One(Text)),
    always("name", One(Text)),
    omit("namespace", Pointer(Text)),
];

/// `core.Volume`
pub(super) static VOLUME: Struct = &[
    always("name", One(Text)),
    omit("hostPath", Pointer(Of(&HOST_PATH_VOLUME_SOURCE))),
    omit("emptyDir", Pointer(Of(&EMPTY_DIR_VOLUME_SOURCE))),
    omit(
        "gcePersistentDisk",
        Pointer(Of(&GCE_PERSISTENT_DISK_VOLUME_SOURCE)),
    ),
    omit(
        "awsElasticBlockStore",
        Pointer(Of(&AWS_ELASTIC_BLOCK_STORE_VOLUME_SOURCE)),
    ),
    omit("gitRepo", Pointer(Of(&GIT_REPO_VOLUME_SOURCE))),
    omit("secret", Pointer(Of(&SECRET_VOLUME_SOURCE))),
    omit("nfs", Pointer(Of(&NFS_VOLUME_SOURCE))),
    omit("iscsi", Pointer(Of(&ISCSI_VOLUME_SOURCE))),
    omit("glusterfs", Pointer(Of(&GLUSTERFS_VOLUME_SOURCE))),
    omit(
        "persistentVolumeClaim",
        Pointer(Of(&PERSISTENT_VOLUME_CLAIM_VOLUME_SOURCE)),
    ),
    omit("rbd", Pointer(Of(&RBD_VOLUME_SOURCE))),
    omit("flexVolume", Pointer(Of(&FLEX_VOLUME_SOURCE))),
    omit("cinder", Pointer(Of(&CINDER_VOLUME_SOURCE))),
    omit("cephfs", Pointer(Of(&CEPH_FS_VOLUME_SOURCE))),
    omit("flocker", Pointer(Of(&FLOCKER_VOLUME_SOURCE))),
    omit("downwardAPI", Pointer(Of(&DOWNWARD_API_VOLUME_SOURCE))),
    omit("fc", Pointer(Of(&FC_VOLUME_SOURCE))),
    omit("azureFile", Pointer(Of(&AZURE_FILE_VOLUME_SOURCE))),
    omit("configMap", Pointer(Of(&CONFIG_MAP_VOLUME_SOURCE))),
    omit(
        "vsphereVolume",
        Pointer(Of(&VSPHERE_VIRTUAL_DISK_VOLUME_SOURCE)),
    ),
    omit("quobyte", Pointer(Of(&QUOBYTE_VOLUME_SOURCE))),
    omit("azureDisk", Pointer(Of(&AZURE_DISK_VOLUME_SOURCE))),
    omit(
        "photonPersistentDisk",
        Pointer(Of(&PHOTON_PERSISTENT_DISK_VOLUME_SOURCE)),
    ),
    omit("projected", Pointer(Of(&PROJECTED_VOLUME_SOURCE))),
    omit("portworxVolume", Pointer(Of(&PORTWORX_VOLUME_SOURCE))),
    omit("scaleIO", Pointer(Of(&SCALE_IO_VOLUME_SOURCE))),
    omit("storageos", Pointer(Of(&STORAGE_OS_VOLUME_SOURCE))),
    omit("csi", Pointer(Of(&CSI_VOLUME_SOURCE))),
    omit("ephemeral", Pointer(Of(&EPHEMERAL_VOLUME_SOURCE))),
    omit("image", Pointer(Of(&IMAGE_VOLUME_SOURCE))),
];

/// `core.VolumeDevice`
pub(super) static VOLUME_DEVICE: Struct =
    &[always("name", One(Text)), always("devicePath", One(Text))];

/// `core.VolumeMount`
pub(super) static VOLUME_MOUNT: Struct = &[
    always("name", One(Text)),
    omit("readOnly", One(Bool)),
    omit("recursiveReadOnly", Pointer(Text)),
    always("mountPath", One(Text)),
    omit("subPath", One(Text)),
    omit("mountPropagation", Pointer(Text)),
    omit("subPathExpr", One(Text)),
];

/// `core.VolumeProjection`
pub(super) static VOLUME_PROJECTION: Struct = &[
    omit("secret", Pointer(Of(&SECRET_PROJECTION))),
    omit("downwardAPI", Pointer(Of(&DOWNWARD_API_PROJECTION))),
    omit("configMap", Pointer(Of(&CONFIG_MAP_PROJECTION))),
    omit(
        "serviceAccountToken",
        Pointer(Of(&SERVICE_ACCOUNT_TOKEN_PROJECTION)),
    ),
    omit(
        "clusterTrustBundle",
        Pointer(Of(&CLUSTER_TRUST_BUNDLE_PROJECTION)),
    ),
    omit("podCertificate", Pointer(Of(&POD_CERTIFICATE_PROJECTION))),
];

/// `core.VolumeResourceRequirements`
pub(super) static VOLUME_RESOURCE_REQUIREMENTS: Struct = &[
    omit("limits", Map(Quantity)),
    omit("requests", Map(Quantity)),
];

/// `core.VsphereVirtualDiskVolumeSource`
pub(super) static VSPHERE_VIRTUAL_DISK_VOLUME_SOURCE: Struct = &[
    always("volumePath", One(Text)),
    omit("fsType", One(Text)),
    omit("storagePolicyName", One(Text)),
    omit("storagePolicyID", One(Text)),
];

/// `core.WeightedPodAffinityTerm`
pub(super) static WEIGHTED_POD_AFFINITY_TERM: Struct = &[
    always("weight", One(Int)),
    always("podAffinityTerm", One(Of(&POD_AFFINITY_TERM))),
];

/// `core.WindowsSecurityContextOptions`
pub(super) static WINDOWS_SECURITY_CONTEXT_OPTIONS: Struct = &[
    omit("gmsaCredentialSpecName", Pointer(Text)),
    omit("gmsaCredentialSpec", Pointer(Text)),
    omit("runAsUserName", Pointer(Text)),
    omit("hostProcess", Pointer(Bool)),
];

/// `meta.LabelSelector`
pub(super) static LABEL_SELECTOR: Struct = &[
    omit("matchLabels", Map(Text)),
    omit("matchExpressions", List(Of(&LABEL_SELECTOR_REQUIREMENT))),
];

/// `meta.LabelSelectorRequirement`
pub(super) static LABEL_SELECTOR_REQUIREMENT: Struct = &[
    always("key", One(Text)),
    always("operator", One(Text)),
    omit("values", List(Text)),
];

/// `meta.ManagedFieldsEntry`
pub(super) static MANAGED_FIELDS_ENTRY: Struct = &[
    omit("manager", One(Text)),
    omit("operation", One(Text)),
    omit("apiVersion", One(Text)),
    omit("time", Pointer(Time)),
    omit("fieldsType", One(Text)),
    omit("fieldsV1", Pointer(Raw)),
    omit("subresource", One(Text)),
];

/// `meta.ObjectMeta`
pub(super) static OBJECT_META: Struct = &[
    omit("name", One(Text)),
    omit("generateName", One(Text)),
    omit("namespace", One(Text)),
    omit("selfLink", One(Text)),
    omit("uid", One(Text)),
    omit("resourceVersion", One(Text)),
    omit("generation", One(Int)),
    omit_zero("creationTimestamp", One(Time)),
    omit("deletionTimestamp", Pointer(Time)),
    omit("deletionGracePeriodSeconds", Pointer(Int)),
    omit("labels", Map(Text)),
    omit("annotations", Map(Text)),
    omit("ownerReferences", List(Of(&OWNER_REFERENCE))),
    omit("finalizers", List(Text)),
    omit("managedFields", List(Of(&MANAGED_FIELDS_ENTRY))),
];

/// `meta.OwnerReference`
pub(super) static OWNER_REFERENCE: Struct = &[
    always("apiVersion", One(Text)),
    always("kind", One(Text)),
    always("name", One(Text)),
    always("uid", One(Text)),
    omit("controller", Pointer(Bool)),
    omit("blockOwnerDeletion", Pointer(Bool)),
];
