//! The documentation holds: its examples are what windlass prints, and the tests it names exist.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

fn page(name: &str) -> String {
    std::fs::read_to_string(docs().join(name)).unwrap()
}

/// Fenced blocks: the language and the text.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let mut parts = page.split("```").skip(1).step_by(2);
    std::iter::from_fn(|| parts.next()?.split_once('\n')).collect()
}

#[test]
fn the_examples_of_the_formats_are_what_windlass_prints() {
    let page = page("formats.md");
    let blocks = blocks(&page);
    let mut compared = 0;
    for pair in blocks.windows(2) {
        let [("console", command), ("json", shown)] = pair else {
            continue;
        };
        let Some(command) = command.strip_prefix("$ windlass ") else {
            continue;
        };
        let (arguments, _) = command.split_once(" | jq .").unwrap();
        let printed = Command::new(env!("CARGO_BIN_EXE_windlass"))
            .args(arguments.split_whitespace())
            .current_dir(docs())
            .output()
            .unwrap();
        assert!(printed.status.success(), "{arguments}: {printed:?}");
        let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
        let shown: Value = serde_json::from_str(shown).unwrap();
        assert_eq!(printed, shown, "{arguments}");
        compared += 1;
    }
    assert_eq!(compared, 4, "examples were found");
}

#[test]
fn every_test_that_the_pages_name_exists() {
    let pages = [
        "differences.md",
        "limits.md",
        "operations.md",
        "registries.md",
        "security.md",
    ];
    let pages: String = pages.into_iter().map(page).collect();
    let names: Vec<&str> = pages
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|text| text.matches('_').count() >= 3 && !text.contains(['.', '/', '$', ' ', '*']))
        // a metric
        .filter(|text| !text.starts_with("windlass_"))
        .filter(|text| {
            text.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        })
        .collect();
    assert!(names.len() > 100, "only {} tests are named", names.len());
    let sources = sources(&docs().join(".."));
    for name in names {
        let function = format!("fn {name}(");
        let found = sources.iter().any(|source| source.contains(&function));
        assert!(found, "no test is called {name}");
    }
}

#[test]
fn every_heading_of_the_page_on_behaviour_that_a_source_cites_exists() {
    const PAGE: &str = "docs/behaviour.md";
    let page = page("behaviour.md");
    let headings: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches('#').trim())
        .collect();
    let mut cited = 0;
    for source in sources(&docs().join("..")) {
        let text = without_breaks(&source);
        for (start, _) in text.match_indices(PAGE) {
            let rest = &text[start + PAGE.len()..];
            let quoted = cited_headings(rest);
            // this file names the page and cites nothing
            assert!(
                !quoted.is_empty() || rest.starts_with(['"', '`']),
                "a comment cites {PAGE} without a heading: {}",
                text[start..].chars().take(80).collect::<String>()
            );
            for heading in quoted {
                assert!(
                    headings.contains(&heading),
                    "{PAGE} has no heading {heading:?}"
                );
                cited += 1;
            }
        }
    }
    assert!(cited > 50, "only {cited} citations were found");
}

/// The headings right behind a mention of the page: `, "One" and "Another"`.
fn cited_headings(text: &str) -> Vec<&str> {
    let mut headings = Vec::new();
    let mut rest = text;
    while let Some(quoted) = [", \"", " and \""]
        .iter()
        .find_map(|before| rest.strip_prefix(before))
    {
        let Some((heading, after)) = quoted.split_once('"') else {
            break;
        };
        headings.push(heading);
        rest = after;
    }
    headings
}

/// A source whose comments of several lines are in one.
fn without_breaks(source: &str) -> String {
    let lines = source.lines().map(|line| {
        let line = line.trim_start();
        let comment = ["//! ", "/// ", "// "];
        let text = comment.iter().find_map(|mark| line.strip_prefix(mark));
        text.unwrap_or(line)
    });
    lines.collect::<Vec<_>>().join(" ")
}

/// Texts of all sources that hold tests.
fn sources(root: &Path) -> Vec<String> {
    let mut folders = vec![root.join("crates"), root.join("e2e")];
    let mut texts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                texts.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }
    texts
}
