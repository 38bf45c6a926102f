//! Server-side apply: the client states fields with their values. A field that another manager owns
//! with another value is a conflict unless forced. A field that the client applied before and now
//! leaves out is removed unless another manager owns it too.

use serde_json::{Map, Value};

use crate::cluster::kind::{Kind, ServedKind};
use crate::cluster::list_type::ListType;
use crate::cluster::managed::{self, Fields, Operation, Owner};
use crate::cluster::object;
use crate::cluster::route::Part;
use crate::cluster::status::{Cause, Status};

/// One apply.
pub(super) struct Apply<'a> {
    pub config: &'a Value,
    pub manager: &'a str,
    pub force: bool,
}

impl Apply<'_> {
    /// The object this makes of `live`, its owners written.
    pub(super) fn onto(
        &self,
        served: ServedKind,
        part: Part,
        live: &Value,
    ) -> Result<Value, Status> {
        let kind = served.kind;
        check(self.config)?;
        let wanted = managed::fields(kind, part, self.config);
        let mut me = Owner::new(self.manager, Operation::Apply, served, part);
        let mut owners = managed::owners(live);
        let conflicts = self.conflicts(&owners, &me, &wanted, live);
        if !conflicts.is_empty() && !self.force {
            return Err(refuse(kind, object::name(live), &conflicts));
        }
        for (at, path) in conflicts
            .into_iter()
            .map(|conflict| (conflict.owner, conflict.path))
        {
            if let Some(owner) = owners.get_mut(at) {
                owner.fields.remove(&path);
            }
        }
        let mut new = live.clone();
        merge(kind, &mut new, self.config, "");
        let before = owners.iter().find(|owner| owner.is(&me));
        let before = before.map(|owner| owner.fields.clone()).unwrap_or_default();
        for path in before.difference(&wanted) {
            let shared = owners
                .iter()
                .any(|owner| !owner.is(&me) && owner.fields.contains(path));
            let parent = wanted.iter().any(|kept| kept.starts_with(path));
            if !shared && !parent {
                managed::remove(&mut new, path);
            }
        }
        if let Some(owner) = owners.iter_mut().find(|owner| owner.is(&me)) {
            owner.set(wanted);
        } else {
            me.set(wanted);
            owners.push(me);
        }
        managed::write(&mut new, &owners);
        Ok(new)
    }

    fn conflicts(
        &self,
        owners: &[Owner],
        me: &Owner,
        wanted: &Fields,
        live: &Value,
    ) -> Vec<Conflict> {
        let others = owners.iter().enumerate().filter(|(_, owner)| !owner.is(me));
        others
            .flat_map(|(at, owner)| {
                let differs = |path: &&Vec<String>| {
                    managed::find(live, path) != managed::find(self.config, path)
                        && path.last().is_none_or(|last| last.starts_with("f:"))
                };
                let clash = owner.fields.intersection(wanted).filter(differs);
                clash.map(move |path| Conflict {
                    owner: at,
                    who: who(owner),
                    path: path.clone(),
                })
            })
            .collect()
    }
}

struct Conflict {
    owner: usize,
    who: String,
    path: Vec<String>,
}

fn who(owner: &Owner) -> String {
    let using = if owner.operation_is(Operation::Update) {
        format!(" using {}", owner.api_version())
    } else {
        String::new()
    };
    format!("conflict with \"{}\"{using}", owner.manager())
}

fn check(config: &Value) -> Result<(), Status> {
    if !config["metadata"]["managedFields"].is_null() {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    for field in ["apiVersion", "kind"] {
        if !config[field].is_string() {
            return Err(Status::bad_request(format!(
                "an applied configuration needs {field}"
            )));
        }
    }
    Ok(())
}

fn refuse(kind: &Kind, name: &str, conflicts: &[Conflict]) -> Status {
    let causes: Vec<Cause> = conflicts
        .iter()
        .map(|conflict| Cause {
            reason: "FieldManagerConflict",
            field: dotted(&conflict.path),
            message: conflict.who.clone(),
        })
        .collect();
    let each: Vec<String> = causes
        .iter()
        .map(|cause| format!("{}: {}", cause.message, cause.field))
        .collect();
    let plural = if causes.len() == 1 {
        "conflict"
    } else {
        "conflicts"
    };
    let message = format!(
        "Apply failed with {} {plural}: {}",
        causes.len(),
        each.join(", ")
    );
    Status::new(409, "Conflict", message)
        .about(kind, name)
        .with_causes(&causes)
}

fn dotted(path: &[String]) -> String {
    path.iter()
        .map(|segment| match segment.strip_prefix("f:") {
            Some(field) => format!(".{field}"),
            None => format!("[{}]", segment.get(2..).unwrap_or_default()),
        })
        .collect()
}

fn merge(kind: &Kind, target: &mut Value, config: &Value, dotted: &str) {
    match config {
        Value::Object(wanted) if !wanted.is_empty() => {
            if !target.is_object() {
                *target = Value::Object(Map::new());
            }
            let Value::Object(fields) = target else {
                return;
            };
            for (name, value) in wanted.iter().filter(|(_, value)| !value.is_null()) {
                let dotted = if dotted.is_empty() {
                    name.clone()
                } else {
                    format!("{dotted}.{name}")
                };
                merge(
                    kind,
                    fields.entry(name).or_insert(Value::Null),
                    value,
                    &dotted,
                );
            }
        }
        Value::Array(wanted) => merge_list(kind, target, wanted, dotted),
        _ if target.is_object() && config.is_object() => {}
        _ => *target = config.clone(),
    }
}

fn merge_list(kind: &Kind, target: &mut Value, wanted: &[Value], dotted: &str) {
    let list_type = ListType::applied(kind, dotted);
    let Value::Array(items) = target else {
        *target = Value::Array(wanted.to_vec());
        return;
    };
    match list_type {
        ListType::Atomic => *items = wanted.to_vec(),
        ListType::Set => {
            for item in wanted {
                if !items.contains(item) {
                    items.push(item.clone());
                }
            }
        }
        ListType::Map(key) => {
            for item in wanted {
                match items.iter_mut().find(|old| old[key] == item[key]) {
                    Some(old) => merge(kind, old, item, dotted),
                    None => items.push(item.clone()),
                }
            }
        }
    }
}
