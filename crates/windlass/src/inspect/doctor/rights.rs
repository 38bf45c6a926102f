//! Whether the controller's account has the rights that it needs, and whether it has more.

use kube::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use windlass_core::error::Chain;

use super::finding::{Finding, Help, Level};
use crate::cluster::call::{Call, CallError};
use crate::cluster::path::{ApiPath, Resource};
use crate::manifests::rights::{CONTROLLER, Right, Scope, rights};

const AREA: &str = "rights";
/// Rights of Chains that are worth having for whoever gets hold of the account.
const TOO_MUCH: [(&str, &str, &str); 4] = [
    ("", "secrets", "list"),
    ("", "pods", "create"),
    ("tekton.dev", "taskruns", "create"),
    ("tekton.dev", "taskruns", "delete"),
];

/// Whose rights are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    /// The controller's account.
    Controller,
    /// Whoever asks, who may not ask about others.
    Own,
}

pub(super) async fn check(client: &Client, namespace: &str) -> Vec<Finding> {
    let needed = match rights() {
        Ok(needed) => needed,
        Err(error) => {
            let help = Help::new(
                Chain(&error).to_string(),
                "report it as a bug of this build",
                "windlass version",
            );
            let what = "it is not known which rights the controller needs";
            return vec![Finding::new(AREA, Level::Unknown, what, help)];
        }
    };
    let account = format!("system:serviceaccount:{namespace}:{CONTROLLER}");
    let mut subject = Subject::Controller;
    let mut missing = Vec::new();
    for right in &needed {
        let mut allowed = review(client, namespace, subject, right).await;
        if let (Subject::Controller, Err(error)) = (subject, &allowed)
            && matches!(error.status(), Some(403 | 404))
        {
            subject = Subject::Own;
            allowed = review(client, namespace, subject, right).await;
        }
        match allowed {
            Ok(true) => {}
            Ok(false) => missing.push(right.to_string()),
            Err(error) => {
                let what = "cannot ask for the rights of the controller";
                let look = can_i(&account);
                return vec![Finding::unknown(AREA, what, &error, look)];
            }
        }
    }
    let mut findings = vec![granted(subject, namespace, &account, &missing)];
    if subject == Subject::Controller {
        findings.extend(surplus(client, namespace, &account).await);
    }
    findings
}

/// What lists the rights of an account.
fn can_i(account: &str) -> String {
    format!("kubectl auth can-i --list --as={account}")
}

/// What it means that these rights are missing.
fn granted(subject: Subject, namespace: &str, account: &str, missing: &[String]) -> Finding {
    let list = missing.join(", ");
    match (subject, missing) {
        (Subject::Controller, []) => {
            Finding::ok(AREA, format!("{account} has every right it needs"))
        }
        (Subject::Controller, _) => {
            let help = Help::new(
                "its roles or their bindings are missing or were changed",
                "apply the manifests of this version",
                format!("windlass install -n {namespace} --image IMAGE | kubectl apply -f -"),
            );
            Finding::new(
                AREA,
                Level::Problem,
                format!("{account} may not: {list}"),
                help,
            )
        }
        (Subject::Own, []) => {
            let what = "your own account has every right of the controller; whether the \
                        controller's has them is unknown";
            let help = Help::new(
                "your account may not ask about others",
                "ask with an account that may create subjectaccessreviews",
                can_i(account),
            );
            Finding::new(AREA, Level::Unknown, what, help)
        }
        (Subject::Own, _) => {
            let what = format!("your own account may not: {list}");
            let help = Help::new(
                "your account may not ask about the controller's",
                "ask with an account that may create subjectaccessreviews",
                can_i(account),
            );
            Finding::new(AREA, Level::Unknown, what, help)
        }
    }
}

/// Rights that the account has and does not need.
async fn surplus(client: &Client, namespace: &str, account: &str) -> Option<Finding> {
    let mut found = Vec::new();
    for (group, resource, verb) in TOO_MUCH {
        let right = Right {
            scope: Scope::Cluster,
            group: group.to_owned(),
            resource: resource.to_owned(),
            name: None,
            verb: verb.to_owned(),
        };
        if let Ok(true) = review(client, namespace, Subject::Controller, &right).await {
            found.push(right.to_string());
        }
    }
    let list = found.join(", ");
    (!found.is_empty()).then(|| {
        let what = format!("{account} may in all namespaces, and needs not: {list}");
        let help = Help::new(
            "the roles are those of Tekton Chains, or others are bound to it",
            "apply the manifests of this version, and remove other bindings",
            format!("kubectl get clusterrolebinding -o wide | grep {CONTROLLER}"),
        );
        Finding::new(AREA, Level::Advice, what, help)
    })
}

/// Whether the subject has a right.
async fn review(
    client: &Client,
    namespace: &str,
    subject: Subject,
    right: &Right,
) -> Result<bool, CallError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Review {
        status: Status,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Status {
        allowed: bool,
    }
    let place = match right.scope {
        Scope::Cluster => "",
        Scope::System => namespace,
    };
    let mut spec = json!({ "resourceAttributes": {
        "namespace": place,
        "verb": right.verb,
        "group": right.group,
        "resource": right.resource,
        "name": right.name.as_deref().unwrap_or_default(),
    }});
    let (kind, resource) = match subject {
        Subject::Own => (
            "SelfSubjectAccessReview",
            Resource::SELF_SUBJECT_ACCESS_REVIEWS,
        ),
        Subject::Controller => {
            spec["user"] = format!("system:serviceaccount:{namespace}:{CONTROLLER}").into();
            spec["groups"] = groups(namespace);
            ("SubjectAccessReview", Resource::SUBJECT_ACCESS_REVIEWS)
        }
    };
    let body = json!({ "apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec });
    let action = format!("ask for the right to {right}");
    let call = Call::post(
        action,
        ApiPath::all(resource),
        body.to_string().into_bytes(),
    );
    let answer = call.send(client).await?;
    let review: Review = serde_json::from_slice(&answer).unwrap_or_default();
    Ok(review.status.allowed)
}

/// Every group that the account is in.
fn groups(namespace: &str) -> Value {
    json!([
        "system:serviceaccounts",
        format!("system:serviceaccounts:{namespace}"),
        "system:authenticated",
    ])
}
