//! The tiles of a log: its tree in files of 256 nodes, from which an inclusion proof is put together.
//! Source: C2SP `tlog-tiles`.
//!
//! A log of version 2 gives a proof with a new entry only. Of one that it has already it tells the number.

use super::checkpoint::{self, Checkpoint, CheckpointError};
use super::entry::{Entry, Proof};
use super::merkle::{self, Hash};
use super::proposal::Proposal;
use crate::key::PublicKey;

/// Nodes of a tile, as a power of two, and as a number.
const HEIGHT: u32 = 8;
const WIDTH: u64 = 1 << HEIGHT;
/// Bytes of a node.
const NODE: usize = 32;

/// A file with nodes of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    level: u32,
    index: u64,
    width: u64,
}

/// A complete part of the tree: the node at this height, counted from the left.
#[derive(Debug, Clone, Copy)]
struct Part {
    height: u32,
    index: u64,
}

impl Tile {
    /// The path of the file below the address of the tiles.
    ///
    /// ```
    /// # use windlass_core::tlog::tiles_of;
    /// let paths: Vec<_> = tiles_of(0, 257).iter().map(|tile| tile.path()).collect();
    /// assert_eq!(paths, ["/tile/0/000", "/tile/0/001.p/1"]);
    /// ```
    pub fn path(&self) -> String {
        let whole = self.whole_path();
        match self.width {
            WIDTH => whole,
            width => format!("{whole}.p/{width}"),
        }
    }

    /// The path of the file once the log has filled it. Logs may remove the file with fewer nodes then.
    pub fn whole_path(&self) -> String {
        format!("/tile/{}/{}", self.level, grouped(self.index))
    }

    /// The nodes in a file, of which a fuller one has more. Nothing if it is too short.
    fn node<'t>(&self, content: &'t [u8], at: u64) -> Option<&'t [u8]> {
        let at = usize::try_from(at).ok()? * NODE;
        content.get(at..at + NODE).filter(|_| at < self.bytes())
    }

    fn bytes(&self) -> usize {
        usize::try_from(self.width).unwrap_or(0) * NODE
    }
}

/// A number in groups of three digits, as paths have it.
fn grouped(number: u64) -> String {
    let (rest, last) = (number / 1000, number % 1000);
    if rest == 0 {
        return format!("{last:03}");
    }
    let mut groups = vec![format!("{last:03}")];
    let mut rest = rest;
    while rest > 0 {
        groups.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    groups.reverse();
    groups.join("/")
}

/// The path below the address of the tiles of the file that has an entry, in a tree of this size.
pub fn entry_path(index: u64, size: u64) -> String {
    let file = index >> HEIGHT;
    let path = format!("/tile/entries/{}", grouped(file));
    match size.saturating_sub(file << HEIGHT) {
        width if width < WIDTH => format!("{path}.p/{width}"),
        _ => path,
    }
}

/// The files that the proof of an entry takes, each once; none if there is no such entry.
pub fn tiles_of(index: u64, size: u64) -> Vec<Tile> {
    let parts = siblings(index, size).into_iter().flatten();
    let mut tiles: Vec<Tile> = parts.map(|part| part.tile(size)).collect();
    tiles.sort_unstable();
    tiles.dedup();
    tiles
}

/// Who signs the checkpoints of a log of version 2.
#[derive(Debug, Clone, Copy)]
pub struct CheckpointSigner<'k> {
    /// The public key of the log.
    pub key: &'k PublicKey,
    /// What the log calls itself.
    pub origin: &'k str,
}

/// The size of the tree in a checkpoint that the log signed.
pub fn size_in_checkpoint(
    checkpoint: &str,
    log: CheckpointSigner<'_>,
) -> Result<u64, CheckpointError> {
    let parsed = Checkpoint::parse(checkpoint)?;
    parsed.check_named(log.key, log.origin)?;
    Ok(parsed.size)
}

/// The entry of a proposal that a log has under a number, with a proof from its tiles; nothing if a tile
/// is missing or too short. It is not checked, see [`Entry::check_v2`].
pub fn entry_from_tiles<'t>(
    proposal: &Proposal,
    index: u64,
    checkpoint: &str,
    log: CheckpointSigner<'_>,
    tile: impl Fn(&Tile) -> Option<&'t [u8]>,
) -> Option<Entry> {
    let parsed = Checkpoint::parse(checkpoint).ok()?;
    let (size, root) = (parsed.size, parsed.root);
    let nodes = siblings(index, size).into_iter().map(|parts| {
        let parts = parts.into_iter().rev();
        let hashes = parts.map(|part| part.hash(size, &tile));
        let hashes: Vec<Hash> = hashes.collect::<Option<_>>()?;
        let above = |right: Hash, left: Hash| merkle::node(&left, &right);
        hashes.into_iter().reduce(above)
    });
    let nodes: Vec<Hash> = nodes.collect::<Option<_>>()?;
    Some(Entry {
        kind: proposal.kind,
        body: proposal.canonical_body(),
        log_id: checkpoint::key_id(log.key, log.origin),
        index,
        promise: None,
        proof: Proof {
            index,
            size,
            root,
            nodes,
            checkpoint: checkpoint.to_owned(),
        },
    })
}

/// The nodes next to the way from a leaf to the root, the lowest first, each as the complete parts that it
/// is made of, from left to right (RFC 6962, section 2.1.1).
fn siblings(index: u64, size: u64) -> Vec<Vec<Part>> {
    let (mut start, mut length) = (0, size);
    let mut found = Vec::new();
    if index >= size {
        return found;
    }
    while length > 1 {
        let left = half(length);
        if index - start < left {
            found.push(parts(start + left, length - left));
            length = left;
        } else {
            found.push(parts(start, left));
            start += left;
            length -= left;
        }
    }
    found.reverse();
    found
}

/// The greatest power of two below a number greater than one.
fn half(number: u64) -> u64 {
    1 << (number - 1).ilog2()
}

/// Leaves from a place on, as complete parts. The place is one where a part may begin.
fn parts(mut start: u64, mut length: u64) -> Vec<Part> {
    let mut parts = Vec::new();
    while length > 0 {
        let height = length.ilog2();
        parts.push(Part {
            height,
            index: start >> height,
        });
        start += 1 << height;
        length -= 1 << height;
    }
    parts
}

impl Part {
    /// The level of the tiles that has the nodes of this part, how many of them it has, and the first.
    fn place(self) -> (u32, u64, u64) {
        let level = self.height / HEIGHT;
        let above = self.height % HEIGHT;
        (level, 1 << above, self.index << above)
    }

    fn tile(self, size: u64) -> Tile {
        let (level, _, first) = self.place();
        let index = first >> HEIGHT;
        let nodes = size >> (level * HEIGHT);
        let width = (nodes - (index << HEIGHT)).min(WIDTH);
        Tile {
            level,
            index,
            width,
        }
    }

    fn hash<'t>(self, size: u64, content: impl Fn(&Tile) -> Option<&'t [u8]>) -> Option<Hash> {
        let (_, count, first) = self.place();
        let tile = self.tile(size);
        let content = content(&tile)?;
        let nodes = (0..count).map(|at| tile.node(content, first % WIDTH + at)?.try_into().ok());
        let mut nodes: Vec<Hash> = nodes.collect::<Option<_>>()?;
        while nodes.len() > 1 {
            let pairs = nodes.chunks_exact(2);
            nodes = pairs.map(|pair| merkle::node(&pair[0], &pair[1])).collect();
        }
        nodes.pop()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// Every node of a tree, by its height.
    fn levels(size: u64) -> Vec<Vec<Hash>> {
        let mut levels = vec![
            (0..size)
                .map(|n| merkle::leaf(n.to_string().as_bytes()))
                .collect::<Vec<_>>(),
        ];
        while let Some(last) = levels.last().filter(|last| last.len() > 1) {
            let pairs = last.chunks_exact(2);
            let next = pairs.map(|pair| merkle::node(&pair[0], &pair[1])).collect();
            levels.push(next);
        }
        levels
    }

    fn root(levels: &[Vec<Hash>], size: u64) -> Hash {
        let all = parts(0, size).into_iter().rev();
        let hashes =
            all.map(|part| levels[part.height as usize][usize::try_from(part.index).unwrap()]);
        let above = |right: Hash, left: Hash| merkle::node(&left, &right);
        hashes.reduce(above).unwrap()
    }

    #[test]
    fn the_proof_of_every_entry_is_put_together_from_the_tiles_of_its_tree() {
        for size in [1, 2, 3, 7, 255, 256, 257, 511, 513, 65_537, 66_000] {
            let levels = levels(size);
            let wanted = root(&levels, size);
            let file = |tile: &Tile| {
                let nodes = &levels[(tile.level * HEIGHT) as usize];
                let first = usize::try_from(tile.index * WIDTH).unwrap();
                let nodes = &nodes[first..first + usize::try_from(tile.width).unwrap()];
                nodes.concat()
            };
            let step = usize::try_from(size / 97).unwrap().max(1);
            for index in (0..size).step_by(step).chain([size - 1]) {
                let tiles: HashMap<Tile, Vec<u8>> = tiles_of(index, size)
                    .into_iter()
                    .map(|tile| (tile, file(&tile)))
                    .collect();
                let content = |tile: &Tile| tiles.get(tile).map(Vec::as_slice);
                let nodes: Vec<Hash> = siblings(index, size)
                    .into_iter()
                    .map(|parts| {
                        let parts = parts.into_iter().rev();
                        let hashes = parts.map(|part| part.hash(size, content).unwrap());
                        hashes
                            .reduce(|right, left| merkle::node(&left, &right))
                            .unwrap()
                    })
                    .collect();
                let leaf = levels[0][usize::try_from(index).unwrap()];
                let found = merkle::root(index, size, leaf, &nodes);
                assert_eq!(found, Some(wanted), "{index} of {size}");
            }
        }
    }

    #[test]
    fn paths_are_those_of_the_specification() {
        let tile = |level, index, width| Tile {
            level,
            index,
            width,
        };
        assert_eq!(tile(0, 1_234_067, 256).path(), "/tile/0/x001/x234/067");
        assert_eq!(tile(1, 0, 3).path(), "/tile/1/000.p/3");
        assert_eq!(tile(1, 0, 3).whole_path(), "/tile/1/000");
        assert_eq!(entry_path(300, 301), "/tile/entries/001.p/45");
        assert_eq!(entry_path(300, 700), "/tile/entries/001");
    }

    #[test]
    fn the_largest_numbers_and_no_entry_are_no_trouble() {
        assert!(tiles_of(7, 7).is_empty());
        assert!(tiles_of(u64::MAX, u64::MAX).is_empty());
        let tiles = tiles_of(u64::MAX - 1, u64::MAX);
        assert!(tiles.len() < 70, "{}", tiles.len());
        assert!(tiles.iter().all(|tile| tile.width <= WIDTH));
        assert!(entry_path(u64::MAX - 1, u64::MAX).ends_with(".p/255"));
    }

    #[test]
    fn a_tile_that_is_too_short_gives_no_node() {
        let tile = Tile {
            level: 0,
            index: 0,
            width: 2,
        };
        let part = Part {
            height: 1,
            index: 0,
        };
        assert!(part.hash(2, |_| Some(&[0; 63])).is_none());
        assert!(part.hash(2, |_| None).is_none());
        assert!(tile.node(&[0; 96], 2).is_none());
    }
}
