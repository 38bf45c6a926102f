//! `$(…)` in the text of a task or pipeline: parameters, results, workspaces and context.
//! Rule source: the "Variable Substitutions" page of the Tekton documentation.

use std::collections::BTreeMap;

use serde_json::Value;

/// Names without `$(` and `)`, and what they stand for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variables {
    texts: BTreeMap<String, String>,
    lists: BTreeMap<String, Vec<String>>,
    objects: BTreeMap<String, Value>,
}

impl Variables {
    pub(crate) fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.texts.insert(name.into(), value.into());
    }

    /// Sets a parameter (or result) under all ways its name can be written.
    pub(crate) fn set_value(&mut self, root: &str, name: &str, value: &Value) {
        for form in forms(root, name) {
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
                    self.objects.insert(format!("{form}[*]"), value.clone());
                    self.objects.insert(form, value.clone());
                }
                _ => self.set(form, plain(value)),
            }
        }
    }

    /// Forgets a parameter (or result), so that it is replaced later by somebody else.
    pub(crate) fn remove_value(&mut self, root: &str, name: &str) {
        for form in forms(root, name) {
            let is_other = |key: &String| {
                let rest = key.strip_prefix(&form);
                rest.is_none_or(|rest| !(rest.is_empty() || rest.starts_with(['.', '['])))
            };
            self.texts.retain(|key, _| is_other(key));
            self.lists.retain(|key, _| is_other(key));
            self.objects.retain(|key, _| is_other(key));
        }
    }

    /// How many items the list of this name has; none if there is no such list.
    pub(crate) fn length(&self, name: &str) -> Option<usize> {
        self.lists.get(name).map(Vec::len)
    }

    /// Whether a name stands for something.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.texts.contains_key(name)
            || self.lists.contains_key(name)
            || self.objects.contains_key(name)
    }

    /// The list or object that a text is nothing but a reference to.
    pub(crate) fn whole(&self, text: &str) -> Option<Value> {
        let name = text.strip_prefix("$(")?.strip_suffix(')')?;
        let list = self.lists.get(name);
        list.map(|items| items.clone().into())
            .or_else(|| self.objects.get(name).cloned())
    }

    /// Bytes of a document once its variables are replaced: to refuse it before it fills the memory.
    pub(crate) fn size(&self, value: &Value) -> usize {
        match value {
            Value::String(text) => self.size_of_text(text),
            Value::Array(items) => items.iter().map(|item| self.size(item)).sum(),
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| name.len() + self.size(value))
                .sum(),
            _ => 8,
        }
    }

    fn size_of_text(&self, text: &str) -> usize {
        let names = text.split("$(").skip(1);
        let names = names.filter_map(|after| Some(after.split_once(')')?.0));
        let added = names.map(|name| {
            let text = self.texts.get(name).map_or(0, String::len);
            let list = self.lists.get(name);
            let list = list.map_or(0, |list| list.iter().map(String::len).sum());
            let object = self.objects.get(name).map_or(0, |it| it.to_string().len());
            text + list + object
        });
        text.len() + added.sum::<usize>()
    }

    /// Replaces every known variable; unknown ones stay as they are.
    pub(crate) fn replace(&self, text: &str) -> String {
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
    pub(crate) fn replace_list(&self, items: &[String]) -> Vec<String> {
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
    pub(crate) fn replace_all(&self, value: &mut Value) {
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

/// All ways to write the name of a parameter or result.
fn forms(root: &str, name: &str) -> [String; 3] {
    [
        format!("{root}.{name}"),
        format!("{root}[\"{name}\"]"),
        format!("{root}['{name}']"),
    ]
}

/// A value as it stands in text.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
