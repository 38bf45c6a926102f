//! The rights that the installation grants to the controller, one for each verb on each resource.

use serde_json::Value;

use super::{Installation, ManifestError, Platform};

/// Name of the account, as in Chains.
pub(crate) const CONTROLLER: &str = "tekton-chains-controller";

/// Where a right is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// In every namespace.
    Cluster,
    /// In the namespace of the controller.
    System,
}

/// One verb on one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Right {
    pub(crate) scope: Scope,
    /// API group, empty for the core.
    pub(crate) group: String,
    /// Plural.
    pub(crate) resource: String,
    /// The only object; none if it is for all.
    pub(crate) name: Option<String>,
    pub(crate) verb: String,
}

/// All rights of the controller's account.
pub(crate) fn rights() -> Result<Vec<Right>, ManifestError> {
    let installation = Installation {
        platform: Platform::Kubernetes,
        namespace: None,
        image: None,
    };
    let objects = installation.objects()?;
    let mut rights = Vec::new();
    for binding in objects.iter().filter(|object| is_for_controller(object)) {
        let role = &binding["roleRef"];
        let granted = objects.iter().filter(|object| {
            object["kind"] == role["kind"] && object["metadata"]["name"] == role["name"]
        });
        let scope = match binding["kind"].as_str() {
            Some("ClusterRoleBinding") => Scope::Cluster,
            _ => Scope::System,
        };
        for rule in granted.flat_map(|role| role["rules"].as_array().into_iter().flatten()) {
            rights.extend(of_rule(scope, rule));
        }
    }
    rights.sort();
    rights.dedup();
    Ok(rights)
}

fn is_for_controller(object: &Value) -> bool {
    let subjects = object["subjects"].as_array().into_iter().flatten();
    let mut accounts = subjects.filter(|subject| subject["kind"] == "ServiceAccount");
    accounts.any(|account| account["name"] == CONTROLLER)
}

fn of_rule(scope: Scope, rule: &Value) -> Vec<Right> {
    let texts = |field: &str| {
        let list = rule[field].as_array().into_iter().flatten();
        let texts = list.filter_map(|text| text.as_str().map(str::to_owned));
        texts.collect::<Vec<_>>()
    };
    let mut names: Vec<_> = texts("resourceNames").into_iter().map(Some).collect();
    if names.is_empty() {
        names.push(None);
    }
    let mut rights = Vec::new();
    for group in texts("apiGroups") {
        for resource in texts("resources") {
            for verb in texts("verbs") {
                rights.extend(names.iter().map(|name| Right {
                    scope,
                    group: group.clone(),
                    resource: resource.clone(),
                    name: name.clone(),
                    verb: verb.clone(),
                }));
            }
        }
    }
    rights
}

impl std::fmt::Display for Right {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        if let Some(name) = &self.name {
            write!(f, " {name}")?;
        }
        Ok(())
    }
}
