//! The graph: nodes, and edges from what something was made of to what was made.

use serde_json::{Value, json};

use super::bounds::NODES;
use super::told::Told;

/// What a node stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeKind {
    /// An image by its digest.
    Image,
    /// A run that a provenance tells of.
    Run,
    /// A source that a run names.
    Source,
    /// A repository or bundle from which a resolver read the pipeline or task.
    Definition,
    /// Something else that a run made.
    Product,
}

impl NodeKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Run => "run",
            Self::Source => "source",
            Self::Definition => "definition",
            Self::Product => "product",
        }
    }
}

/// How much is known of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// A given key, or whom a certificate names, signed it.
    Verified,
    /// A verified provenance names it, by the word of the run.
    Claimed,
    /// It was read, and nobody who is expected signed it.
    Unverified(String),
    /// It could not be read.
    Unread(String),
    /// It is beyond a bound, and was not read.
    Beyond(String),
}

impl State {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Claimed => "claimed",
            Self::Unverified(_) => "unverified",
            Self::Unread(_) => "unread",
            Self::Beyond(_) => "beyond",
        }
    }

    /// Why it is not verified.
    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Self::Verified | Self::Claimed => None,
            Self::Unverified(why) | Self::Unread(why) | Self::Beyond(why) => Some(why),
        }
    }
}

/// A node.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    /// Its name: an image with its digest, a URI, or that of a run.
    pub(crate) name: String,
    /// Its digest, `ALGORITHM:HEX`, if it is not in the name.
    pub(crate) digest: Option<String>,
    pub(crate) state: State,
    /// The provenance that a run is known by.
    pub(crate) told: Option<Told>,
    /// How far it is from what was asked about.
    pub(crate) column: usize,
}

/// What one node is to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Built,
    Source,
    Definition,
    RanIn,
}

impl Role {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Built => "built",
            Self::Source => "source of",
            Self::Definition => "definition of",
            Self::RanIn => "step image of",
        }
    }
}

/// An edge, between nodes by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) role: Role,
}

/// A graph; the first node is what was asked about.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    pub(crate) nodes: Vec<Node>,
    pub(crate) edges: Vec<Edge>,
    /// How many nodes have no room.
    pub(crate) left_out: usize,
}

impl Trace {
    /// The number of a node that is the same, or of this one, which is new; none if there is no room.
    pub(super) fn node(&mut self, node: Node) -> Option<(usize, IsNew)> {
        let is_same = |known: &Node| {
            known.kind == node.kind
                && known.name == node.name
                && known.digest == node.digest
                && known.told.as_ref().map(|told| &told.story)
                    == node.told.as_ref().map(|told| &told.story)
        };
        if let Some(at) = self.nodes.iter().position(is_same) {
            return Some((at, IsNew::No));
        }
        if self.nodes.len() == NODES {
            self.left_out += 1;
            return None;
        }
        self.nodes.push(node);
        Some((self.nodes.len() - 1, IsNew::Yes))
    }

    pub(super) fn edge(&mut self, from: usize, to: usize, role: Role) {
        let edge = Edge { from, to, role };
        if !self.edges.contains(&edge) {
            self.edges.push(edge);
        }
    }

    /// Whether there is a verified provenance of what was asked about.
    pub(crate) fn is_verified(&self) -> bool {
        let Some(root) = self.nodes.first() else {
            return false;
        };
        root.state == State::Verified
            && (root.told.is_some()
                || self
                    .edges
                    .iter()
                    .any(|edge| edge.to == 0 && edge.role == Role::Built))
    }

    /// What leads to a node.
    pub(crate) fn before(&self, node: usize) -> impl Iterator<Item = &Edge> {
        self.edges.iter().filter(move |edge| edge.to == node)
    }

    /// The graph for programs: docs/verification.md has its schema.
    pub(crate) fn json(&self) -> Value {
        let nodes = self.nodes.iter().enumerate().map(|(id, node)| {
            json!({
                "id": id,
                "kind": node.kind.name(),
                "name": node.name,
                "digest": node.digest,
                "state": node.state.name(),
                "reason": node.state.reason(),
                "key": node.told.as_ref().map(|told| &told.key),
                "place": node.told.as_ref().map(|told| &told.place),
                "story": node.told.as_ref().map(|told| told.story.json()),
            })
        });
        let edges = self
            .edges
            .iter()
            .map(|edge| json!({ "from": edge.from, "to": edge.to, "role": edge.role.name() }));
        json!({
            "version": 1,
            "verified": self.is_verified(),
            "nodes": nodes.collect::<Vec<_>>(),
            "edges": edges.collect::<Vec<_>>(),
            "leftOut": self.left_out,
        })
    }
}

/// Whether a node was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IsNew {
    Yes,
    No,
}
