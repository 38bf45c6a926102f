//! What a document refers to in `$(…)`: the expressions, and which results of tasks they name.

use serde_json::Value;

/// `$(tasks.TASK.results.RESULT)`, with an index or a field behind it or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ResultReference {
    pub task: String,
    pub result: String,
    /// What stands between `$(` and `)`.
    pub expression: String,
}

impl ResultReference {
    /// The list and the place in it, if the reference has an index.
    pub(super) fn index(&self) -> Option<(&str, usize)> {
        let (list, index) = self.expression.strip_suffix(']')?.rsplit_once('[')?;
        Some((list, index.parse().ok()?))
    }
}

/// The expressions of all texts in a document, without `$(` and `)`.
pub(super) fn expressions(value: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    collect(value, &mut found);
    found
}

fn collect<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => {
            let ends = text.split("$(").skip(1);
            found.extend(ends.filter_map(|after| Some(after.split_once(')')?.0)));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, found)),
        _ => {}
    }
}

/// The results of tasks that a document refers to.
pub(super) fn results(value: &Value) -> Vec<ResultReference> {
    let found = expressions(value).into_iter();
    found
        .filter_map(|expression| result(expression, "tasks."))
        .collect()
}

/// The tasks whose number of results of a matrix a document refers to,
/// `$(tasks.TASK.matrix.RESULT.length)`: it is known once they have ended.
pub(super) fn matrices(value: &Value) -> Vec<&str> {
    let found = expressions(value).into_iter();
    found
        .filter_map(|expression| {
            let (task, rest) = expression.strip_prefix("tasks.")?.split_once('.')?;
            let result = rest.strip_prefix("matrix.")?.strip_suffix(".length")?;
            (!task.is_empty() && !result.is_empty()).then_some(task)
        })
        .collect()
}

/// Reads an expression that names a result of a task; `root` is `tasks.` or `finally.`.
pub(super) fn result(expression: &str, root: &str) -> Option<ResultReference> {
    let (task, rest) = expression.strip_prefix(root)?.split_once('.')?;
    let rest = rest.strip_prefix("results")?;
    let name = if let Some(name) = rest.strip_prefix('.') {
        name.split(['.', '[']).next()?
    } else {
        let quoted = rest.strip_prefix('[')?.split(']').next()?;
        quoted.trim_matches(['"', '\''])
    };
    (!task.is_empty() && !name.is_empty()).then(|| ResultReference {
        task: task.to_owned(),
        result: name.to_owned(),
        expression: expression.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reference_names_task_and_result_however_it_is_written() {
        for (expression, result) in [
            ("tasks.a.results.b", "b"),
            ("tasks.a.results.b[*]", "b"),
            ("tasks.a.results.b[3]", "b"),
            ("tasks.a.results.b.key", "b"),
            ("tasks.a.results['b.c']", "b.c"),
            ("tasks.a.results[\"b.c\"]", "b.c"),
        ] {
            let text = format!("x $({expression}) y");
            let found = results(&json!({ "deep": [text] }));
            assert_eq!(found.len(), 1, "{expression}");
            assert_eq!((&*found[0].task, &*found[0].result), ("a", result));
        }
        for expression in [
            "tasks.a.status",
            "tasks.a.results.",
            "tasks..results.b",
            "params.a",
        ] {
            assert_eq!(
                results(&json!(format!("$({expression})"))),
                [],
                "{expression}"
            );
        }
    }

    #[test]
    fn an_index_is_a_number_behind_the_name() {
        let index = |expression: &str| {
            let reference = result(expression, "tasks.").unwrap();
            let index = reference.index();
            index.map(|(list, index)| (list.to_owned(), index))
        };
        let list = "tasks.a.results.b";
        assert_eq!(index("tasks.a.results.b[3]"), Some((list.to_owned(), 3)));
        let quoted = "tasks.a.results['b']";
        let found = index("tasks.a.results['b'][0]");
        assert_eq!(found, Some((quoted.to_owned(), 0)));
        for plain in [list, quoted, "tasks.a.results.b[*]", "tasks.a.results.b.c"] {
            assert_eq!(index(plain), None, "{plain}");
        }
    }

    #[test]
    fn the_length_of_a_matrix_is_known_before_its_results_are_counted() {
        let text = json!("$(tasks.a.matrix.r.length) $(tasks.b.matrix.length) $(tasks.c.matrix.r)");
        assert_eq!(matrices(&text), ["a"]);
    }
}
