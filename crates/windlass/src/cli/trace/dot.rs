//! A trace in the language of Graphviz.

use std::fmt::Write as _;

use crate::cli::output::clean;
use crate::inspect::trace::{State, Trace};

/// The graph.
pub(super) fn graph(trace: &Trace) -> String {
    let mut text = String::from(
        "digraph trace {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n",
    );
    for (at, node) in trace.nodes.iter().enumerate() {
        let lines = [
            format!("{}: {}", node.kind.name(), node.state.name()),
            node.name.clone(),
            node.digest.clone().unwrap_or_default(),
        ];
        let lines: Vec<String> = lines
            .iter()
            .filter(|line| !line.is_empty())
            .map(|line| quoted(line))
            .collect();
        let style = match node.state {
            State::Verified => "solid",
            State::Claimed | State::Unverified(_) => "dashed",
            State::Unread(_) | State::Beyond(_) => "dotted",
        };
        // writing to a string cannot fail
        let _ = writeln!(
            text,
            "  n{at} [label=\"{}\", style={style}];",
            lines.join("\\n")
        );
    }
    for edge in &trace.edges {
        let (from, to, role) = (edge.from, edge.to, edge.role.name());
        let _ = writeln!(text, "  n{from} -> n{to} [label=\"{role}\"];");
    }
    text + "}\n"
}

/// Text within a string in quotes, none of whose escapes is Graphviz's.
fn quoted(text: &str) -> String {
    clean::line(text).replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_within_its_quotes() {
        assert_eq!(quoted("a\"]; b [label=\"\\N"), "a\\\"]; b [label=\\\"\\\\N");
        assert_eq!(quoted("x\ny"), "x\\\\ny");
    }
}
