//! How replicas share the work, as the operator and Kubernetes say by variables.

use crate::controller::{Mode, OrdinalError, Replication, ordinal};

/// No sharing.
pub(super) fn alone() -> Replication {
    Replication {
        mode: Mode::Alone,
        ..Replication::default()
    }
}

/// The sharing that these variables set.
pub(super) fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Replication, OrdinalError> {
    // outside of pods, several controllers may have the name of one host
    let is_pod = variable("KUBERNETES_SERVICE_HOST").is_some();
    let host = || variable("HOSTNAME").filter(|_| is_pod);
    let mut replication = Replication {
        pod: variable("POD_NAME").or_else(host),
        ..Replication::default()
    };
    if let Some(name) = variable("CONFIG_LEADERELECTION_NAME") {
        replication.election = vec![name];
    }
    if let Some(pod) = variable("STATEFUL_CONTROLLER_ORDINAL") {
        replication.mode = Mode::Ordinal(ordinal(&pod)?);
    }
    Ok(replication)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(variables: &[(&str, &str)]) -> Result<Replication, OrdinalError> {
        of(|name| {
            let mut stated = variables.iter();
            let found = stated.find(|(stated, _)| *stated == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_name_of_a_host_counts_in_a_pod_only() {
        let host = ("HOSTNAME", "controller-7d4");
        assert_eq!(set(&[host]).unwrap().pod, None);
        let pod = ("KUBERNETES_SERVICE_HOST", "10.0.0.1");
        assert_eq!(set(&[host, pod]).unwrap().pod.unwrap(), "controller-7d4");
        let named = set(&[host, pod, ("POD_NAME", "a")]).unwrap();
        assert_eq!(
            (named.pod.unwrap(), named.mode),
            ("a".to_owned(), Mode::Leases)
        );
    }

    #[test]
    fn the_operator_sets_ordinals_and_the_config_map_of_leader_election() {
        let stateful = set(&[
            ("STATEFUL_CONTROLLER_ORDINAL", "tekton-chains-controller-2"),
            (
                "CONFIG_LEADERELECTION_NAME",
                "tekton-chains-config-leader-election",
            ),
        ]);
        let stateful = stateful.unwrap();
        assert_eq!(stateful.mode, Mode::Ordinal(2));
        assert_eq!(stateful.election, ["tekton-chains-config-leader-election"]);
        let odd = set(&[("STATEFUL_CONTROLLER_ORDINAL", "tekton-chains-controller")]);
        assert_eq!(odd.unwrap_err(), OrdinalError);
    }
}
