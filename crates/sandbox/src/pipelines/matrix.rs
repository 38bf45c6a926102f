//! The fan-out of a matrix: one task run for each combination of its parameters.
//! Rule source: the "Matrix" page of the Tekton documentation.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Most combinations of a matrix, as Tekton's default.
pub(super) const COMBINATIONS: usize = 256;

type Combination = BTreeMap<String, String>;

/// How many combinations a matrix has, as far as its parameters are lists already.
pub(super) fn count(matrix: &Value) -> usize {
    let lists = params(matrix).filter_map(|param| param["value"].as_array());
    let product = lists.fold(1_usize, |count, list| {
        count.saturating_mul(list.len().max(1))
    });
    let product = if params(matrix).next().is_none() {
        0
    } else {
        product
    };
    if product > COMBINATIONS {
        return product;
    }
    combinations(matrix).len()
}

/// Whether a parameter is an empty list, which gives nothing to run.
pub(super) fn is_empty(matrix: &Value) -> bool {
    params(matrix).any(|param| param["value"].as_array().is_some_and(Vec::is_empty))
}

/// The parameters of each combination, sorted by name.
pub(super) fn fan_out(matrix: &Value) -> Vec<Vec<Value>> {
    let combinations = combinations(matrix).into_iter();
    combinations
        .map(|combination| {
            let params = combination.into_iter();
            params
                .map(|(name, value)| json!({"name": name, "value": value}))
                .collect()
        })
        .collect()
}

/// Names of all parameters of a matrix.
pub(super) fn names(matrix: &Value) -> impl Iterator<Item = &str> {
    let included = include(matrix).flat_map(|one| list(&one["params"]));
    params(matrix)
        .chain(included)
        .filter_map(|param| param["name"].as_str())
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn params(matrix: &Value) -> impl Iterator<Item = &Value> {
    list(&matrix["params"])
}

fn include(matrix: &Value) -> impl Iterator<Item = &Value> {
    list(&matrix["include"])
}

fn combinations(matrix: &Value) -> Vec<Combination> {
    let included: Vec<Combination> = include(matrix)
        .map(|one| list(&one["params"]).map(pair).collect())
        .collect();
    if params(matrix).next().is_none() {
        return included;
    }
    let mut all = vec![Combination::new()];
    for param in params(matrix) {
        let name = param["name"].as_str().unwrap_or_default();
        let values = list(&param["value"]);
        // the first parameter changes fastest
        all = values
            .flat_map(|value| {
                all.iter().map(move |combination| {
                    let mut combination = combination.clone();
                    combination.insert(name.to_owned(), text(value));
                    combination
                })
            })
            .take(COMBINATIONS + 1)
            .collect();
    }
    add_included(&mut all, &included);
    all
}

/// What is included completes the combinations that it agrees with, or is one of its own.
fn add_included(all: &mut Vec<Combination>, included: &[Combination]) {
    for combination in all.iter_mut() {
        for one in included {
            let agrees = one
                .iter()
                .all(|(name, value)| combination.get(name).is_none_or(|own| own == value));
            if agrees {
                combination.extend(one.clone());
            }
        }
    }
    for one in included {
        let is_known = all.iter().any(|combination| {
            one.iter()
                .any(|(name, value)| combination.get(name) == Some(value))
        });
        if !one.is_empty() && !is_known {
            all.push(one.clone());
        }
    }
}

fn pair(param: &Value) -> (String, String) {
    let name = param["name"].as_str().unwrap_or_default();
    (name.to_owned(), text(&param["value"]))
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(matrix: &Value) -> Vec<String> {
        let combinations = fan_out(matrix).into_iter();
        combinations
            .map(|params| {
                let texts: Vec<String> = params
                    .iter()
                    .map(|param| format!("{}={}", text(&param["name"]), text(&param["value"])))
                    .collect();
                texts.join(" ")
            })
            .collect()
    }

    #[test]
    fn the_first_parameter_of_a_matrix_changes_fastest() {
        let matrix = json!({"params": [
            {"name": "os", "value": ["linux", "mac"]},
            {"name": "browser", "value": ["chrome", "safari"]},
        ]});
        let expected = [
            "browser=chrome os=linux",
            "browser=chrome os=mac",
            "browser=safari os=linux",
            "browser=safari os=mac",
        ];
        assert_eq!(shown(&matrix), expected);
        assert_eq!(count(&matrix), 4);
    }

    #[test]
    fn what_is_included_completes_combinations_or_is_one_more() {
        let matrix = json!({
            "params": [{"name": "arch", "value": ["amd64", "arm64"]}],
            "include": [
                {"name": "common", "params": [{"name": "flags", "value": "-v"}]},
                {"name": "arm", "params": [
                    {"name": "arch", "value": "arm64"}, {"name": "cpu", "value": "8"}]},
                {"name": "s390x", "params": [{"name": "arch", "value": "s390x"}]},
            ],
        });
        let expected = [
            "arch=amd64 flags=-v",
            "arch=arm64 cpu=8 flags=-v",
            "arch=s390x",
        ];
        assert_eq!(shown(&matrix), expected);
        let explicit = json!({"include": [
            {"params": [{"name": "a", "value": "1"}]}, {"params": [{"name": "a", "value": "2"}]}]});
        assert_eq!(shown(&explicit), ["a=1", "a=2"]);
    }

    #[test]
    fn a_matrix_that_is_too_large_is_counted_and_not_built() {
        let list: Vec<String> = (0..100_000).map(|at| at.to_string()).collect();
        let matrix = json!({"params": [
            {"name": "a", "value": list}, {"name": "b", "value": list}, {"name": "c", "value": list}]});
        assert_eq!(count(&matrix), 1_000_000_000_000_000);
        assert!(fan_out(&matrix).len() <= COMBINATIONS + 1);
        assert!(is_empty(&json!({"params": [{"name": "a", "value": []}]})));
    }
}
