//! Bringing a pipeline run and its children together.

use std::collections::HashMap;

use super::document::{PipelineRun, Run, TaskRun};

/// A pipeline run with its children, and what did not fit.
#[derive(Debug)]
#[non_exhaustive]
pub struct Adopted<'a> {
    /// The pipeline run with those children that it refers to, in the order of its references.
    pub run: Run<'a>,
    /// Names of task runs that it refers to but that were not given.
    pub missing: Vec<String>,
    /// Names of task runs that were given but that it does not refer to.
    pub strangers: Vec<String>,
}

/// Gives a pipeline run its children: those task runs that its status refers to by name. Children
/// of other kinds are no task runs and are not missed.
pub fn adopt<'a>(run: PipelineRun<'a>, children: Vec<TaskRun<'a>>) -> Adopted<'a> {
    let mut given: HashMap<String, TaskRun<'a>> = HashMap::new();
    let mut strangers = Vec::new();
    for child in children {
        if let Some(other) = given.insert(child.metadata.name.to_string(), child) {
            strangers.push(other.metadata.name.to_string());
        }
    }
    let (mut adopted, mut missing) = (Vec::new(), Vec::new());
    for reference in &run.status.child_references {
        if !reference.is_task_run() {
            continue;
        }
        match given.remove(&*reference.name) {
            Some(child) => adopted.push(child),
            None => missing.push(reference.name.to_string()),
        }
    }
    strangers.extend(given.into_keys());
    strangers.sort();
    Adopted {
        run: Run::Pipeline(run, adopted),
        missing,
        strangers,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_come_in_the_order_of_the_references() {
        let run = br#"{"status":{"childReferences":[
            {"kind":"TaskRun","name":"b"},{"kind":"CustomRun","name":"x"},
            {"kind":"TaskRun","name":"a"},{"kind":"TaskRun","name":"gone"}]}}"#;
        let child = |json: &'static str| TaskRun::parse(json.as_bytes()).unwrap();
        let children = vec![
            child(r#"{"metadata":{"name":"a"}}"#),
            child(r#"{"metadata":{"name":"b"}}"#),
            child(r#"{"metadata":{"name":"other"}}"#),
        ];
        let adopted = adopt(PipelineRun::parse(run).unwrap(), children);
        let Run::Pipeline(_, children) = &adopted.run else {
            panic!("not a pipeline run")
        };
        let names: Vec<&str> = children.iter().map(|child| &*child.metadata.name).collect();
        assert_eq!(names, ["b", "a"]);
        assert_eq!(adopted.missing, ["gone"]);
        assert_eq!(adopted.strangers, ["other"]);
    }
}
