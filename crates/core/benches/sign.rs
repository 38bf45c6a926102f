//! What one run costs: read it, decide, extract, write the payload, sign it.
//!
//! The typical run is one of the worked examples; `growth` shows that the cost of a run with very
//! many results is that of their number.

#![expect(clippy::expect_used, reason = "a bench stops at its first surprise")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use windlass_core::config::Config;
use windlass_core::decide::{Facts, Scope, Trust, decide};
use windlass_core::dsse::{Envelope, IN_TOTO};
use windlass_core::extract;
use windlass_core::format::Format;
use windlass_core::key::PrivateKey;
use windlass_core::payload::Payload;
use windlass_core::run::{PipelineRun, Run, TaskRun};
use windlass_core::signed::message;

mod runs;

use runs::{FORMATS, PIPELINE, TASK, with_results};

const CHILDREN: usize = 50;

fn task(document: &str) -> Run<'_> {
    Run::Task(TaskRun::parse(document.as_bytes()).expect("a task run"))
}

fn payload(run: &Run<'_>, config: &Config, format: Format) -> Payload {
    Payload::of_run(run, config, format).expect("a payload")
}

/// Everything from the document to the signature.
fn sign(document: &str, config: &Config, format: Format, key: &PrivateKey) -> usize {
    let run = task(document);
    let facts = Facts::of(&run, Some(config), &Trust::default());
    black_box(decide(&facts, &Scope::default()));
    let payload = payload(&run, config, format);
    let signature = key.sign(&message(&payload)).expect("a signature");
    if format.is_statement() {
        let keyid = key.public_key().key_id();
        let envelope = Envelope::with_signature(IN_TOTO, &payload.bytes, keyid, &signature);
        return envelope.to_json().len();
    }
    signature.len()
}

fn typical(c: &mut Criterion) {
    let config = Config::default();
    let key = PrivateKey::generate_p256(&[7; 32]).expect("a key");
    c.bench_function("parse", |b| b.iter(|| task(black_box(TASK))));
    let run = task(TASK);
    let Run::Task(taskrun) = &run else { return };
    c.bench_function("images", |b| b.iter(|| extract::images(black_box(taskrun))));
    for format in FORMATS {
        c.bench_function(&format!("format/{format}"), |b| {
            b.iter(|| payload(black_box(&run), &config, format));
        });
        c.bench_function(&format!("decide+extract+format+sign/{format}"), |b| {
            b.iter(|| sign(black_box(TASK), &config, format, &key));
        });
    }
}

fn pipeline(c: &mut Criterion) {
    let config = Config {
        deep_inspection: true,
        ..Config::default()
    };
    let children = vec![TaskRun::parse(TASK.as_bytes()).expect("a task run"); CHILDREN];
    let run = PipelineRun::parse(PIPELINE.as_bytes()).expect("a pipeline run");
    let run = Run::Pipeline(run, children);
    for format in FORMATS {
        c.bench_function(&format!("pipeline of {CHILDREN}/{format}"), |b| {
            b.iter(|| payload(black_box(&run), &config, format));
        });
    }
}

fn growth(c: &mut Criterion) {
    let config = Config::default();
    let mut group = c.benchmark_group("growth");
    group.sample_size(10);
    for count in [1_000, 10_000, 100_000] {
        let document = with_results(count);
        group.throughput(Throughput::Elements(count as u64));
        for format in [Format::SlsaV1, Format::SlsaV2Alpha4] {
            group.bench_with_input(
                BenchmarkId::new(format.as_str(), count),
                &document,
                |b, document| b.iter(|| payload(&task(document), &config, format)),
            );
        }
    }
    group.finish();
}

/// A run whose annotations hold 200 KB.
fn annotated(c: &mut Criterion) {
    let large = "a".repeat(200_000);
    let document = TASK.replacen(r#""a/b":"c""#, &format!(r#""a/b":"{large}""#), 1);
    c.bench_function("parse with 200 KB of annotations", |b| {
        b.iter(|| task(black_box(&document)));
    });
}

criterion_group!(benches, typical, pipeline, annotated, growth);
criterion_main!(benches);
