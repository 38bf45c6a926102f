//! The columns of each kind's table.

use jiff::Timestamp;
use serde_json::Value;

use crate::cluster::kind::ServedKind;

/// One column: its heading, its `OpenAPI` type, and how a cell is read from an object.
pub(super) struct Column {
    pub name: &'static str,
    pub shape: &'static str,
    pub cell: fn(&Value) -> Value,
}

const fn column(name: &'static str, shape: &'static str, cell: fn(&Value) -> Value) -> Column {
    Column { name, shape, cell }
}

const NAME: Column = column("Name", "string", |object| {
    object["metadata"]["name"].clone()
});
const AGE: Column = column("Age", "string", |object| {
    age(&object["metadata"]["creationTimestamp"])
});

static PLAIN: &[Column] = &[NAME, AGE];
static SECRET: &[Column] = &[
    NAME,
    column("Type", "string", |secret| secret["type"].clone()),
    column("Data", "string", |secret| count(&secret["data"]).into()),
    AGE,
];
static CONFIG_MAP: &[Column] = &[
    NAME,
    column("Data", "string", |map| {
        (count(&map["data"]) + count(&map["binaryData"])).into()
    }),
    AGE,
];
static ACCOUNT: &[Column] = &[
    NAME,
    column("Secrets", "string", |account| {
        count(&account["secrets"]).into()
    }),
    AGE,
];
static NAMESPACE: &[Column] = &[
    NAME,
    column("Status", "string", |space| space["status"]["phase"].clone()),
    AGE,
];
static POD: &[Column] = &[
    NAME,
    column("Ready", "string", ready),
    column("Status", "string", |pod| pod["status"]["phase"].clone()),
    column("Restarts", "integer", |_| 0.into()),
    AGE,
];
static DEPLOYMENT: &[Column] = &[
    NAME,
    column("Ready", "string", |deployment| {
        let number = |value: &Value| value.as_u64().unwrap_or_default();
        let ready = number(&deployment["status"]["readyReplicas"]);
        format!("{ready}/{}", number(&deployment["spec"]["replicas"])).into()
    }),
    AGE,
];
static LEASE: &[Column] = &[
    NAME,
    column("Holder", "string", |lease| {
        lease["spec"]["holderIdentity"].clone()
    }),
    AGE,
];
static EVENT: &[Column] = &[
    column("Last Seen", "string", |event| age(first(event, LAST_SEEN))),
    column("Type", "string", |event| event["type"].clone()),
    column("Reason", "string", |event| event["reason"].clone()),
    column("Object", "string", about),
    column("Message", "string", |event| {
        first(event, &["message", "note"]).clone()
    }),
];
static RUN: &[Column] = &[
    NAME,
    column("Succeeded", "string", |run| succeeded(run, "status")),
    column("Reason", "string", |run| succeeded(run, "reason")),
    column("StartTime", "date", |run| {
        since(&run["status"]["startTime"])
    }),
    column("CompletionTime", "date", |run| {
        since(&run["status"]["completionTime"])
    }),
];

const LAST_SEEN: &[&str] = &["lastTimestamp", "deprecatedLastTimestamp", "eventTime"];

pub(super) fn of(served: ServedKind) -> &'static [Column] {
    match served.kind.kind {
        "Secret" => SECRET,
        "ConfigMap" => CONFIG_MAP,
        "ServiceAccount" => ACCOUNT,
        "Namespace" => NAMESPACE,
        "Pod" => POD,
        "Deployment" => DEPLOYMENT,
        "Lease" => LEASE,
        "Event" => EVENT,
        "TaskRun" | "PipelineRun" | "CustomRun" => RUN,
        _ => PLAIN,
    }
}

fn count(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.len(),
        Value::Array(list) => list.len(),
        _ => 0,
    }
}

fn first<'a>(object: &'a Value, fields: &[&str]) -> &'a Value {
    let found = fields
        .iter()
        .map(|field| &object[*field])
        .find(|value| !value.is_null());
    found.unwrap_or(&Value::Null)
}

fn ready(pod: &Value) -> Value {
    let containers = pod["status"]["containerStatuses"].as_array();
    let ready = containers
        .into_iter()
        .flatten()
        .filter(|one| one["ready"] == true)
        .count();
    format!("{ready}/{}", count(&pod["spec"]["containers"])).into()
}

fn about(event: &Value) -> Value {
    let object = first(event, &["involvedObject", "regarding"]);
    let text = |field: &str| object[field].as_str().unwrap_or_default().to_owned();
    format!("{}/{}", text("kind").to_lowercase(), text("name")).into()
}

fn succeeded(run: &Value, field: &str) -> Value {
    let conditions = run["status"]["conditions"].as_array();
    let found = conditions
        .into_iter()
        .flatten()
        .find(|one| one["type"] == "Succeeded");
    found
        .map(|condition| condition[field].clone())
        .unwrap_or_default()
}

/// A date column of a custom resource: empty if there is no date yet.
fn since(time: &Value) -> Value {
    if time.is_null() {
        Value::Null
    } else {
        age(time)
    }
}

/// How long ago `time` was, as kubectl shortens it: `42s`, `3m20s`, `5h`, `12d`.
fn age(time: &Value) -> Value {
    let Some(time) = time
        .as_str()
        .and_then(|text| text.parse::<Timestamp>().ok())
    else {
        return "<unknown>".into();
    };
    short((Timestamp::now().as_second() - time.as_second()).max(0)).into()
}

fn short(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let pair = |large: i64, unit: char, small: i64, small_unit: char| {
        if small == 0 {
            format!("{large}{unit}")
        } else {
            format!("{large}{unit}{small}{small_unit}")
        }
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => pair(minutes, 'm', seconds % 60, 's'),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => pair(hours, 'h', minutes % 60, 'm'),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => pair(days, 'd', hours % 24, 'h'),
        _ => format!("{days}d"),
    }
}
