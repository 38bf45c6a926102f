//! Tells a release which commit it is built from, and when that was made.
//!
//! Both are the same wherever the commit is built. `WINDLASS_COMMIT` and `SOURCE_DATE_EPOCH` name them
//! where the source has no git metadata; without either the program says that it does not know. A
//! development build asks git for neither, so that a commit does not build everything again.

use std::path::Path;
use std::process::Command;

fn main() {
    tell("rerun-if-env-changed=WINDLASS_COMMIT");
    tell("rerun-if-env-changed=SOURCE_DATE_EPOCH");
    tell("rerun-if-changed=build.rs");
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let has_git = is_release && is_own_repository();
    if has_git && let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        tell(&format!("rerun-if-changed={log}"));
    }
    let read = |variable: &str, arguments: &[&str]| {
        let stated = std::env::var(variable).ok();
        let stated = stated.filter(|value| !value.trim().is_empty());
        stated.or_else(|| has_git.then(|| git(arguments)).flatten())
    };
    let commit = read("WINDLASS_COMMIT", &["rev-parse", "HEAD"]);
    let commit = commit.filter(|text| text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let time = read("SOURCE_DATE_EPOCH", &["show", "-s", "--format=%ct", "HEAD"]);
    let time = time.filter(|text| text.parse::<i64>().is_ok());
    let (commit, time) = (commit.unwrap_or_default(), time.unwrap_or_default());
    tell(&format!("rustc-env=WINDLASS_COMMIT={commit}"));
    tell(&format!("rustc-env=WINDLASS_TIME={time}"));
}

/// Whether git knows this source, and not a folder around it.
fn is_own_repository() -> bool {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let Some(top) = git(&["rev-parse", "--show-toplevel"]) else {
        return false;
    };
    match (own.canonicalize(), Path::new(&top).canonicalize()) {
        (Ok(own), Ok(top)) => own == top,
        _ => false,
    }
}

/// What git prints, if it is there and has something to print.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

fn tell(cargo: &str) {
    println!("cargo::{cargo}");
}
