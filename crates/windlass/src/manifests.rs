//! The installation: the objects in `deploy/`, which are in the binary, and the rights they grant.
//!
//! The files are kustomize's, and this module does what `deploy/overlays` does, for any namespace and
//! image; a test compares both. A change to an overlay is made here too.

use serde_json::Value;

pub(crate) mod rights;

/// The namespace that the files name.
const NAMESPACE: &str = "tekton-chains";
/// The namespace of OpenShift Pipelines.
const OPENSHIFT: &str = "openshift-pipelines";

/// What every installation has, in the order in which it is created.
const BASE: [&str; 5] = [
    include_str!("../../../deploy/base/namespace.yaml"),
    include_str!("../../../deploy/base/rbac.yaml"),
    include_str!("../../../deploy/base/config.yaml"),
    include_str!("../../../deploy/base/controller.yaml"),
    include_str!("../../../deploy/base/network.yaml"),
];
/// What needs the Prometheus operator.
const MONITORING: &str = include_str!("../../../deploy/components/monitoring/servicemonitor.yaml");

/// What kind of cluster it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Platform {
    Kubernetes,
    /// A Kubernetes with the Prometheus operator.
    Monitored,
    /// OpenShift, which has that operator too, and chooses the users of pods.
    OpenShift,
}

/// What to install, and where.
#[derive(Debug)]
pub(crate) struct Installation {
    pub(crate) platform: Platform,
    /// Where the controller runs, unless it is the platform's own namespace.
    pub(crate) namespace: Option<String>,
    /// The controller's image, unless it is the one that the files name.
    pub(crate) image: Option<String>,
}

/// A file of `deploy/` is not what it has to be.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the manifests of this binary; report this as a bug of this build")]
pub(crate) struct ManifestError(#[from] serde_saphyr::Error);

impl Installation {
    /// Its namespace.
    pub(crate) fn namespace(&self) -> &str {
        let own = match self.platform {
            Platform::Kubernetes | Platform::Monitored => NAMESPACE,
            Platform::OpenShift => OPENSHIFT,
        };
        self.namespace.as_deref().unwrap_or(own)
    }

    /// All objects, in the order in which they are created.
    pub(crate) fn objects(&self) -> Result<Vec<Value>, ManifestError> {
        let mut files = BASE.to_vec();
        if self.platform != Platform::Kubernetes {
            files.push(MONITORING);
        }
        let mut objects = Vec::new();
        for object in files.into_iter().flat_map(documents) {
            let mut object = object?;
            if self.platform == Platform::OpenShift && object["kind"] == "Namespace" {
                continue;
            }
            self.adapt(&mut object);
            objects.push(object);
        }
        Ok(objects)
    }

    /// Makes an object of the files one of this installation.
    fn adapt(&self, object: &mut Value) {
        let namespace = self.namespace();
        // indexing would add a member that is not there
        if let Some(stated) = object.pointer_mut("/metadata/namespace") {
            *stated = namespace.into();
        }
        if object["kind"] == "Namespace" {
            object["metadata"]["name"] = namespace.into();
        }
        let subjects = object.get_mut("subjects").and_then(Value::as_array_mut);
        for subject in subjects.into_iter().flatten() {
            subject["namespace"] = namespace.into();
        }
        let containers = object.pointer_mut("/spec/template/spec/containers");
        for container in containers
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Some(image) = &self.image {
                container["image"] = image.as_str().into();
            }
            if self.platform == Platform::OpenShift
                && let Some(Value::Object(security)) = container.get_mut("securityContext")
            {
                security.remove("runAsUser");
                security.remove("runAsGroup");
            }
        }
    }
}

/// The documents of a file.
fn documents(file: &str) -> impl Iterator<Item = Result<Value, ManifestError>> {
    let texts = file.split("\n---\n");
    texts.map(|text| serde_saphyr::from_str(text).map_err(ManifestError))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installation(platform: Platform) -> Installation {
        Installation {
            platform,
            namespace: None,
            image: None,
        }
    }

    fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
        objects.iter().filter(|one| one["kind"] == kind).collect()
    }

    #[test]
    fn every_file_of_the_base_is_in_the_binary() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/base");
        let list = std::fs::read_to_string(format!("{root}/kustomization.yaml")).unwrap();
        let list: Value = serde_saphyr::from_str(&list).unwrap();
        let names = list["resources"].as_array().unwrap();
        let files = names.iter().map(|name| {
            std::fs::read_to_string(format!("{root}/{}", name.as_str().unwrap())).unwrap()
        });
        assert_eq!(files.collect::<Vec<_>>(), BASE);
    }

    #[test]
    fn another_namespace_and_image_are_written_wherever_they_belong() {
        let objects = Installation {
            namespace: Some("signing".to_owned()),
            image: Some("r.io/windlass@sha256:0".to_owned()),
            ..installation(Platform::Monitored)
        };
        let objects = objects.objects().unwrap();
        let text = serde_json::to_string(&objects).unwrap();
        assert!(!text.contains(r#""namespace":"tekton-chains""#), "{text}");
        assert!(!text.contains(":null"), "{text}");
        assert_eq!(
            of_kind(&objects, "Namespace")[0]["metadata"]["name"],
            "signing"
        );
        assert!(
            text.contains(r#""image":"r.io/windlass@sha256:0""#),
            "{text}"
        );
        for binding in of_kind(&objects, "ClusterRoleBinding") {
            assert_eq!(binding["subjects"][0]["namespace"], "signing");
        }
    }

    #[test]
    fn openshift_keeps_its_namespace_and_chooses_the_user() {
        let objects = installation(Platform::OpenShift).objects().unwrap();
        assert!(of_kind(&objects, "Namespace").is_empty());
        assert_eq!(of_kind(&objects, "ServiceMonitor").len(), 1);
        let deployment = of_kind(&objects, "Deployment")[0].to_string();
        assert!(!deployment.contains("runAsUser"), "{deployment}");
        assert!(
            deployment.contains(r#""runAsNonRoot":true"#),
            "{deployment}"
        );
        let plain = installation(Platform::Kubernetes).objects().unwrap();
        assert_eq!(
            plain.len(),
            objects.len(),
            "a Namespace instead of a ServiceMonitor"
        );
    }

    #[test]
    fn the_image_has_the_version_of_the_program() {
        let objects = installation(Platform::Kubernetes).objects().unwrap();
        let deployment = of_kind(&objects, "Deployment")[0];
        let image = &deployment["spec"]["template"]["spec"]["containers"][0]["image"];
        assert_eq!(*image, concat!("windlass:", env!("CARGO_PKG_VERSION")));
    }

    #[test]
    fn the_page_on_installation_says_what_each_right_is_for() {
        let page = include_str!("../../../docs/install.md");
        let (_, section) = page.split_once("\n## Rights\n").unwrap();
        let (section, _) = section.split_once("\n## ").unwrap();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
        let mut told: Vec<&str> = rows.filter_map(|row| row.split('`').next()).collect();
        let rights = rights::rights().unwrap();
        let mut granted: Vec<String> = rights.iter().map(ToString::to_string).collect();
        granted.sort();
        told.sort_unstable();
        assert_eq!(told, granted);
    }

    /// Kubernetes, "Pod Security Standards", Restricted.
    #[test]
    fn the_pod_is_restricted() {
        for platform in [Platform::Kubernetes, Platform::OpenShift] {
            let objects = installation(platform).objects().unwrap();
            let pod = &of_kind(&objects, "Deployment")[0]["spec"]["template"]["spec"];
            let of_pod = &pod["securityContext"];
            assert_eq!(of_pod["runAsNonRoot"], true);
            assert_eq!(of_pod["seccompProfile"]["type"], "RuntimeDefault");
            for container in pod["containers"].as_array().unwrap() {
                let security = &container["securityContext"];
                assert_eq!(security["allowPrivilegeEscalation"], false);
                assert_eq!(security["readOnlyRootFilesystem"], true);
                assert_eq!(
                    security["capabilities"],
                    serde_json::json!({"drop": ["ALL"]})
                );
            }
            assert!(pod["volumes"].is_null() && pod["hostNetwork"].is_null());
        }
    }
}
