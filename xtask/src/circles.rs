//! Files of a crate that import each other in a circle.
//!
//! The graph: its nodes are the source files of one crate, and an edge goes from a file that names
//! an item to the file that defines it. A circle is a set of files of which each reaches every
//! other one along edges.
//!
//! What is an edge:
//! - `use` of an item, whatever its visibility, so a `pub use` too. The edge points to the file that
//!   defines the item, not to a file that re-exports it: an import through a facade is no edge to
//!   the facade.
//! - a path in code, in an attribute or in the arguments of a macro: `crate::a::item`, `child::item`.
//! - a glob: an edge to the file of the module or enum.
//! - `self.function()` and `Self::function()` inside an `impl` block, to the file that defines the
//!   function: blocks of one type that are spread over files may tie them without any import.
//!
//! What is none:
//! - `mod child;`, and `use` of a module by itself. The items named through it are edges.
//! - any other method call, a path in a comment, a path in `pub(in path)`.
//! - everything under `#[cfg(test)]`. Integration tests, benches and examples are crates of their own.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};

mod attribute;
mod graph;
mod mention;
mod read;
mod resolve;
mod source;
mod target;
mod tree;

#[cfg(test)]
mod tests;

/// The circles of some workspaces.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) circles: Vec<Circle>,
    crates: usize,
}

/// Files that reach each other, by the lines that tie them.
#[derive(Debug)]
pub(crate) struct Circle {
    name: String,
    files: usize,
    ties: Vec<String>,
}

/// Checks every crate of the workspaces, given by manifests relative to `root`.
pub(crate) fn check(root: &Path, manifests: &[&str]) -> Result<Report> {
    let mut report = Report {
        circles: Vec::new(),
        crates: 0,
    };
    for manifest in manifests {
        for target in target::targets(&root.join(manifest))? {
            let circles = of_crate(root, &target)
                .with_context(|| format!("reading the source of {}", target.name))?;
            report.circles.extend(circles);
            report.crates += 1;
        }
    }
    Ok(report)
}

fn of_crate(root: &Path, target: &target::Target) -> Result<Vec<Circle>> {
    let tree = read::read(&target.root)?;
    let edges = resolve::edges(&tree);
    let shown = |file: tree::FileId| {
        let path = tree.path(file);
        path.strip_prefix(root).unwrap_or(path).display()
    };
    let circles = graph::circles(tree.files(), &edges)
        .into_iter()
        .map(|files| {
            let inside =
                |edge: &&graph::Edge| files.contains(&edge.from) && files.contains(&edge.to);
            let ties = edges.iter().filter(inside).map(|edge| {
                let (from, to) = (shown(edge.from), shown(edge.to));
                format!("{from}:{} uses {} of {to}", edge.line, edge.path)
            });
            Circle {
                name: target.name.clone(),
                files: files.len(),
                ties: ties.collect(),
            }
        });
    Ok(circles.collect())
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for circle in &self.circles {
            writeln!(out, "{}: a circle of {} files", circle.name, circle.files)?;
            for tie in &circle.ties {
                writeln!(out, "    {tie}")?;
            }
        }
        match self.circles.len() {
            0 => writeln!(out, "no circle between the files of {} crates", self.crates),
            n => writeln!(
                out,
                "circles: {n}; move what both sides need to a file that uses neither"
            ),
        }
    }
}
