//! A trace as an indented tree, from what was asked about to what it was made from.

use std::collections::BTreeSet;

use crate::cli::output::clean;
use crate::cli::story;
use crate::inspect::trace::{Node, NodeKind, Trace};

/// Most characters of a line.
const LONGEST: usize = 400;

/// The tree. A node that was shown is not shown again.
pub(super) fn text(trace: &Trace) -> String {
    let mut text = String::new();
    let mut seen = BTreeSet::new();
    add(trace, 0, "", &mut seen, &mut text);
    if trace.left_out > 0 {
        let rest = format!("{} more are not shown\n", trace.left_out);
        text.push_str(&rest);
    }
    text
}

fn add(trace: &Trace, at: usize, indent: &str, seen: &mut BTreeSet<usize>, text: &mut String) {
    let Some(node) = trace.nodes.get(at) else {
        return;
    };
    if !seen.insert(at) {
        text.push_str(&line(indent, &format!("{} (see above)", heading(node))));
        return;
    }
    text.push_str(&line(indent, &heading(node)));
    let inner = format!("{indent}  ");
    if let Some(reason) = node.state.reason() {
        text.push_str(&line(&inner, &format!("{}: {reason}", node.state.name())));
    }
    if let Some(told) = &node.told {
        for (label, value) in story::lines(&told.story) {
            // each has a node of its own
            if !matches!(label, "source" | "step image" | "definition" | "built") {
                text.push_str(&line(&inner, &format!("{label}: {value}")));
            }
        }
        text.push_str(&line(&inner, &format!("signed with: {}", told.key)));
        text.push_str(&line(&inner, &format!("found in: {}", told.place)));
    }
    for edge in trace.before(at) {
        add(trace, edge.from, &inner, seen, text);
    }
    if at == 0 && node.kind == NodeKind::Run {
        for edge in trace.edges.iter().filter(|edge| edge.from == 0) {
            // what it made leads back to it alone
            if let Some(made) = trace.nodes.get(edge.to) {
                text.push_str(&line(&inner, &heading(made)));
            }
        }
    }
}

/// What a node is, with its digest and how much is known of it.
fn heading(node: &Node) -> String {
    let digest = node.digest.as_ref();
    let digest = digest
        .map(|digest| format!("@{digest}"))
        .unwrap_or_default();
    let (kind, name, state) = (node.kind.name(), &node.name, node.state.name());
    format!("{kind}: {name}{digest} [{state}]")
}

fn line(indent: &str, value: &str) -> String {
    let value: String = clean::line(value).chars().take(LONGEST).collect();
    format!("{indent}{value}\n")
}
