//! Circles in a graph of files.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::FileId;

/// One file names an item of another one. `line` and `path` are where and how it does so first.
#[derive(Debug)]
pub(crate) struct Edge {
    pub(crate) from: FileId,
    pub(crate) to: FileId,
    pub(crate) line: usize,
    pub(crate) path: String,
}

/// The sets of more than one file of which each reaches every other.
///
/// A crate has a few hundred files at most, so a walk from each is fast enough.
pub(crate) fn circles(
    files: impl Iterator<Item = FileId>,
    edges: &[Edge],
) -> Vec<BTreeSet<FileId>> {
    let mut next: BTreeMap<FileId, Vec<FileId>> = BTreeMap::new();
    for edge in edges {
        next.entry(edge.from).or_default().push(edge.to);
    }
    let reached: BTreeMap<FileId, BTreeSet<FileId>> =
        files.map(|file| (file, reachable(file, &next))).collect();
    let mut circles = Vec::new();
    let mut placed: BTreeSet<FileId> = BTreeSet::new();
    for (&file, ahead) in &reached {
        if placed.contains(&file) || !ahead.contains(&file) {
            continue;
        }
        let circle: BTreeSet<FileId> = ahead
            .iter()
            .copied()
            .filter(|other| reached[other].contains(&file))
            .collect();
        placed.extend(&circle);
        circles.push(circle);
    }
    circles
}

/// What lies ahead of `start`, and `start` itself only if an edge leads back to it.
fn reachable(start: FileId, next: &BTreeMap<FileId, Vec<FileId>>) -> BTreeSet<FileId> {
    let mut reached = BTreeSet::new();
    let mut ahead = vec![start];
    while let Some(file) = ahead.pop() {
        for &other in next.get(&file).into_iter().flatten() {
            if reached.insert(other) {
                ahead.push(other);
            }
        }
    }
    reached
}
