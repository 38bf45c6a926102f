//! The kinds this cluster serves: one flat table from which discovery, routing, `OpenAPI` and
//! storage are all derived. Names and short names are those of a real cluster with Tekton's CRDs.

/// Where a kind's rules come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Compiled into the real API server: strategic merge patch works.
    BuiltIn,
    /// A custom resource: strategic merge patch is refused, unknown fields are kept.
    Custom,
    /// Never stored: a question that gets its response at once.
    Review,
}

/// One row of the table.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "the API calls this field kind")]
pub(crate) struct Kind {
    pub group: &'static str,
    /// Served versions, the preferred (and stored) one first.
    pub versions: &'static [&'static str],
    pub plural: &'static str,
    pub singular: &'static str,
    pub kind: &'static str,
    pub short: &'static [&'static str],
    pub categories: &'static [&'static str],
    pub namespaced: bool,
    /// Whether `status` is written only through the subresource of that name.
    pub status: bool,
    pub origin: Origin,
    /// Objects of rows with the same name are the same objects (core and grouped events).
    pub storage: &'static str,
}

/// A kind in one of its versions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServedKind {
    pub kind: &'static Kind,
    pub version: &'static str,
}

const fn built_in(
    group: &'static str,
    plural: &'static str,
    singular: &'static str,
    kind: &'static str,
) -> Kind {
    Kind {
        group,
        versions: &["v1"],
        plural,
        singular,
        kind,
        short: &[],
        categories: &[],
        namespaced: true,
        status: false,
        origin: Origin::BuiltIn,
        storage: plural,
    }
}

const fn tekton(plural: &'static str, singular: &'static str, kind: &'static str) -> Kind {
    Kind {
        versions: &["v1", "v1beta1"],
        categories: &["tekton", "tekton-pipelines"],
        origin: Origin::Custom,
        ..built_in("tekton.dev", plural, singular, kind)
    }
}

pub(crate) static KINDS: &[Kind] = &[
    Kind {
        namespaced: false,
        short: &["ns"],
        status: true,
        ..built_in("", "namespaces", "namespace", "Namespace")
    },
    built_in("", "secrets", "secret", "Secret"),
    Kind {
        short: &["cm"],
        ..built_in("", "configmaps", "configmap", "ConfigMap")
    },
    Kind {
        short: &["sa"],
        ..built_in("", "serviceaccounts", "serviceaccount", "ServiceAccount")
    },
    Kind {
        short: &["po"],
        categories: &["all"],
        status: true,
        ..built_in("", "pods", "pod", "Pod")
    },
    Kind {
        short: &["ev"],
        ..built_in("", "events", "event", "Event")
    },
    Kind {
        short: &["ev"],
        ..built_in("events.k8s.io", "events", "event", "Event")
    },
    built_in("coordination.k8s.io", "leases", "lease", "Lease"),
    Kind {
        short: &["deploy"],
        categories: &["all"],
        status: true,
        ..built_in("apps", "deployments", "deployment", "Deployment")
    },
    Kind {
        namespaced: false,
        origin: Origin::Review,
        ..built_in(
            "authorization.k8s.io",
            "selfsubjectaccessreviews",
            "selfsubjectaccessreview",
            "SelfSubjectAccessReview",
        )
    },
    Kind {
        namespaced: false,
        origin: Origin::Review,
        ..built_in(
            "authorization.k8s.io",
            "subjectaccessreviews",
            "subjectaccessreview",
            "SubjectAccessReview",
        )
    },
    Kind {
        short: &["tr", "trs"],
        status: true,
        ..tekton("taskruns", "taskrun", "TaskRun")
    },
    Kind {
        short: &["pr", "prs"],
        status: true,
        ..tekton("pipelineruns", "pipelinerun", "PipelineRun")
    },
    tekton("tasks", "task", "Task"),
    tekton("pipelines", "pipeline", "Pipeline"),
    Kind {
        versions: &["v1beta1"],
        status: true,
        ..tekton("customruns", "customrun", "CustomRun")
    },
];

impl Kind {
    /// `secrets`, or `taskruns.tekton.dev`.
    pub(crate) fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_owned()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// `Secret`, or `TaskRun.tekton.dev`.
    pub(crate) fn kind_and_group(&self) -> String {
        if self.group.is_empty() {
            self.kind.to_owned()
        } else {
            format!("{}.{}", self.kind, self.group)
        }
    }

    /// Whether a change of the specification counts up `metadata.generation`.
    pub(crate) fn has_generation(&self) -> bool {
        self.origin == Origin::Custom || self.kind == "Deployment"
    }

    pub(crate) fn preferred(&'static self) -> ServedKind {
        ServedKind {
            kind: self,
            version: self.versions.first().copied().unwrap_or("v1"),
        }
    }
}

impl ServedKind {
    /// Finds what `group`, `version` and plural name in a request path stand for.
    pub(crate) fn by_path(group: &str, version: &str, plural: &str) -> Option<Self> {
        Self::find(group, version, |kind| kind.plural == plural)
    }

    /// Finds what `apiVersion` and `kind` in a document stand for.
    pub(crate) fn by_document(api_version: &str, name: &str) -> Option<Self> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self::find(group, version, |kind| kind.kind == name)
    }

    fn find(group: &str, version: &str, is_named: impl Fn(&Kind) -> bool) -> Option<Self> {
        let kind = KINDS
            .iter()
            .find(|kind| kind.group == group && is_named(kind))?;
        let version = kind
            .versions
            .iter()
            .copied()
            .find(|served| *served == version)?;
        Some(Self { kind, version })
    }

    pub(crate) fn api_version(self) -> String {
        group_version(self.kind.group, self.version)
    }
}

/// `v1`, or `tekton.dev/v1`.
pub(crate) fn group_version(group: &str, version: &str) -> String {
    if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    }
}

/// Every served pair of group and version, each once, in table order.
pub(crate) fn group_versions() -> Vec<(&'static str, &'static str)> {
    let mut pairs = Vec::new();
    for kind in KINDS {
        for version in kind.versions {
            if !pairs.contains(&(kind.group, *version)) {
                pairs.push((kind.group, *version));
            }
        }
    }
    pairs
}
