//! The tasks that a pipeline task runs after, found from its references to their results:
//! docs/behaviour.md, "SLSA v0.2 of pipeline runs".

use std::collections::HashSet;

use crate::run::{Container, Param, PipelineTask};

/// The tasks named in `runAfter`, then those whose results are referred to, each once.
pub(super) fn after<'r>(task: &'r PipelineTask<'_>) -> Vec<&'r str> {
    let mut after: Vec<&str> = task.run_after.iter().map(|name| &**name).collect();
    let mut seen: HashSet<&str> = after.iter().copied().collect();
    visit(task, &mut |text| {
        for name in references(text) {
            if seen.insert(name) {
                after.push(name);
            }
        }
    });
    after
}

/// All texts of a task that may refer to results of others, in Chains' order.
fn visit<'r>(task: &'r PipelineTask<'_>, see: &mut impl FnMut(&'r str)) {
    visit_params(&task.params, see);
    if let Some(matrix) = &task.matrix {
        visit_params(&matrix.params, see);
        matrix
            .include
            .iter()
            .for_each(|include| visit_params(&include.params, see));
    }
    for when in &task.when {
        see(&when.input);
        see(&when.cel);
        when.values.iter().for_each(|value| see(value));
    }
    if let Some(spec) = &task.task_spec {
        spec.steps
            .iter()
            .chain(&spec.sidecars)
            .for_each(|container| visit_container(container, see));
    }
}

fn visit_params<'r>(params: &'r [Param<'_>], see: &mut impl FnMut(&'r str)) {
    for param in params {
        param.value.strings().for_each(|text| see(text));
    }
}

fn visit_container<'r>(container: &'r Container<'_>, see: &mut impl FnMut(&'r str)) {
    see(&container.name);
    see(&container.image);
    see(&container.image_pull_policy);
    see(&container.script);
    see(&container.working_dir);
    container
        .command
        .iter()
        .chain(container.args.iter().flatten())
        .for_each(|text| see(text));
    for variable in &container.env {
        see(&variable.value);
        let source = &variable.value_from;
        for reference in source
            .secret_key_ref
            .iter()
            .chain(&source.config_map_key_ref)
        {
            see(&reference.key);
            see(&reference.name);
        }
    }
}

/// Tasks whose results a text refers to: `$(tasks.NAME.results.RESULT)`.
fn references(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    let expressions = std::iter::from_fn(move || {
        loop {
            rest = &rest[rest.find("$(")? + 2..];
            if let Some(length) = expression_length(rest) {
                let expression = &rest[..length];
                rest = &rest[length..];
                return Some(expression);
            }
        }
    });
    expressions.filter_map(referred_task)
}

/// Length of an expression up to its closing bracket: a dotted name and perhaps an index.
fn expression_length(text: &str) -> Option<usize> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
    let name = text.bytes().take_while(|byte| is_name(byte)).count();
    if name == 0 {
        return None;
    }
    let index = match text[name..].strip_prefix('[') {
        None => 0,
        Some(index) => {
            let digits = index.bytes().take_while(u8::is_ascii_digit).count();
            let length = if digits == 0 && index.starts_with('*') {
                1
            } else {
                digits
            };
            if length == 0 || !index[length..].starts_with(']') {
                return None;
            }
            length + 2
        }
    };
    text[name + index..]
        .starts_with(')')
        .then_some(name + index)
}

fn referred_task(expression: &str) -> Option<&str> {
    let mut parts = expression.split('.');
    let (owner, task, kind) = (parts.next()?, parts.next()?, parts.next()?);
    let is_reference = matches!(owner, "tasks" | "finally") && kind == "results";
    (is_reference && matches!(parts.count(), 1 | 2)).then_some(task)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_references_to_results_name_a_task() {
        let find = |text| references(text).collect::<Vec<_>>();
        assert_eq!(
            find("$(tasks.a.results.x) and $(tasks.b.results.x[*])"),
            ["a", "b"]
        );
        assert_eq!(
            find("$(tasks.a.results.x.y)$(finally.b.results.x[0])"),
            ["a", "b"]
        );
        assert_eq!(find("$($(tasks.a.results.x))"), ["a"]);
        for text in [
            "$(params.x)",
            "$(tasks.a.status)",
            "$(tasks.a.results.x.y.z)",
            "$(",
            "$()",
            "$(tasks.a.results.x[])",
            "$(tasks.a.results.x",
            "tasks.a.results.x",
            "$(tasks.a.results.x[1x])",
        ] {
            assert_eq!(find(text), [""; 0], "{text}");
        }
    }
}
