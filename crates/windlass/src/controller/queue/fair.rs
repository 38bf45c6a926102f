//! A queue that serves namespaces in turn: whoever has a thousand runs in it waits for his own.

use std::collections::{HashMap, VecDeque};

/// Items by namespace. Within a namespace the first comes first.
#[derive(Debug)]
pub(super) struct Fair<T> {
    /// The namespaces with items, the next one first.
    turns: VecDeque<String>,
    items: HashMap<String, VecDeque<T>>,
}

impl<T> Default for Fair<T> {
    fn default() -> Self {
        Self {
            turns: VecDeque::new(),
            items: HashMap::new(),
        }
    }
}

impl<T> Fair<T> {
    /// Adds an item behind the others of its namespace.
    pub(super) fn push(&mut self, namespace: &str, item: T) {
        self.of(namespace).push_back(item);
    }

    /// Adds an item before the others of its namespace.
    pub(super) fn push_first(&mut self, namespace: &str, item: T) {
        self.of(namespace).push_front(item);
    }

    /// Takes the first item of the namespace whose turn it is, of those that may have one.
    pub(super) fn pop(&mut self, may: impl Fn(&str) -> bool) -> Option<T> {
        let turn = self.turns.iter().position(|namespace| may(namespace))?;
        let namespace = self.turns.remove(turn)?;
        let items = self.items.get_mut(&namespace)?;
        let item = items.pop_front();
        if items.is_empty() {
            self.items.remove(&namespace);
        } else {
            self.turns.push_back(namespace);
        }
        item
    }

    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    fn of(&mut self, namespace: &str) -> &mut VecDeque<T> {
        if !self.items.contains_key(namespace) {
            self.turns.push_back(namespace.to_owned());
        }
        self.items.entry(namespace.to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_take_turns_however_much_one_of_them_has() {
        let mut fair = Fair::default();
        for number in 0..100 {
            fair.push("b", format!("b{number}"));
        }
        fair.push("a", "a0".to_owned());
        fair.push("c", "c0".to_owned());
        let order: Vec<String> = std::iter::from_fn(|| fair.pop(|_| true)).take(5).collect();
        assert_eq!(order, ["b0", "a0", "c0", "b1", "b2"]);
    }

    #[test]
    fn a_namespace_that_may_not_is_passed_over_and_keeps_its_turn() {
        let mut fair = Fair::default();
        fair.push("b", 1);
        fair.push("a", 2);
        assert_eq!(fair.pop(|namespace| namespace != "b"), Some(2));
        assert_eq!(fair.pop(|namespace| namespace != "b"), None);
        fair.push_first("b", 0);
        assert_eq!(fair.pop(|_| true), Some(0));
        assert_eq!(fair.pop(|_| true), Some(1));
        assert!(fair.is_empty() && fair.items.is_empty());
    }
}
