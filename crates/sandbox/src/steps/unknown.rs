//! Refuses what would be run as something else than it was written for: variables that do not exist,
//! which a shell would take for commands, and fields that Tekton has removed. It is found before any
//! step runs.

use serde_json::Value;

use super::name::step_name;
use super::record::Outcome;
use super::variables::Variables;

/// What the names of Tekton's variables begin with. Everything else in `$(…)` is for a shell.
const ROOTS: [&str; 12] = [
    "params",
    "inputs",
    "outputs",
    "resources",
    "workspaces",
    "results",
    "context",
    "credentials",
    "tasks",
    "finally",
    "steps",
    "step",
];
/// Fields of a step that a process gets.
const OF_PROCESS: [&str; 5] = ["script", "command", "args", "env", "workingDir"];
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
        steps: &spec["steps"],
    };
    let fields = spec.as_object().into_iter().flatten();
    // their defaults and descriptions are not replaced
    let fields = fields.filter(|(name, _)| !matches!(name.as_str(), "params" | "description"));
    for (_, value) in fields {
        declared.check(value)?;
    }
    Ok(())
}

/// Refuses a step that has a variable left once everything is filled in: a result that an earlier step
/// did not write, or a variable in a parameter's own text.
pub(super) fn left_over(step: &Value) -> Result<(), Outcome> {
    let nothing = Variables::default();
    let none = Declared {
        known: &nothing,
        workspaces: Vec::new(),
        results: Vec::new(),
        steps: &Value::Null,
    };
    let fields = OF_PROCESS.iter();
    fields
        .map(|field| &step[*field])
        .try_for_each(|value| none.check(value))
}

fn names(list: &Value) -> Vec<&str> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(|item| item["name"].as_str()).collect()
}

struct Declared<'a> {
    known: &'a Variables,
    workspaces: Vec<&'a str>,
    results: Vec<&'a str>,
    steps: &'a Value,
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
            ["credentials", "path"] => !self.steps.is_null(),
            ["step", "results", result, "path"] => self
                .steps_with(|_| true)
                .any(|step| has_result(step, result)),
            ["steps", name, "results", result, ..] => {
                let mut steps = self.steps_with(|own| own == name);
                steps.any(|step| has_result(step, result.split('[').next().unwrap_or(result)))
            }
            ["steps", name, "exitCode", "path"] => {
                let name = name.strip_prefix("step-").unwrap_or(name);
                self.steps_with(|own| own == name).next().is_some()
            }
            _ => false,
        }
    }

    fn steps_with(&self, is_meant: impl Fn(&str) -> bool) -> impl Iterator<Item = &Value> {
        let steps = self.steps.as_array().into_iter().flatten().enumerate();
        let meant = steps.filter(move |(at, step)| is_meant(&step_name(step, *at)));
        meant.map(|(_, step)| step)
    }
}

fn has_result(step: &Value, name: &str) -> bool {
    names(&step["results"]).contains(&name)
}

/// Whether a text in `$(…)` is written as a variable and not as a command with arguments.
pub(crate) fn is_variable(name: &str) -> bool {
    let end = name.find(['.', '[']).unwrap_or(name.len());
    let is_plain = !name.contains(char::is_whitespace) || name.contains('[');
    end < name.len() && is_plain && ROOTS.contains(&&name[..end])
}

/// `results.a.path` and `results["a"].path` in parts.
pub(crate) fn parts(name: &str) -> Vec<String> {
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
            "steps": [
                { "name": "a", "results": [{ "name": "b" }] },
                {
                    "name": "s",
                    "env": [{ "name": "E", "value": script }],
                    "results": [{ "name": "c" }],
                },
            ],
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
            "cp -r $(credentials.path)/. ~",
            "echo $(context.taskRun.name) $(date) $(cat results.txt) $(params x)",
            "echo $(steps.a.results.b) $(step.results.c.path) $(steps.step-a.exitCode.path) $(",
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
            "credentials.paths",
            "credentials.path.x",
            "tasks.a.results.b",
            "finally.a.results.b",
            "steps.a.results.x",
            "steps.x.results.b",
            "step.results.x.path",
            "steps.step-x.exitCode.path",
        ] {
            let message = refusal(&format!("rm -rf $({name})/x")).unwrap_or_default();
            assert!(message.contains(name), "{name}: {message}");
            assert!(message.contains("non-existent variable"), "{message}");
        }
    }

    #[test]
    fn a_step_with_a_variable_left_is_not_started() {
        for step in [
            json!({ "script": "rm -rf $(steps.a.results.b)/x" }),
            json!({ "args": ["$(params.x)"] }),
            json!({ "env": [{ "name": "E", "value": "$(tasks.a.results.b)" }] }),
            json!({ "workingDir": "$(workspaces.w.path)" }),
        ] {
            assert!(left_over(&step).is_err(), "{step}");
        }
        let fine = json!({ "script": "echo $(date)", "description": "$(params.x)" });
        assert!(left_over(&fine).is_ok());
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
