//! The order of tasks: which task waits for which.

use std::collections::BTreeMap;

/// Tasks by their places, each after those it waits for.
#[derive(Debug)]
pub(super) struct Graph {
    /// For each task those it waits for.
    parents: Vec<Vec<usize>>,
    /// All tasks, parents first.
    order: Vec<usize>,
}

impl Graph {
    /// The graph of tasks with the names of those they wait for. Why it is none: a name that does not
    /// exist or exists twice, or a circle.
    pub(super) fn of(tasks: &[(String, Vec<String>)]) -> Result<Self, String> {
        let mut places = BTreeMap::new();
        for (place, (name, _)) in tasks.iter().enumerate() {
            if places.insert(name.as_str(), place).is_some() {
                return Err(format!(
                    "task {name} is already present in Graph, can't add it again: duplicate \
                     pipeline task"
                ));
            }
        }
        let mut parents = Vec::with_capacity(tasks.len());
        for (name, waits) in tasks {
            let mut found = Vec::new();
            for parent in waits {
                let Some(place) = places.get(parent.as_str()) else {
                    return Err(format!(
                        "couldn't add link between {name} and {parent}: task {name} depends on \
                         {parent} but {parent} wasn't present in Pipeline"
                    ));
                };
                if !found.contains(place) {
                    found.push(*place);
                }
            }
            parents.push(found);
        }
        let order = ordered(&parents).map_err(|stuck| circle(tasks, &stuck))?;
        Ok(Self { parents, order })
    }

    pub(super) fn parents(&self, task: usize) -> &[usize] {
        self.parents.get(task).map_or(&[], Vec::as_slice)
    }

    /// All tasks, parents first.
    pub(super) fn order(&self) -> &[usize] {
        &self.order
    }
}

/// Parents first, or the tasks that wait for each other.
fn ordered(parents: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut open: Vec<usize> = parents.iter().map(Vec::len).collect();
    let mut children = vec![Vec::new(); parents.len()];
    for (task, waits) in parents.iter().enumerate() {
        for parent in waits {
            children[*parent].push(task);
        }
    }
    let mut order: Vec<usize> = (0..parents.len()).filter(|task| open[*task] == 0).collect();
    let mut next = 0;
    while let Some(task) = order.get(next).copied() {
        next += 1;
        for child in &children[task] {
            open[*child] -= 1;
            if open[*child] == 0 {
                order.push(*child);
            }
        }
    }
    if order.len() == parents.len() {
        return Ok(order);
    }
    Err((0..parents.len()).filter(|task| open[*task] > 0).collect())
}

/// The first task of a circle by name, as Tekton words it.
fn circle(tasks: &[(String, Vec<String>)], stuck: &[usize]) -> String {
    let is_stuck = |name: &String| stuck.iter().any(|task| tasks[*task].0 == *name);
    let first = stuck.iter().min_by_key(|task| &tasks[**task].0);
    let Some((name, waits)) = first.map(|task| &tasks[*task]) else {
        return "cycle detected".to_owned();
    };
    let mut waits: Vec<String> = waits
        .iter()
        .filter(|name| is_stuck(name))
        .map(|name| format!("\"{name}\""))
        .collect();
    waits.sort();
    waits.dedup();
    format!(
        "cycle detected; task \"{name}\" depends on {}",
        waits.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a b<a c<a,b`
    fn graph(text: &str) -> Result<Graph, String> {
        let tasks: Vec<_> = text
            .split_whitespace()
            .map(|task| {
                let (name, waits) = task.split_once('<').unwrap_or((task, ""));
                let waits = waits.split(',').filter(|name| !name.is_empty());
                (name.to_owned(), waits.map(str::to_owned).collect())
            })
            .collect();
        Graph::of(&tasks)
    }

    #[test]
    fn parents_come_first_wherever_they_are_written() {
        assert_eq!(graph("c<a,b b<a a").unwrap().order(), [2, 1, 0]);
        assert_eq!(graph("a b c").unwrap().order(), [0, 1, 2]);
        assert_eq!(graph("a b<a,a").unwrap().parents(1), [0]);
    }

    #[test]
    fn a_circle_an_unknown_and_a_repeated_task_are_named() {
        for (tasks, why) in [
            ("a<b b<a", "cycle detected; task \"a\" depends on \"b\""),
            ("a<a", "cycle detected; task \"a\" depends on \"a\""),
            ("x a<c,x b<a c<b", "task \"a\" depends on \"c\""),
            ("a<b", "b wasn't present in Pipeline"),
            ("a a", "task a is already present in Graph"),
        ] {
            let found = graph(tasks).unwrap_err();
            assert!(found.contains(why), "{tasks}: {found}");
        }
    }
}
