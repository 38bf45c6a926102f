//! The names of metrics, as dashboards and alerts use them.

use std::collections::BTreeSet;

use prometheus_client::encoding::text::encode;
use serde_json::Value;

use super::*;
use crate::telemetry::Reason;

const DASHBOARD: &str = include_str!("../../../../../deploy/observability/dashboard.json");
const RULES: &str = include_str!("../../../../../deploy/observability/rules.yaml");

/// What is served, with one failure and one registry that does not respond.
fn served() -> String {
    let metrics = Metrics::default();
    metrics.failed(RunKind::Task, Failure::at(Stage::Store, Reason::Denied));
    let _open = metrics.detail.circuits.open("registry.io");
    metrics.detail.measure();
    let mut text = String::new();
    encode(&mut text, &metrics.registry()).unwrap();
    text
}

fn names(served: &str) -> BTreeSet<String> {
    let samples = served.lines().filter(|line| !line.starts_with('#'));
    let names = samples.filter_map(|line| line.split(['{', ' ']).next());
    names.map(str::to_owned).collect()
}

/// The names of metrics in an expression of Prometheus.
fn named(expression: &str) -> Vec<&str> {
    let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    let is_ours = |word: &&str| word.starts_with("windlass_") || word.starts_with("watcher_");
    words.filter(is_ours).collect()
}

/// The texts of all members of this name, wherever they are.
fn members<'v>(value: &'v Value, name: &str, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value.as_str() {
                    Some(text) if key == name => found.push(text),
                    _ => members(value, name, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| members(item, name, found)),
        _ => {}
    }
}

#[test]
fn each_metric_that_the_dashboard_and_the_alerts_name_exists() {
    let names = names(&served());
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let rules: Value = serde_saphyr::from_str(RULES).unwrap();
    for (what, document) in [("dashboard", &dashboard), ("rules", &rules)] {
        let mut expressions = Vec::new();
        members(document, "expr", &mut expressions);
        assert!(expressions.len() >= 8, "{what}: {expressions:?}");
        for expression in expressions {
            let used = named(expression);
            assert!(!used.is_empty(), "{what}: {expression}");
            for name in used {
                assert!(names.contains(name), "{what}: there is no {name}");
            }
        }
    }
}

#[test]
fn each_alert_says_what_is_wrong_and_what_to_do() {
    let rules: Value = serde_saphyr::from_str(RULES).unwrap();
    let alerts = rules["spec"]["groups"][0]["rules"].as_array().unwrap();
    for alert in alerts {
        let name = alert["alert"].as_str().unwrap();
        assert!(name.starts_with("Windlass"), "{name}");
        for part in ["summary", "description"] {
            let text = alert["annotations"][part].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{name} has no {part}");
        }
        assert!(alert["labels"]["severity"].is_string(), "{name}");
    }
}

#[test]
fn metrics_of_chains_have_its_names_and_are_there_from_the_start() {
    let names = names(&served());
    for kind in ["taskrun", "pipelinerun"] {
        for metric in [
            "sign_created",
            "payload_uploaded",
            "payload_stored",
            "marked_signed",
            "signing_failures",
        ] {
            let name = format!("watcher_{kind}_{metric}_total");
            assert!(names.contains(&name), "there is no {name}");
        }
    }
}

#[test]
fn a_failure_is_counted_by_step_store_and_reason_and_as_chains_counts_it() {
    let metrics = Metrics::default();
    let failure = Failure {
        stage: Stage::Store,
        store: Some(StoreKind::Oci),
        reason: Reason::CircuitOpen,
    };
    metrics.failed(RunKind::Pipeline, failure);
    let mut text = String::new();
    encode(&mut text, &metrics.registry()).unwrap();
    for line in [
        "windlass_failures_total{kind=\"pipelinerun\",stage=\"store\",store=\"oci\",\
         reason=\"circuit_open\"} 1",
        "watcher_pipelinerun_signing_failures_total{error_type=\"storage\"} 1",
        "watcher_pipelinerun_signing_failures_total{error_type=\"tlog\"} 0",
        "watcher_taskrun_signing_failures_total{error_type=\"storage\"} 0",
    ] {
        assert!(text.lines().any(|served| served == line), "{line}\n{text}");
    }
}

#[test]
fn the_age_of_the_oldest_run_is_that_at_the_scrape() {
    let metrics = Metrics::default();
    let age = || {
        metrics.detail.measure();
        let mut text = String::new();
        encode(&mut text, &metrics.registry()).unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with("windlass_oldest_run_age_seconds "));
        let age = line.and_then(|line| line.split(' ').nth(1)?.parse::<f64>().ok());
        age.unwrap()
    };
    assert!(age().abs() < f64::EPSILON);
    let minute = std::time::Duration::from_secs(60);
    metrics
        .detail
        .note_oldest(tokio::time::Instant::now().checked_sub(minute));
    assert!((60.0..70.0).contains(&age()));
}
