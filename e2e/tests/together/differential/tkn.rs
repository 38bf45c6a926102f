//! `list` and `describe` beside the real tkn, as scripts read them: through a pipe.

use std::thread;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use windlass_e2e::{Api, Cosign, Kind, Shell, Testbed};

use super::difference::{Difference, Pair, check, is_documented, same};
use super::runs;

/// What the two print differently.
const DIFFERENCES: [Difference; 14] = [
    Difference {
        row: SIGNATURES,
        of: &[],
        ours: without_signatures,
        theirs: same,
    },
    // without headings it is the last word of each line
    Difference {
        row: SIGNATURES,
        of: &["rows"],
        ours: |text| {
            by_line(text, |line| {
                let cut = line.rsplit_once(' ').map_or(line, |(row, _)| row);
                cut.trim_end().to_owned()
            })
        },
        theirs: same,
    },
    Difference {
        row: "Blanks at the end of lines",
        of: &[],
        ours: same,
        theirs: without_blanks_at_ends,
    },
    Difference {
        row: "A value is shown whole, however long it is",
        of: &["signed", "params"],
        ours: same,
        theirs: shortened,
    },
    Difference {
        row: "Control characters reach the terminal",
        of: &["terminal"],
        ours: same,
        theirs: |text| text.replace('\u{1b}', "\\u{1b}"),
    },
    Difference {
        row: "A line break in a value breaks the table",
        of: &["lines"],
        ours: same,
        theirs: |text| text.replace("first\nsecond", "first\\nsecond"),
    },
    Difference {
        row: "The condition that comes first decides",
        of: &["conditions", "list", "all", "rows"],
        ours: same,
        theirs: |text| text.replace("Running(Extra)", "Succeeded"),
    },
    Difference {
        row: "A start in the future was `-1 day ago`",
        of: &["future", "all"],
        ours: |text| squeezed(&text.replace("0 seconds ago", "then")),
        theirs: |text| squeezed(&text.replace("-1 day ago", "then")),
    },
    Difference {
        row: "Skipped tasks have no reason",
        of: &[],
        ours: without_reasons,
        theirs: same,
    },
    Difference {
        row: "An object in a result of a pipeline run is `[]`",
        of: &["values"],
        ours: same,
        theirs: |text| text.replace("info     []", r#"info     {"url":"a"}"#),
    },
    Difference {
        row: "`&`, `<` and `>` in an object are `\\u0026`, `\\u003c` and `\\u003e`",
        of: &["results"],
        ours: same,
        theirs: |text| text.replace("\\u0026", "&"),
    },
    Difference {
        row: "A projected volume has no name",
        of: &["workspaces"],
        ours: |text| without_blanks_at_ends(&text.replace("Projected", "")),
        theirs: same,
    },
    Difference {
        row: "Steps without a state are in reverse order",
        of: &["stateless"],
        ours: |text| text.replace(" a      ---\n b      ---", " b      ---\n a      ---"),
        theirs: same,
    },
    Difference {
        row: "A result without a value is `<invalid result type>`",
        of: &["no-value"],
        ours: same,
        theirs: |text| without_blanks_at_ends(&text.replace("<invalid result type>", "")),
    },
];

const SIGNATURES: &str = "No line `Signature:`, no column SIGNED";
/// Differences that are not of texts.
const NO_RUNS: &str = "`No TaskRuns found` is on standard output";
const CHILD_GONE: &str = "A pipeline run whose child was deleted cannot be described";

const LISTS: [&str; 9] = [
    "list -n one",
    "list -n two",
    "list -n one --reverse",
    "list -n one --no-headers",
    "list -n one --limit 3",
    "list -n one --limit 0",
    "list --label app=shop -n one",
    "list build -n one",
    "list -A",
];

#[test]
fn runs_are_listed_and_described_as_tkn_does_but_for_what_is_documented() -> Result<()> {
    Testbed::without_controller(Kind::Real, Cosign::Three, |testbed| {
        let all = runs::all();
        ensure!(all.len() >= 40, "{} runs", all.len());
        create(testbed, &all)?;
        let shell = testbed.shell();
        let mut questions: Vec<(String, String)> = Vec::new();
        for run in &all {
            let (name, namespace) = (text(run, "name"), text(run, "namespace"));
            let kind = short(run);
            questions.push((
                name.clone(),
                format!("{kind} describe {name} -n {namespace}"),
            ));
        }
        for kind in ["tr", "pr"] {
            questions.extend(LISTS.map(|list| {
                let name = match list {
                    "list -A" => "all",
                    "list -n one --no-headers" => "rows",
                    _ => "list",
                };
                (name.to_owned(), format!("{kind} {list}"))
            }));
        }
        let pairs = ask(shell, &questions)?;
        check(&pairs, &DIFFERENCES)?;
        nothing_is_found(shell)?;
        a_child_is_gone(testbed)
    })
}

/// Asks both programs, on two threads.
fn ask(shell: &Shell, questions: &[(String, String)]) -> Result<Vec<Pair>> {
    let half = questions.len().div_ceil(2);
    thread::scope(|scope| {
        let halves: Vec<_> = questions
            .chunks(half)
            .enumerate()
            .map(|(number, questions)| {
                let shell = shell.beside(&format!("half-{number}"))?;
                Ok(scope.spawn(move || {
                    let pair = |(name, words): &(String, String)| {
                        Ok(Pair {
                            name: name.clone(),
                            ours: shell.ok(&format!("windlass {words}"))?,
                            theirs: shell.ok(&format!("tkn {words}"))?,
                        })
                    };
                    questions.iter().map(pair).collect::<Result<Vec<Pair>>>()
                }))
            })
            .collect::<Result<_>>()?;
        let mut pairs = Vec::new();
        for half in halves {
            pairs.extend(half.join().ok().context("a thread panicked")??);
        }
        Ok(pairs)
    })
}

/// Without a run, tkn says so where its table would be; windlass says it to the person alone.
fn nothing_is_found(shell: &Shell) -> Result<()> {
    for (kind, runs) in [("tr", "TaskRuns"), ("pr", "PipelineRuns")] {
        let found = format!("No {runs} found");
        let theirs = shell.run(&format!("tkn {kind} list -n none"))?.exits(0)?;
        ensure!(theirs.stdout.trim() == found, "{}", theirs.stdout);
        let ours = shell.run(&format!("windlass {kind} list -n none"))?;
        let ours = ours.exits(0)?;
        ensure!(ours.stdout.is_empty(), "{}", ours.stdout);
        ensure!(ours.stderr.starts_with(&found), "{}", ours.stderr);
    }
    is_documented(NO_RUNS)
}

fn a_child_is_gone(testbed: &Testbed) -> Result<()> {
    let shell = testbed.shell();
    create(testbed, &[runs::with_child_gone()])?;
    let theirs = shell.run("tkn pr describe child-gone -n one")?;
    ensure!(theirs.code == 1, "tkn describes it: {}", theirs.stdout);
    let ours = shell.ok("windlass pr describe child-gone -n one")?;
    ensure!(ours.contains("pruned-child   build"), "{ours}");
    is_documented(CHILD_GONE)
}

/// Creates the runs and writes the status of each, as Tekton's controller would.
pub(super) fn create(testbed: &Testbed, all: &[Value]) -> Result<()> {
    let kubeconfig = testbed.kubeconfig();
    Runtime::new()?.block_on(async {
        let api = Api::connect(kubeconfig).await?;
        for namespace in ["one", "two", "three", "four", "five", "none"] {
            let object = json!({ "metadata": { "name": namespace } });
            // created before is as good
            let _ = api.create("/api/v1/namespaces", &object).await;
        }
        for run in all {
            let version = run["apiVersion"].as_str().unwrap_or_default();
            let kind = format!(
                "{}s",
                run["kind"].as_str().unwrap_or_default().to_lowercase()
            );
            let namespace = text(run, "namespace");
            let path = format!("/apis/{version}/namespaces/{namespace}/{kind}");
            api.create(&path, run).await?;
            if let Some(status) = run.get("status").filter(|status| status.is_object()) {
                let path = format!("{path}/{}/status", text(run, "name"));
                api.merge(&path, &json!({ "status": status })).await?;
            }
        }
        Ok(())
    })
}

fn text(run: &Value, field: &str) -> String {
    run["metadata"][field]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn short(run: &Value) -> &'static str {
    if run["kind"] == "TaskRun" { "tr" } else { "pr" }
}

fn by_line(text: &str, change: impl FnMut(&str) -> String) -> String {
    let lines: Vec<String> = text.split('\n').map(change).collect();
    lines.join("\n")
}

/// Without the line, and without the column at the end of tables.
fn without_signatures(text: &str) -> String {
    let lines = text
        .split('\n')
        .filter(|line| !line.starts_with("Signature:"));
    without_column(&lines.collect::<Vec<_>>().join("\n"), "SIGNED", "STATUS")
}

fn without_reasons(text: &str) -> String {
    without_column(text, "REASON", "NAME")
}

/// Cuts the column of this heading, which is the last, from the table whose heading before is `after`;
/// the table ends at an empty line.
fn without_column(text: &str, heading: &str, after: &str) -> String {
    let mut cut = None;
    by_line(text, |line| {
        if line.ends_with(heading) && line.contains(after) {
            cut = line.find(heading);
        } else if line.is_empty() {
            cut = None;
        }
        let kept = cut.and_then(|at| line.get(..at)).unwrap_or(line);
        if cut.is_some() { kept.trim_end() } else { line }.to_owned()
    })
}

fn without_blanks_at_ends(text: &str) -> String {
    by_line(text, |line| line.trim_end().to_owned())
}

/// Words of more than 120 characters are cut as windlass cuts them, with their size.
fn shortened(text: &str) -> String {
    by_line(text, |line| {
        let Some(at) = line.find(|character: char| !character.is_whitespace()) else {
            return line.to_owned();
        };
        let (indent, rest) = line.split_at(at);
        let words = rest.split(' ').map(|word| {
            let (before, value) = match word.split_once('=') {
                Some((key, value)) if value.len() > 120 => (format!("{key}="), value),
                _ => (String::new(), word),
            };
            if value.len() <= 120 {
                return word.to_owned();
            }
            format!("{before}{}… ({} bytes)", &value[..64], value.len())
        });
        format!("{indent}{}", words.collect::<Vec<_>>().join(" "))
    })
}

/// One blank between cells.
fn squeezed(text: &str) -> String {
    by_line(text, |line| {
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    })
}
