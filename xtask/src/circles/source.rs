//! Where the files of a crate are: the rules of the language reference, "Module source filenames".

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// A file, and the folder that the files of its child modules are in.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    folder: PathBuf,
}

impl Source {
    /// A file whose children are its siblings: the root of a crate, or one that an attribute names.
    pub(crate) fn beside_its_children(path: PathBuf) -> Self {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Self { path, folder }
    }

    /// The file of `mod name;`, written inside the inline modules `inline` of this file.
    pub(crate) fn child(&self, inline: &[String], name: &str) -> Result<Self> {
        let folder = self.folder(inline);
        let own = folder.join(name);
        for path in [folder.join(format!("{name}.rs")), own.join("mod.rs")] {
            if path.is_file() {
                return Ok(Self { path, folder: own });
            }
        }
        bail!("no source of `mod {name};` of {}", self.path.display())
    }

    /// The file of `#[path = "path"] mod name;`, which is relative to this file itself, except
    /// inside an inline module.
    pub(crate) fn child_at(&self, inline: &[String], path: &str) -> Self {
        let own = if inline.is_empty() {
            self.path.parent()
        } else {
            None
        };
        let folder = own.map_or_else(|| self.folder(inline), Path::to_owned);
        Self::beside_its_children(folder.join(path))
    }

    fn folder(&self, inline: &[String]) -> PathBuf {
        let mut folder = self.folder.clone();
        folder.extend(inline);
        folder
    }
}
