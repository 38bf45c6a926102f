//! Where each node of a picture is: columns from the sources on the left to what was asked about on
//! the right, and in each column one box below the other.

use crate::cli::story;
use crate::inspect::trace::{Node, Trace};

/// Width of a box.
pub(super) const WIDTH: usize = 290;
/// Height of a line of text.
pub(super) const LINE: usize = 17;
const GAP: (usize, usize) = (90, 22);
const MARGIN: usize = 20;
/// Characters that fit into a box.
const FITS: usize = 42;

/// A box with its lines.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) height: usize,
    pub(super) lines: Vec<String>,
}

/// All boxes, one for each node, and the size of the picture.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) boxes: Vec<Placed>,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Layout {
    pub(super) fn of(trace: &Trace) -> Self {
        let column = |node: &Node| node.column;
        let last = trace.nodes.iter().map(column).max().unwrap_or(0);
        // what a run made is to the right of it
        let is_product = |at: usize| {
            trace
                .edges
                .iter()
                .any(|edge| edge.from == 0 && edge.to == at)
        };
        let shift = usize::from((0..trace.nodes.len()).any(is_product));
        let mut bottoms = vec![MARGIN; last + 1 + shift];
        let mut boxes = Vec::new();
        for (at, node) in trace.nodes.iter().enumerate() {
            let column = if is_product(at) {
                0
            } else {
                node.column + shift
            };
            let lines = lines(node);
            let height = LINE * lines.len() + LINE;
            let bottom = bottoms.get_mut(column).map_or(MARGIN, |bottom| {
                let top = *bottom;
                *bottom += height + GAP.1;
                top
            });
            boxes.push(Placed {
                x: MARGIN + (last + shift - column) * (WIDTH + GAP.0),
                y: bottom,
                height,
                lines,
            });
        }
        Self {
            boxes,
            width: 2 * MARGIN + (last + shift) * (WIDTH + GAP.0) + WIDTH,
            height: bottoms.into_iter().max().unwrap_or(MARGIN) + MARGIN,
        }
    }
}

/// The lines of a box: kind and state, name, digest, and what is known.
fn lines(node: &Node) -> Vec<String> {
    let mut lines = vec![
        format!("{} · {}", node.kind.name(), node.state.name()),
        short(&node.name),
    ];
    lines.extend(node.digest.as_deref().map(short));
    if let Some(told) = &node.told {
        for (label, value) in story::lines(&told.story) {
            if matches!(label, "builder" | "account" | "time") {
                lines.push(short(&format!("{label}: {value}")));
            }
        }
        lines.push(short(&format!("signed with {}", told.key)));
    }
    lines.extend(node.state.reason().map(short));
    lines
}

/// A text that fits: its start and its end.
fn short(text: &str) -> String {
    let count = text.chars().count();
    if count <= FITS {
        return text.to_owned();
    }
    let end = FITS / 2;
    let start: String = text.chars().take(FITS - end - 1).collect();
    let end: String = text.chars().skip(count - end).collect();
    format!("{start}…{end}")
}
