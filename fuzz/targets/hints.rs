//! Type hints: results and params that describe artifacts. Saying everything twice changes nothing.

#![no_main]

use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use windlass_core::run::{Run, TaskRun};
use windlass_fuzz::{check, shape};

fuzz_target!(|data: &[u8]| {
    let Ok(document) = shape::hints(&mut Unstructured::new(data)) else {
        return;
    };
    let Ok(run) = TaskRun::parse(document.as_bytes()) else {
        return;
    };
    let images = check::images(&run);
    let mut twice = run.clone();
    twice
        .status
        .results
        .extend(run.status.results.iter().cloned());
    assert_eq!(check::images(&twice), images, "{document}");
    twice
        .status
        .results
        .retain(|result| !result.name.contains("IMAGE") && !result.name.contains("OUTPUTS"));
    assert_eq!(check::images(&twice), [], "{document}");
    check::payloads(&Run::Task(run), &check::config(0));
});
