//! Whole runs: task runs and pipeline runs with children.
//!
//! Input that starts with `{` is JSON: a case of the conformance data, of which run, children and
//! configuration are taken, or a run. Any other input is a choice of configuration followed by bytes
//! from which documents are built.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use serde_json::value::RawValue;
use windlass_core::config::Config;
use windlass_fuzz::{check, shape};

#[derive(Deserialize)]
struct Case<'a> {
    #[serde(borrow)]
    run: &'a RawValue,
    #[serde(borrow, default)]
    children: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    config: BTreeMap<String, String>,
}

fuzz_target!(|data: &[u8]| {
    match data.split_first() {
        None => {}
        Some((b'{', _)) => written(data),
        Some((first, rest)) => built(*first, &mut Unstructured::new(rest)),
    }
});

fn written(data: &[u8]) {
    let Ok(case) = serde_json::from_slice::<Case<'_>>(data) else {
        let bits = u8::try_from(data.len() % 4).unwrap_or_default();
        return check::documents(data, &[], &check::config(bits));
    };
    let config = Config::parse(&case.config, &BTreeMap::new());
    let config = config.map_or_else(|_| check::config(3), |parsed| parsed.config);
    let children = case.children.iter().flatten().take(4);
    let children: Vec<&[u8]> = children.map(|child| child.get().as_bytes()).collect();
    check::documents(case.run.get().as_bytes(), &children, &config);
}

fn built(choice: u8, data: &mut Unstructured<'_>) {
    let Ok((run, children)) = build(data, choice & 4 == 4) else {
        return;
    };
    let children: Vec<&[u8]> = children.iter().map(String::as_bytes).collect();
    check::documents(run.as_bytes(), &children, &check::config(choice));
}

fn build(data: &mut Unstructured<'_>, is_pipeline: bool) -> Result<(String, Vec<String>)> {
    if !is_pipeline {
        return Ok((shape::task_run(data)?, Vec::new()));
    }
    let children = (0..data.int_in_range(0..=3)?)
        .map(|_| shape::task_run(data))
        .collect::<Result<_>>()?;
    Ok((shape::pipeline_run(data)?, children))
}
