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
        "configuration.md",
        "limits.md",
        "operations.md",
        "registries.md",
        "security.md",
        "signing.md",
        "verification.md",
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

#[test]
fn the_reference_of_the_configuration_is_what_the_parser_reads() {
    let page = page("configuration.md");
    let sections: Vec<&str> = page.split("\n## ").collect();
    let keys = windlass_core::config::reference();
    for key in &keys {
        let heading = format!("`{}`\n", key.config_map);
        let section = sections
            .iter()
            .find(|text| text.starts_with(&heading))
            .unwrap();
        let default = match key.default.as_str() {
            "" => "none".to_owned(),
            text => format!("`{text}`"),
        };
        let row = format!(
            "\n| `{}` | {} | {default} | ",
            key.key,
            key.values.join(", ")
        );
        assert!(section.contains(&row), "{heading} has no row{row}");
    }
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    assert_eq!(rows.count(), keys.len(), "a row is of no key");
}

#[test]
fn every_event_that_windlass_writes_is_in_the_page_on_troubleshooting() {
    let page = page("troubleshooting.md");
    let mut count = 0;
    for source in sources(&docs().join("..")) {
        for word in source.split('"').skip(1).step_by(2) {
            let mut begins = [
                "Config",
                "Key",
                "Certificate",
                "Signing",
                "Released",
                "Provenance",
                "Mark",
            ]
            .iter();
            let ends = [
                "Refused",
                "Warning",
                "Unsupported",
                "Paused",
                "Delayed",
                "Failed",
            ];
            let more = [
                "Incomplete",
                "Removed",
                "Unsigned",
                "Unavailable",
                "Rotated",
            ];
            let mut ends = ends.iter().chain(&more);
            if begins.any(|part| word.starts_with(part)) && ends.any(|part| word.ends_with(part)) {
                assert!(page.contains(&format!("| `{word}` |")), "no row for {word}");
                count += 1;
            }
        }
    }
    assert!(count > 8, "only {count} Events were found");
}

/// The names that headings get as targets of links.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| -> String {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_of_the_documentation_leads_to_a_file_and_a_heading() {
    let mut pages: Vec<PathBuf> = ["README.md", "CHANGELOG.md", "e2e/README.md"]
        .map(|name| docs().join("..").join(name))
        .to_vec();
    let files = std::fs::read_dir(docs())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    pages.extend(files.filter(|path| path.extension().is_some_and(|kind| kind == "md")));
    let mut count = 0;
    for path in pages {
        let text = std::fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1) {
            let link = link.split(')').next().unwrap();
            if link.contains("://") || link.contains([' ', '\n']) {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => path.clone(),
                file => path.parent().unwrap().join(file),
            };
            assert!(target.exists(), "{}: {link}", path.display());
            if !heading.is_empty() {
                let page = std::fs::read_to_string(&target).unwrap();
                let anchors = anchors(&page);
                assert!(
                    anchors.iter().any(|one| one == heading),
                    "{}: {link}",
                    path.display()
                );
            }
            count += 1;
        }
    }
    assert!(count > 50, "only {count} links were found");
}

#[test]
fn every_page_is_named_by_the_readme() {
    let readme = std::fs::read_to_string(docs().join("../README.md")).unwrap();
    for entry in std::fs::read_dir(docs()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if Path::new(&name)
            .extension()
            .is_some_and(|kind| kind == "md")
        {
            assert!(readme.contains(&format!("(docs/{name})")), "{name}");
        }
    }
}
