//! Hints in the wrong place of a name, and results that are hints elsewhere: what the names of Tekton
//! Chains look like to those who number, prefix or shorten them.

use std::collections::HashSet;

use crate::extract::hints::{
    ARTIFACT_DIGEST, ARTIFACT_INPUTS, ARTIFACT_OUTPUTS, ARTIFACT_URI, IMAGE_DIGEST, IMAGE_URL,
    IMAGES,
};
use crate::extract::{GIT_COMMIT, GIT_URL};
use crate::run::RunResult;
use crate::warning::shown;

/// Hints that a name has to end with.
const SUFFIXES: [&str; 6] = [
    IMAGE_URL,
    IMAGE_DIGEST,
    ARTIFACT_URI,
    ARTIFACT_DIGEST,
    ARTIFACT_OUTPUTS,
    ARTIFACT_INPUTS,
];
/// Hints that are the whole name.
const WHOLE: [&str; 2] = [GIT_URL, GIT_COMMIT];
/// What tasks that check out sources, as `git-clone` does, call the repository, in upper case.
const REPOSITORIES: [&str; 6] = [
    "URL",
    "GIT_URL",
    "REPO_URL",
    "REPOSITORY_URL",
    "SOURCE_URL",
    "GIT_REPO_URL",
];
/// What they call the commit.
const COMMITS: [&str; 7] = [
    "COMMIT",
    "GIT_COMMIT",
    "COMMIT_SHA",
    "COMMIT_ID",
    "GIT_SHA",
    "REVISION",
    "GIT_REVISION",
];
/// Hex digits of a commit with SHA-1 and with SHA-256.
const COMMIT_LENGTHS: [usize; 2] = [40, 64];

/// What is wrong with the place of a hint in a name; none if there is no hint in it.
pub(super) fn place(name: &str) -> Option<String> {
    let whole = WHOLE.iter().find(|hint| name.contains(**hint));
    if let Some(hint) = whole.filter(|hint| **hint != name) {
        let name = shown(name);
        return Some(format!(
            "result {name} is not a hint; {hint} would be one: it has to be the whole name"
        ));
    }
    let (hint, at) = SUFFIXES
        .iter()
        .filter_map(|hint| Some((*hint, name.rfind(hint)?)))
        .max_by_key(|(_, at)| *at)?;
    let rest = &name[at + hint.len()..];
    let word = rest.trim_start_matches(['_', '-', '.']);
    let is_apart = word.len() < rest.len() || word.starts_with(|c: char| c.is_ascii_digit());
    if word.is_empty() || !is_apart {
        return None;
    }
    let before = name[..at].trim_end_matches(['_', '-', '.']);
    let dash = if before.is_empty() { "" } else { "-" };
    let meant = shown(&format!("{before}{dash}{word}-{hint}"));
    let name = shown(name);
    Some(format!(
        "result {name} is not a hint; {meant} would be one: {hint} has to be at the end of the name"
    ))
}

/// Results that hold what a hint would, under the names that other tasks use.
pub(super) fn elsewhere(results: &[RunResult<'_>]) -> Vec<String> {
    let names: HashSet<&str> = results.iter().map(|result| &*result.name).collect();
    let mut sentences = Vec::new();
    let has_hint = WHOLE.iter().any(|hint| names.contains(hint));
    let repository = called(results, &REPOSITORIES);
    let commit = called(results, &COMMITS).filter(|result| is_commit(result.value.text()));
    if let (Some(repository), Some(commit), false) = (repository, commit, has_hint) {
        let (repository, commit) = (shown(&repository.name), shown(&commit.name));
        sentences.push(format!(
            "results {repository} and {commit} are not hints; {GIT_URL} and {GIT_COMMIT} would be"
        ));
    }
    let has_image = names
        .iter()
        .any(|name| *name == IMAGES || name.ends_with(IMAGE_URL));
    for result in results.iter().filter(|_| !has_image) {
        let letters = result.name.to_ascii_uppercase();
        if letters.contains("IMAGE")
            && is_pinned(result.value.text())
            && place(&result.name).is_none()
        {
            let name = shown(&result.name);
            sentences.push(format!(
                "result {name} alone is not a hint; {IMAGE_URL} with {IMAGE_DIGEST}, or {IMAGES}, \
                 would be"
            ));
        }
    }
    sentences
}

/// The first result that has one of these names, in whatever way it is written.
fn called<'r, 'a>(results: &'r [RunResult<'a>], names: &[&str]) -> Option<&'r RunResult<'a>> {
    results.iter().find(|result| {
        let name = result.name.to_ascii_uppercase().replace(['-', '.'], "_");
        names.contains(&name.as_str())
    })
}

fn is_commit(text: &str) -> bool {
    let text = text.trim();
    COMMIT_LENGTHS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a text is an image with its digest.
fn is_pinned(text: &str) -> bool {
    let pinned = text.trim().split_once("@sha256:");
    pinned.is_some_and(|(name, hex)| {
        !name.is_empty() && hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_that_is_numbered_or_prefixed_is_told_with_the_name_that_would_be_one() {
        for (name, meant) in [
            ("IMAGE_URL_1", "\"1-IMAGE_URL\" would"),
            ("IMAGE_DIGEST-app", "\"app-IMAGE_DIGEST\" would"),
            ("IMAGE_URL2", "\"2-IMAGE_URL\" would"),
            ("app_IMAGE_DIGEST_1", "\"app-1-IMAGE_DIGEST\" would"),
            (
                "first-ARTIFACT_OUTPUTS.old",
                "\"first-old-ARTIFACT_OUTPUTS\" would",
            ),
            (
                "app-CHAINS-GIT_URL",
                "; CHAINS-GIT_URL would be one: it has to be the whole",
            ),
            ("CHAINS-GIT_COMMIT_1", "; CHAINS-GIT_COMMIT would be one"),
        ] {
            let told = place(name).unwrap_or_default();
            assert!(told.contains(meant), "{name}: {told}");
        }
    }

    #[test]
    fn what_is_a_hint_or_only_resembles_one_is_not_told() {
        for name in [
            "IMAGE_URL",
            "1-IMAGE_URL",
            "CHAINS-GIT_URL",
            "IMAGE_URLS",
            "IMAGE_URLencoded",
            "BASE_IMAGE",
            "url",
        ] {
            assert_eq!(place(name), None, "{name}");
        }
    }
}
