//! From the paths that a crate mentions to the files that define what they name.

use std::collections::{HashMap, HashSet};

use super::graph::Edge;
use super::tree::{Call, FileId, Function, Mention, MentionKind, ModuleId, Name, Tree};

/// Where a path leads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    Module(ModuleId),
    Type(FileId),
    Value(FileId),
}

/// The edges of a crate, one for each pair of files, file by file.
pub(crate) fn edges(tree: &Tree) -> Vec<Edge> {
    let mut edges = mentions(tree);
    edges.extend(calls(tree));
    edges.sort_by_key(|edge| (edge.from, edge.line));
    let mut pairs = HashSet::new();
    edges.retain(|edge| edge.from != edge.to && pairs.insert((edge.from, edge.to)));
    edges
}

fn mentions(tree: &Tree) -> Vec<Edge> {
    let edges = tree.mentions.iter().flat_map(|mention| {
        files(tree, mention).into_iter().map(|to| Edge {
            from: tree.module(mention.module).file,
            to,
            line: mention.line,
            path: mention.path.join("::"),
        })
    });
    edges.collect()
}

/// The edges from calls by `self` to functions that another file defines for the same type.
fn calls(tree: &Tree) -> Vec<Edge> {
    let mut defined: HashMap<_, Vec<FileId>> = HashMap::new();
    for function in &tree.functions {
        let file = tree.module(function.module).file;
        for key in keys(tree, function) {
            defined.entry(key).or_default().push(file);
        }
    }
    let mut edges = Vec::new();
    for Call { function, line } in &tree.calls {
        let from = tree.module(function.module).file;
        for key in keys(tree, function) {
            let files = defined.get(&key).into_iter().flatten();
            let path = format!("{}::{}", key.1, key.2);
            edges.extend(files.map(|&to| Edge {
                from,
                to,
                line: *line,
                path: path.clone(),
            }));
        }
    }
    edges
}

/// A function as any file names it: the file of its type, the type, the function.
fn keys<'a>(tree: &Tree, function: &'a Function) -> Vec<(FileId, &'a str, &'a str)> {
    let of = function.of.last().map_or("", String::as_str);
    let places = Resolver::new(tree).path(function.module, &function.of);
    let file = |place| {
        if let Place::Type(file) = place {
            Some(file)
        } else {
            None
        }
    };
    let files = places.into_iter().filter_map(file);
    files
        .map(|file| (file, of, function.name.as_str()))
        .collect()
}

fn files(tree: &Tree, mention: &Mention) -> Vec<FileId> {
    let places = Resolver::new(tree).path(mention.module, &mention.path);
    let file = |place: Place| match place {
        Place::Type(file) | Place::Value(file) => Some(file),
        // the paths that go on from the module are mentions of their own
        Place::Module(_) if mention.kind == MentionKind::Use => None,
        Place::Module(module) => Some(tree.module(module).file),
    };
    places.into_iter().filter_map(file).collect()
}

/// Follows one path. Imports of a crate may lead in circles themselves, through globs for instance,
/// so none is followed again while it is being followed.
struct Resolver<'a> {
    tree: &'a Tree,
    under_way: Vec<(ModuleId, Vec<String>)>,
}

impl<'a> Resolver<'a> {
    fn new(tree: &'a Tree) -> Self {
        Self {
            tree,
            under_way: Vec::new(),
        }
    }

    /// Everything that `path` names as seen from `module`; nothing if it leads out of the crate.
    fn path(&mut self, module: ModuleId, path: &[String]) -> Vec<Place> {
        let Some((first, mut rest)) = path.split_first() else {
            return Vec::new();
        };
        let mut places = match first.as_str() {
            "crate" => vec![Place::Module(Tree::ROOT)],
            "self" => vec![Place::Module(module)],
            "super" => self.parent(module).into_iter().collect(),
            name => self.name(module, name),
        };
        while let Some((segment, after)) = rest.split_first() {
            places = places
                .into_iter()
                .flat_map(|place| self.step(place, segment))
                .collect();
            rest = after;
        }
        places
    }

    fn step(&mut self, place: Place, segment: &str) -> Vec<Place> {
        match place {
            // `use a::b::{self}` imports the module or type b, and no function of that name
            Place::Module(_) | Place::Type(_) if segment == "self" => vec![place],
            Place::Module(module) if segment == "super" => {
                self.parent(module).into_iter().collect()
            }
            Place::Module(module) => self.name(module, segment),
            // a variant or an associated item is part of its type
            Place::Type(file) => vec![Place::Type(file)],
            Place::Value(_) => Vec::new(),
        }
    }

    fn parent(&self, module: ModuleId) -> Option<Place> {
        self.tree.module(module).parent.map(Place::Module)
    }

    fn name(&mut self, id: ModuleId, name: &str) -> Vec<Place> {
        let module = self.tree.module(id);
        match module
            .names
            .get(name)
            .or_else(|| module.in_bodies.get(name))
        {
            Some(names) => names
                .iter()
                .flat_map(|name| self.meaning(id, name))
                .collect(),
            None => module
                .globs
                .iter()
                .flat_map(|glob| self.through(id, glob, name))
                .collect(),
        }
    }

    fn meaning(&mut self, module: ModuleId, name: &Name) -> Vec<Place> {
        match name {
            Name::Module(child) => vec![Place::Module(*child)],
            Name::Type(file) => vec![Place::Type(*file)],
            Name::Value(file) => vec![Place::Value(*file)],
            Name::Import(path) => self.follow(module, path),
        }
    }

    /// A name that `module` may have by `use glob::*`. Variants of an enum are not looked up: the
    /// import itself is an edge to them, and a path does not go on after one.
    fn through(&mut self, module: ModuleId, glob: &[String], name: &str) -> Vec<Place> {
        let mut path = glob.to_vec();
        path.push(name.to_owned());
        let places = self.follow(module, glob);
        let is_module = |place: &Place| matches!(place, Place::Module(_));
        if places.iter().any(is_module) {
            self.follow(module, &path)
        } else {
            Vec::new()
        }
    }

    fn follow(&mut self, module: ModuleId, path: &[String]) -> Vec<Place> {
        let import = (module, path.to_vec());
        if self.under_way.contains(&import) {
            return Vec::new();
        }
        self.under_way.push(import);
        let places = self.path(module, path);
        self.under_way.pop();
        places
    }
}
