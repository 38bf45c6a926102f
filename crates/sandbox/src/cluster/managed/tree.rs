//! A set of paths as the tree `fieldsV1` on the wire.

use serde_json::{Map, Value, json};

use super::path::{Fields, Path};

/// The paths in a tree.
pub(super) fn read(tree: &Value) -> Fields {
    let mut fields = Fields::new();
    read_below(tree, &mut Path::new(), &mut fields);
    fields
}

fn read_below(tree: &Value, path: &mut Path, fields: &mut Fields) {
    let Value::Object(children) = tree else {
        return;
    };
    if children.is_empty() {
        fields.insert(path.clone());
    }
    for (segment, child) in children {
        if segment == "." {
            fields.insert(path.clone());
            continue;
        }
        path.push(segment.clone());
        read_below(child, path, fields);
        path.pop();
    }
}

/// The tree of some paths.
pub(super) fn write(fields: &Fields) -> Value {
    let mut root = Map::new();
    for path in fields {
        let mut node = &mut root;
        for segment in path {
            let child = node
                .entry(segment)
                .or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(child) = child else {
                return Value::Null;
            };
            node = child;
        }
        node.insert(".".into(), json!({}));
    }
    let mut root = Value::Object(root);
    drop_lone_dots(&mut root);
    root
}

/// A leaf is written `{}`, not `{".": {}}`.
fn drop_lone_dots(node: &mut Value) {
    let Value::Object(children) = node else {
        return;
    };
    if children.len() == 1 && children.contains_key(".") {
        children.clear();
    }
    children.values_mut().for_each(drop_lone_dots);
}
