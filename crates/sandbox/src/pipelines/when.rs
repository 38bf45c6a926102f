//! When expressions: whether a task is run at all.

use serde_json::Value;

use crate::steps::variables::Variables;

/// Whether all expressions are true.
pub(super) fn allows(when: &Value) -> bool {
    list(when).all(|expression| {
        let input = expression["input"].as_str().unwrap_or_default();
        let is_in = list(&expression["values"]).any(|value| value == input);
        is_in == (expression["operator"] == "in")
    })
}

/// Fills variables in: a list as input becomes its JSON, among the values it becomes its items.
pub(super) fn replace(when: &mut Value, variables: &Variables) {
    for expression in when.as_array_mut().into_iter().flatten() {
        if let Some(input) = expression["input"].as_str() {
            let whole = variables.whole(input).map(|list| list.to_string());
            let input = whole.unwrap_or_else(|| variables.replace(input));
            expression["input"] = input.into();
        }
        if expression["values"].is_array() {
            variables.replace_all(&mut expression["values"]);
        }
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_expressions_have_to_be_true() {
        let one = |input: &str, operator: &str, values: &[&str]| json!({"input": input, "operator": operator, "values": values});
        for (when, expected) in [
            (json!(null), true),
            (json!([one("a", "in", &["a", "b"])]), true),
            (json!([one("a", "in", &["b"])]), false),
            (json!([one("a", "in", &[])]), false),
            (json!([one("a", "notin", &["b"])]), true),
            (
                json!([one("a", "in", &["a"]), one("a", "notin", &["a"])]),
                false,
            ),
        ] {
            assert_eq!(allows(&when), expected, "{when}");
        }
    }

    #[test]
    fn a_list_is_compared_as_json_and_its_items_are_values() {
        let mut variables = Variables::default();
        variables.set_value("params", "l", &json!(["a", "b"]));
        let mut when = json!([{"input": "a", "operator": "in", "values": ["$(params.l[*])"]}]);
        replace(&mut when, &variables);
        assert!(allows(&when));
        let mut when =
            json!([{"input": "$(params.l[*])", "operator": "in", "values": ["[\"a\",\"b\"]"]}]);
        replace(&mut when, &variables);
        assert!(allows(&when));
    }
}
