//! What extraction and a payload take of the allocator: how often, and how many bytes in all, for
//! each format; and how both grow with the number of results and children. Unlike times, these
//! figures are the same on every machine and at every load.

#![expect(clippy::expect_used, reason = "a bench stops at its first surprise")]
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use windlass_core::config::Config;
use windlass_core::format::Format;
use windlass_core::payload::Payload;
use windlass_core::run::{PipelineRun, Run, TaskRun};

mod runs;

use runs::{FORMATS, PIPELINE, TASK, with_results};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    println!("{:<32} {:>12} {:>14}", "", "allocations", "bytes");
    let task = TaskRun::parse(TASK.as_bytes()).expect("a task run");
    for format in FORMATS {
        let name = format!("task run, {format}");
        row(&name, 1, &Run::Task(task.clone()), format);
    }
    for format in FORMATS {
        let name = format!("pipeline run of 50, {format}");
        row(&name, 1, &pipeline(&task, 50), format);
    }
    println!("\nfor each result or child");
    for format in [Format::SlsaV1, Format::SlsaV2Alpha4] {
        for count in [1_000, 10_000, 100_000] {
            let document = with_results(count);
            let run = TaskRun::parse(document.as_bytes()).expect("a task run");
            let name = format!("{count} results, {format}");
            row(&name, count, &Run::Task(run), format);
        }
        for count in [10, 100, 1_000] {
            let name = format!("{count} children, {format}");
            row(&name, count, &pipeline(&task, count), format);
        }
    }
}

/// One line: what a payload takes, divided by `parts`.
fn row(name: &str, parts: usize, run: &Run<'_>, format: Format) {
    let config = Config {
        deep_inspection: true,
        ..Config::default()
    };
    let region = Region::new(ALLOCATOR);
    let payload = Payload::of_run(run, &config, format).expect("a payload");
    let taken = region.change();
    drop(payload);
    let (times, bytes) = (
        taken.allocations + taken.reallocations,
        taken.bytes_allocated,
    );
    println!("{name:<32} {:>12} {:>14}", times / parts, bytes / parts);
}

fn pipeline<'a>(task: &TaskRun<'a>, count: usize) -> Run<'a> {
    let run = PipelineRun::parse(PIPELINE.as_bytes()).expect("a pipeline run");
    Run::Pipeline(run, vec![task.clone(); count])
}
