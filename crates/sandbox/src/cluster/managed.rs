//! Ownership of fields: the `metadata.managedFields` of an object. Rule source: the
//! "Server-Side Apply" page of the Kubernetes documentation.

use serde_json::Value;

use crate::cluster::kind::Kind;
use crate::cluster::route::Part;

mod fields;
mod owner;
mod path;
mod tree;

pub(crate) use fields::fields;
pub(crate) use owner::{Operation, Owner, owners, write};
pub(crate) use path::{Fields, find, remove};

/// Gives what a write changed to its writer.
pub(crate) fn record_update(
    kind: &Kind,
    old: Option<&Value>,
    new: &mut Value,
    mut writer: Owner,
    part: Part,
) {
    let nothing = Value::Null;
    let old = old.unwrap_or(&nothing);
    let before = fields(kind, part, old);
    let after = fields(kind, part, new);
    let mut owners = owners(old);
    let changed: Fields = after
        .iter()
        .filter(|path| find(old, path) != find(new, path))
        .cloned()
        .collect();
    let gone: Fields = before.difference(&after).cloned().collect();
    if changed.is_empty() && gone.is_empty() {
        write(new, &owners);
        return;
    }
    for owner in &mut owners {
        if !owner.is(&writer) {
            owner.fields.retain(|path| !changed.contains(path));
        }
        owner.fields.retain(|path| !gone.contains(path));
    }
    if let Some(owner) = owners.iter_mut().find(|owner| owner.is(&writer)) {
        let all = owner.fields.union(&changed).cloned().collect();
        owner.set(all);
    } else {
        writer.fields = changed;
        owners.push(writer);
    }
    write(new, &owners);
}
