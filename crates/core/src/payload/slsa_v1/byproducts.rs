//! By-products in SLSA provenance v1: results that are not subjects. See docs/behaviour.md,
//! "By-products".

use crate::extract::{is_build_artifact, is_image_result};
use crate::intoto::Descriptor;
use crate::payload::parts::param_value;
use crate::run::{RunResult, TaskRun};
use crate::warning::{Notes, shown};

const MEDIA_TYPE: &str = "application/json";

/// All results.
pub(super) fn all(results: &[RunResult<'_>], prefix: &str, notes: &mut Notes) -> Vec<Descriptor> {
    results
        .iter()
        .filter_map(|result| by_product(result, prefix, notes))
        .collect()
}

/// Results that do not describe images or build artifacts.
pub(super) fn others<'r, 'a: 'r>(
    results: impl IntoIterator<Item = &'r RunResult<'a>>,
    prefix: &str,
    notes: &mut Notes,
) -> Vec<Descriptor> {
    let mut by_products = Vec::new();
    for result in results {
        match is_build_artifact(result) {
            Ok(false) if !is_image_result(&result.name) => {
                by_products.extend(by_product(result, prefix, notes));
            }
            Ok(_) => {}
            Err(_) => notes.add(format!(
                "result {} is neither subject nor by-product: it is not a valid build artifact",
                shown(&result.name)
            )),
        }
    }
    by_products
}

/// Results of a task run and of its steps that do not describe images or build artifacts.
pub(super) fn of_task(run: &TaskRun<'_>, notes: &mut Notes) -> Vec<Descriptor> {
    let name = &run.metadata.name;
    let mut found = others(
        &run.status.results,
        &format!("taskRunResults/{name}"),
        notes,
    );
    let of_steps = run.status.steps.iter().flat_map(|step| &step.results);
    found.extend(others(of_steps, &format!("stepResults/{name}"), notes));
    found
}

fn by_product(result: &RunResult<'_>, prefix: &str, notes: &mut Notes) -> Option<Descriptor> {
    let Some(value) = param_value(&result.value) else {
        notes.add_loss(format!(
            "result {} has no value and is left out",
            shown(&result.name)
        ));
        return None;
    };
    Some(Descriptor {
        name: format!("{prefix}/{}", result.name),
        content: value.to_go(),
        media_type: MEDIA_TYPE,
        ..Descriptor::default()
    })
}
