//! Pipeline runs that wait for their task runs, and which task runs they are.
//!
//! The watch of the task runs wakes them: nothing is polled.

use std::collections::{BTreeSet, HashMap};

use crate::cluster::runs::RunId;

/// A task run: namespace and name. A pipeline run refers to its children by name only.
type Child = (String, String);

/// Who waits for whom.
#[derive(Debug, Default)]
pub(crate) struct Awaiting {
    children: HashMap<RunId, BTreeSet<String>>,
    parents: HashMap<Child, Vec<RunId>>,
}

impl Awaiting {
    /// Notes that `parent` waits for all these task runs of its namespace.
    pub(crate) fn add(&mut self, parent: &RunId, children: BTreeSet<String>) {
        self.remove(parent);
        for child in &children {
            let key = (parent.namespace.clone(), child.clone());
            self.parents.entry(key).or_default().push(parent.clone());
        }
        self.children.insert(parent.clone(), children);
    }

    /// Forgets what `parent` waits for.
    pub(crate) fn remove(&mut self, parent: &RunId) {
        for child in self.children.remove(parent).unwrap_or_default() {
            let key = (parent.namespace.clone(), child);
            if let Some(parents) = self.parents.get_mut(&key) {
                parents.retain(|other| other != parent);
                if parents.is_empty() {
                    self.parents.remove(&key);
                }
            }
        }
    }

    /// Notes that nobody has to wait for this task run any more, and gives those who now wait for
    /// none.
    pub(crate) fn settle(&mut self, namespace: &str, child: &str) -> Vec<RunId> {
        let key = (namespace.to_owned(), child.to_owned());
        let mut ready = Vec::new();
        for parent in self.parents.remove(&key).unwrap_or_default() {
            let Some(children) = self.children.get_mut(&parent) else {
                continue;
            };
            children.remove(child);
            if children.is_empty() {
                self.children.remove(&parent);
                ready.push(parent);
            }
        }
        ready
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::runs::RunKind;

    fn parent(name: &str) -> RunId {
        RunId {
            kind: RunKind::Pipeline,
            namespace: "ns".to_owned(),
            name: name.to_owned(),
            uid: format!("uid-{name}"),
        }
    }

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_parent_is_ready_once_its_last_child_is_settled() {
        let mut awaiting = Awaiting::default();
        awaiting.add(&parent("p"), names(&["a", "b"]));
        assert!(awaiting.settle("ns", "a").is_empty());
        assert!(awaiting.settle("other", "b").is_empty());
        assert_eq!(awaiting.settle("ns", "b"), [parent("p")]);
        assert!(awaiting.settle("ns", "b").is_empty());
    }

    #[test]
    fn a_forgotten_parent_leaves_nothing_behind() {
        let mut awaiting = Awaiting::default();
        awaiting.add(&parent("p"), names(&["a", "b"]));
        awaiting.add(&parent("q"), names(&["b"]));
        awaiting.remove(&parent("p"));
        assert_eq!(awaiting.settle("ns", "b"), [parent("q")]);
        assert!(awaiting.children.is_empty() && awaiting.parents.is_empty());
    }
}
