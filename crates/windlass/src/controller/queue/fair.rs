//! A queue that serves namespaces in turn: whoever has a thousand runs in it waits for his own.

use std::collections::{HashMap, VecDeque};

/// Items by namespace. Within a namespace the first comes first.
#[derive(Debug)]
pub(super) struct Fair<T> {
    /// The namespaces with items, the next one first.
    turns: VecDeque<String>,
    items: HashMap<String, Items<T>>,
}

/// The items of a namespace.
#[derive(Debug)]
struct Items<T> {
    urgent: VecDeque<T>,
    others: VecDeque<T>,
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
        self.of(namespace).others.push_back(item);
    }

    /// Adds an item before those of its namespace that are not urgent.
    pub(super) fn push_urgent(&mut self, namespace: &str, item: T) {
        self.of(namespace).urgent.push_back(item);
    }

    /// Takes the first item of the namespace whose turn it is, of those that may have one.
    pub(super) fn pop(&mut self, may: impl Fn(&str) -> bool) -> Option<T> {
        let turn = self.turns.iter().position(|namespace| may(namespace))?;
        let namespace = self.turns.remove(turn)?;
        let items = self.items.get_mut(&namespace)?;
        let item = items
            .urgent
            .pop_front()
            .or_else(|| items.others.pop_front());
        if items.urgent.is_empty() && items.others.is_empty() {
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

    fn of(&mut self, namespace: &str) -> &mut Items<T> {
        if !self.items.contains_key(namespace) {
            self.turns.push_back(namespace.to_owned());
        }
        let none = || Items {
            urgent: VecDeque::new(),
            others: VecDeque::new(),
        };
        self.items.entry(namespace.to_owned()).or_insert_with(none)
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
        assert_eq!(fair.pop(|_| true), Some(1));
        assert!(fair.is_empty() && fair.items.is_empty());
    }

    #[test]
    fn what_is_urgent_comes_first_and_in_its_order() {
        let mut fair = Fair::default();
        fair.push("b", 3);
        fair.push_urgent("b", 1);
        fair.push_urgent("b", 2);
        let order: Vec<u8> = std::iter::from_fn(|| fair.pop(|_| true)).collect();
        assert_eq!(order, [1, 2, 3]);
        assert!(fair.is_empty() && fair.items.is_empty());
    }
}
