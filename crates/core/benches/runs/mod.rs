//! The runs that the benches measure.

use std::fmt::Write;

use windlass_core::format::Format;

pub const TASK: &str = include_str!("../../tests/fixtures/worked/task-run.json");
pub const PIPELINE: &str = include_str!("../../tests/fixtures/worked/pipeline-run.json");
pub const FORMATS: [Format; 4] = [
    Format::Tekton,
    Format::SlsaV1,
    Format::SlsaV2Alpha3,
    Format::SlsaV2Alpha4,
];

/// A run with `count` results that are all subjects.
pub fn with_results(count: usize) -> String {
    let mut results = String::new();
    for index in 0..count {
        let comma = if index == 0 { "" } else { "," };
        let value = format!("r.io/app{index}@sha256:{index:064}");
        write!(
            results,
            r#"{comma}{{"name":"IMAGES","type":"string","value":"{value}"}}"#
        )
        .expect("a string");
    }
    format!(r#"{{"metadata":{{"name":"many"}},"status":{{"results":[{results}]}}}}"#)
}
