//! `$(…)` in the text of a task: parameters, results, workspaces and context.
//! Rule source: the "Variable Substitutions" page of the Tekton documentation.

use std::collections::BTreeMap;

use serde_json::Value;

/// Names without `$(` and `)`, and what they stand for.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables {
    texts: BTreeMap<String, String>,
    lists: BTreeMap<String, Vec<String>>,
}

impl Variables {
    pub(super) fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.texts.insert(name.into(), value.into());
    }

    /// Sets a parameter (or result) under all ways its name can be written.
    pub(super) fn set_value(&mut self, root: &str, name: &str, value: &Value) {
        let forms = [
            format!("{root}.{name}"),
            format!("{root}[\"{name}\"]"),
            format!("{root}['{name}']"),
        ];
        for form in forms {
            match value {
                Value::Array(items) => {
                    let items: Vec<String> = items.iter().map(plain).collect();
                    for (at, item) in items.iter().enumerate() {
                        self.set(format!("{form}[{at}]"), item);
                    }
                    self.lists.insert(format!("{form}[*]"), items.clone());
                    self.lists.insert(form, items);
                }
                Value::Object(fields) => {
                    for (field, value) in fields {
                        self.set(format!("{form}.{field}"), plain(value));
                    }
                }
                _ => self.set(form, plain(value)),
            }
        }
    }

    /// Whether a name stands for something.
    pub(super) fn has(&self, name: &str) -> bool {
        self.texts.contains_key(name) || self.lists.contains_key(name)
    }

    /// Replaces every known variable; unknown ones stay as they are.
    pub(super) fn replace(&self, text: &str) -> String {
        let mut replaced = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("$(") {
            replaced.push_str(before);
            let known = after
                .split_once(')')
                .and_then(|(name, after)| Some((self.texts.get(name)?, after)));
            rest = if let Some((value, after)) = known {
                replaced.push_str(value);
                after
            } else {
                replaced.push_str("$(");
                after
            };
        }
        replaced.push_str(rest);
        replaced
    }

    /// Replaces in a list; an item that is nothing but a list variable becomes that list's items.
    pub(super) fn replace_list(&self, items: &[String]) -> Vec<String> {
        let mut replaced = Vec::new();
        for item in items {
            let name = item
                .strip_prefix("$(")
                .and_then(|item| item.strip_suffix(')'));
            match name.and_then(|name| self.lists.get(name)) {
                Some(list) => replaced.extend(list.iter().cloned()),
                None => replaced.push(self.replace(item)),
            }
        }
        replaced
    }

    /// Replaces in every text of a document.
    pub(super) fn replace_all(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.replace(text),
            Value::Array(items) => {
                let texts: Option<Vec<String>> = items
                    .iter()
                    .map(|item| item.as_str().map(str::to_owned))
                    .collect();
                match texts {
                    Some(texts) => {
                        *items = self
                            .replace_list(&texts)
                            .into_iter()
                            .map(Value::from)
                            .collect();
                    }
                    None => items.iter_mut().for_each(|item| self.replace_all(item)),
                }
            }
            Value::Object(fields) => fields
                .values_mut()
                .for_each(|value| self.replace_all(value)),
            _ => {}
        }
    }
}

/// A value as it stands in text.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
