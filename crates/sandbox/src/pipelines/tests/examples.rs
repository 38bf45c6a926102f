//! Every file in `examples/pipelines` ends as its head says. Each shows what the example of Tekton
//! does that it names, in words of its own.

use std::path::Path;

use serde_json::{Value, json};

use super::{Sandbox, condition, results, skipped};
use crate::run_status;

/// What the head of a file says of its run.
struct Head<'a> {
    ends: &'a str,
    skips: Vec<&'a str>,
    results: Value,
}

impl<'a> Head<'a> {
    fn of(text: &'a str) -> Self {
        let line = |name: &str| {
            let prefix = format!("# {name}: ");
            text.lines().find_map(|line| line.strip_prefix(&*prefix))
        };
        assert!(line("Tekton").is_some(), "no example of Tekton is named");
        Self {
            ends: line("Ends").unwrap(),
            skips: line("Skips").map_or_else(Vec::new, |names| names.split(", ").collect()),
            results: line("Results").map_or(json!({}), |all| serde_json::from_str(all).unwrap()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_ends_as_its_head_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/pipelines");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 25, "{}", files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap();
        let head = Head::of(&text);
        let sandbox = Sandbox::start().await;
        sandbox.create(&text);
        let run = sandbox
            .until("pipelineruns", name, run_status::is_finished)
            .await;
        let (status, reason) = condition(&run);
        assert_eq!(
            format!("{status} {reason}"),
            head.ends,
            "{name}: {:#}",
            run["status"]
        );
        let names: Vec<&str> = skipped(&run).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, head.skips, "{name}");
        assert_eq!(results(&run), head.results, "{name}");
        sandbox.end().await;
    }
}
