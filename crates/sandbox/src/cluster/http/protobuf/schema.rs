//! Field numbers of the messages that are read. Fields not listed are passed over.

/// How a field's value is read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    Text,
    Bytes,
    Number,
    Flag,
    Time,
    MicroTime,
    Texts,
    TextMap,
    BytesMap,
    Message(Message),
    Messages(Message),
}

#[derive(Debug)]
pub(super) struct Field {
    pub number: u32,
    pub name: &'static str,
    pub shape: Shape,
}

pub(super) type Message = &'static [Field];

const fn field(number: u32, name: &'static str, shape: Shape) -> Field {
    Field {
        number,
        name,
        shape,
    }
}

use Shape::{
    Bytes, BytesMap, Flag, Message as One, Messages, MicroTime, Number, Text, TextMap, Texts, Time,
};

pub(super) const ENVELOPE: Message = &[
    field(
        1,
        "typeMeta",
        One(&[field(1, "apiVersion", Text), field(2, "kind", Text)]),
    ),
    field(2, "raw", Bytes),
];
pub(super) const TIME: Message = &[field(1, "seconds", Number), field(2, "nanos", Number)];
pub(super) const TEXT_ENTRY: Message = &[field(1, "key", Text), field(2, "value", Text)];
pub(super) const BYTES_ENTRY: Message = &[field(1, "key", Text), field(2, "value", Bytes)];

const OWNER: Message = &[
    field(1, "kind", Text),
    field(3, "name", Text),
    field(4, "uid", Text),
    field(5, "apiVersion", Text),
    field(6, "controller", Flag),
    field(7, "blockOwnerDeletion", Flag),
];
const METADATA: Field = field(
    1,
    "metadata",
    One(&[
        field(1, "name", Text),
        field(2, "generateName", Text),
        field(3, "namespace", Text),
        field(5, "uid", Text),
        field(6, "resourceVersion", Text),
        field(7, "generation", Number),
        field(8, "creationTimestamp", Time),
        field(9, "deletionTimestamp", Time),
        field(11, "labels", TextMap),
        field(12, "annotations", TextMap),
        field(13, "ownerReferences", Messages(OWNER)),
        field(14, "finalizers", Texts),
    ]),
);
const REFERENCE: Message = &[
    field(1, "kind", Text),
    field(2, "namespace", Text),
    field(3, "name", Text),
    field(4, "uid", Text),
    field(5, "apiVersion", Text),
    field(6, "resourceVersion", Text),
    field(7, "fieldPath", Text),
];

static SECRET: Message = &[
    METADATA,
    field(2, "data", BytesMap),
    field(3, "type", Text),
    field(4, "stringData", TextMap),
    field(5, "immutable", Flag),
];
static CONFIG_MAP: Message = &[
    METADATA,
    field(2, "data", TextMap),
    field(3, "binaryData", BytesMap),
    field(4, "immutable", Flag),
];
static NAMESPACE: Message = &[
    METADATA,
    field(2, "spec", One(&[field(1, "finalizers", Texts)])),
];
static ACCOUNT: Message = &[
    METADATA,
    field(2, "secrets", Messages(REFERENCE)),
    field(3, "imagePullSecrets", Messages(&[field(1, "name", Text)])),
    field(4, "automountServiceAccountToken", Flag),
];
static EVENT: Message = &[
    METADATA,
    field(2, "involvedObject", One(REFERENCE)),
    field(3, "reason", Text),
    field(4, "message", Text),
    field(
        5,
        "source",
        One(&[field(1, "component", Text), field(2, "host", Text)]),
    ),
    field(6, "firstTimestamp", Time),
    field(7, "lastTimestamp", Time),
    field(8, "count", Number),
    field(9, "type", Text),
    field(10, "eventTime", MicroTime),
    field(12, "action", Text),
    field(14, "reportingComponent", Text),
    field(15, "reportingInstance", Text),
];
static LEASE: Message = &[
    METADATA,
    field(
        2,
        "spec",
        One(&[
            field(1, "holderIdentity", Text),
            field(2, "leaseDurationSeconds", Number),
            field(3, "acquireTime", MicroTime),
            field(4, "renewTime", MicroTime),
            field(5, "leaseTransitions", Number),
        ]),
    ),
];
static REVIEW: Message = &[
    METADATA,
    field(
        2,
        "spec",
        One(&[
            field(
                1,
                "resourceAttributes",
                One(&[
                    field(1, "namespace", Text),
                    field(2, "verb", Text),
                    field(3, "group", Text),
                    field(4, "version", Text),
                    field(5, "resource", Text),
                    field(6, "subresource", Text),
                    field(7, "name", Text),
                ]),
            ),
            field(
                2,
                "nonResourceAttributes",
                One(&[field(1, "path", Text), field(2, "verb", Text)]),
            ),
        ]),
    ),
];
static DELETE_OPTIONS: Message = &[
    field(1, "gracePeriodSeconds", Number),
    field(
        2,
        "preconditions",
        One(&[field(1, "uid", Text), field(2, "resourceVersion", Text)]),
    ),
    field(4, "propagationPolicy", Text),
    field(5, "dryRun", Texts),
];

/// The fields of a kind's message.
pub(super) fn of(kind: &str) -> Option<Message> {
    let fields = match kind {
        "Secret" => SECRET,
        "ConfigMap" => CONFIG_MAP,
        "Namespace" => NAMESPACE,
        "ServiceAccount" => ACCOUNT,
        "Event" => EVENT,
        "Lease" => LEASE,
        "SelfSubjectAccessReview" => REVIEW,
        "DeleteOptions" => DELETE_OPTIONS,
        _ => return None,
    };
    Some(fields)
}
