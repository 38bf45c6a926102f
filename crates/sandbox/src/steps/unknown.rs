//! Refuses what would be run as something else than it was written for: variables that do not exist,
//! which a shell would take for commands, and fields that Tekton has removed. It is found before any
//! step runs.

use serde_json::Value;

use super::record::Outcome;
use super::variables::Variables;

/// What the names of Tekton's variables begin with. Everything else in `$(…)` is for a shell.
const ROOTS: [&str; 9] = [
    "params",
    "inputs",
    "outputs",
    "resources",
    "workspaces",
    "results",
    "context",
    "credentials",
    "tasks",
];
/// What a workspace has variables for.
const OF_WORKSPACE: [&str; 4] = ["path", "bound", "claim", "volume"];
/// Fields of a run and of its task that version 1 does not have.
const REMOVED: [&str; 7] = [
    "/spec/resources",
    "/spec/inputs",
    "/spec/outputs",
    "/spec/taskSpec/resources",
    "/spec/taskSpec/inputs",
    "/spec/taskSpec/outputs",
    "/spec/taskRef/bundle",
];
/// Most characters of a text that a message shows.
const SHOWN: usize = 120;

fn invalid(message: String) -> Outcome {
    Outcome::failed("TaskRunValidationFailed", message)
}

/// Refuses a run with fields that were removed.
pub(super) fn removed_fields(run: &Value) -> Result<(), Outcome> {
    let set = REMOVED
        .iter()
        .filter(|field| run.pointer(field).is_some_and(|value| !value.is_null()));
    let names: Vec<String> = set
        .map(|field| field.trim_start_matches('/').replace('/', "."))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(invalid(format!(
        "must not set the field(s): {}",
        names.join(", ")
    )))
}

/// Refuses a task whose texts have variables that neither its declarations nor the run define.
pub(super) fn variables(spec: &Value, run: &Value, known: &Variables) -> Result<(), Outcome> {
    let declared = Declared {
        known,
        workspaces: [
            names(&spec["workspaces"]),
            names(&run["spec"]["workspaces"]),
        ]
        .concat(),
        results: names(&spec["results"]),
    };
    let fields = spec.as_object().into_iter().flatten();
    // their defaults and descriptions are not replaced
    let fields = fields.filter(|(name, _)| !matches!(name.as_str(), "params" | "description"));
    for (_, value) in fields {
        declared.check(value)?;
    }
    Ok(())
}

fn names(list: &Value) -> Vec<&str> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(|item| item["name"].as_str()).collect()
}

struct Declared<'a> {
    known: &'a Variables,
    workspaces: Vec<&'a str>,
    results: Vec<&'a str>,
}

impl Declared<'_> {
    fn check(&self, value: &Value) -> Result<(), Outcome> {
        match value {
            Value::String(text) => self.check_text(text),
            Value::Array(items) => items.iter().try_for_each(|item| self.check(item)),
            Value::Object(fields) => fields.values().try_for_each(|field| self.check(field)),
            _ => Ok(()),
        }
    }

    fn check_text(&self, text: &str) -> Result<(), Outcome> {
        let mut rest = text;
        while let Some((_, after)) = rest.split_once("$(") {
            rest = after;
            let Some((name, _)) = after.split_once(')') else {
                break;
            };
            if is_variable(name) && !self.has(name) {
                let shown: String = text.chars().take(SHOWN).collect();
                return Err(invalid(format!(
                    "non-existent variable in {shown:?}: $({name})"
                )));
            }
        }
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        if self.known.has(name) {
            return true;
        }
        let parts = parts(name);
        match parts.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["workspaces", workspace, of] => {
                self.workspaces.contains(&workspace) && OF_WORKSPACE.contains(&of)
            }
            ["results", result, "path"] => self.results.contains(&result),
            _ => false,
        }
    }
}

/// Whether a text in `$(…)` is written as a variable and not as a command with arguments.
fn is_variable(name: &str) -> bool {
    let end = name.find(['.', '[']).unwrap_or(name.len());
    let is_plain = !name.contains(char::is_whitespace) || name.contains('[');
    end < name.len() && is_plain && ROOTS.contains(&&name[..end])
}

/// `results.a.path` and `results["a"].path` in parts.
fn parts(name: &str) -> Vec<String> {
    let dotted = name
        .replace("['", ".")
        .replace("[\"", ".")
        .replace("']", "")
        .replace("\"]", "");
    dotted.split('.').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(script: &str) -> Option<String> {
        let spec = json!({
            "params": [{ "name": "dir", "default": "$(params.not-looked-at)" }],
            "workspaces": [{ "name": "source" }],
            "results": [{ "name": "digest" }],
            "steps": [{ "name": "s", "env": [{ "name": "E", "value": script }] }],
        });
        let mut known = Variables::default();
        known.set_value("params", "dir", &json!("d"));
        known.set_value("params", "list", &json!(["a"]));
        known.set("context.taskRun.name", "r");
        variables(&spec, &Value::Null, &known)
            .err()
            .map(|outcome| outcome.message)
    }

    #[test]
    fn a_variable_that_exists_and_a_command_are_left_alone() {
        for script in [
            "echo $(params.dir) $(params['dir']) $(params[\"dir\"])",
            "echo $(params.list[0]) $(params.list[*])",
            "cat $(workspaces.source.path)/x; [ $(workspaces.source.bound) = true ]",
            "date > $(results.digest.path); $(results['digest'].path)",
            "echo $(context.taskRun.name) $(date) $(cat results.txt) $(params x)",
            "echo $(steps.a.results.b) $(step.results.c.path) $(",
        ] {
            assert_eq!(refusal(script), None, "{script}");
        }
    }

    #[test]
    fn a_variable_that_does_not_exist_is_named() {
        for name in [
            "params.dri",
            "params['dri']",
            "params.list[9]",
            "inputs.params.dri",
            "inputs.resources.source.path",
            "outputs.resources.image.url",
            "workspaces.source",
            "workspaces.sources.path",
            "results.digets.path",
            "context.taskrun.name",
            "tasks.a.results.b",
        ] {
            let message = refusal(&format!("rm -rf $({name})/x")).unwrap_or_default();
            assert!(message.contains(name), "{name}: {message}");
            assert!(message.contains("non-existent variable"), "{message}");
        }
    }

    #[test]
    fn fields_that_were_removed_are_listed() {
        let run =
            json!({ "spec": { "resources": {}, "taskSpec": { "resources": { "inputs": [] } } } });
        let message = removed_fields(&run).unwrap_err().message;
        assert!(
            message.ends_with("spec.resources, spec.taskSpec.resources"),
            "{message}"
        );
        assert!(removed_fields(&json!({ "spec": { "resources": null } })).is_ok());
    }
}
