//! The modules of a crate: which file each is in, which names it has, and which paths it mentions.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A file, by its place in [`Tree`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct FileId(usize);

/// A module, by its place in [`Tree`]. A file has more than one if it has inline modules.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct ModuleId(usize);

/// The modules of one crate. The first is its root.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: Vec<PathBuf>,
    modules: Vec<Module>,
    pub(crate) mentions: Vec<Mention>,
    /// What `impl Type` blocks without a trait define.
    pub(crate) functions: Vec<Function>,
    pub(crate) calls: Vec<Call>,
}

/// An associated function of a type.
#[derive(Debug)]
pub(crate) struct Function {
    /// The module of its `impl` block.
    pub(crate) module: ModuleId,
    /// The type, as that block names it.
    pub(crate) of: Vec<String>,
    pub(crate) name: String,
}

/// `self.name()` or `Self::name()`, in a block of the same type.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) function: Function,
    pub(crate) line: usize,
}

#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) file: FileId,
    pub(crate) parent: Option<ModuleId>,
    pub(crate) names: HashMap<String, Vec<Name>>,
    /// Imports in the bodies of functions. They name less than the module does.
    pub(crate) in_bodies: HashMap<String, Vec<Name>>,
    /// Modules whose names this one imports by `*`.
    pub(crate) globs: Vec<Vec<String>>,
}

/// What a name of a module stands for. One name may stand for a module, a type and a function.
#[derive(Clone, Debug)]
pub(crate) enum Name {
    Module(ModuleId),
    /// A struct, enum, union, trait or alias: a path may go on after it.
    Type(FileId),
    /// A function, constant, static or macro: the end of a path.
    Value(FileId),
    Import(Vec<String>),
}

/// A path as the source has it.
#[derive(Debug)]
pub(crate) struct Mention {
    pub(crate) module: ModuleId,
    pub(crate) line: usize,
    pub(crate) path: Vec<String>,
    pub(crate) kind: MentionKind,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MentionKind {
    /// A leaf of a `use` tree.
    Use,
    /// `use path::*`
    Glob,
    /// A path of more than one segment outside `use`.
    Code,
}

impl Tree {
    pub(crate) const ROOT: ModuleId = ModuleId(0);

    pub(crate) fn add_file(&mut self, path: PathBuf) -> FileId {
        self.files.push(path);
        FileId(self.files.len() - 1)
    }

    pub(crate) fn add_module(&mut self, file: FileId, parent: Option<ModuleId>) -> ModuleId {
        self.modules.push(Module {
            file,
            parent,
            names: HashMap::new(),
            in_bodies: HashMap::new(),
            globs: Vec::new(),
        });
        ModuleId(self.modules.len() - 1)
    }

    pub(crate) fn module(&self, id: ModuleId) -> &Module {
        &self.modules[id.0]
    }

    pub(crate) fn module_mut(&mut self, id: ModuleId) -> &mut Module {
        &mut self.modules[id.0]
    }

    pub(crate) fn path(&self, file: FileId) -> &Path {
        &self.files[file.0]
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = FileId> + use<> {
        (0..self.files.len()).map(FileId)
    }
}

impl Module {
    pub(crate) fn define(&mut self, name: String, meaning: Name) {
        self.names.entry(name).or_default().push(meaning);
    }
}
