//! The container image, written as an OCI image layout without a container engine.
//!
//! The image has one layer: a static binary, the certificate authorities of Mozilla, and the few files
//! by which a C library finds hosts and users. The same inputs give the same bytes: no time, user or
//! path of this machine gets in, and the versions of everything that writes them are locked.
//!
//! Source: OCI image-spec 1.1, "Image Layout", "Image Configuration".

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use self::program::Program;
use self::root::Root;

mod layout;
mod program;
mod root;
#[cfg(test)]
mod tests;

/// Most bytes of the whole layout.
const MOST_BYTES: u64 = 30_000_000;

/// What was asked for.
#[derive(Debug, Default)]
struct Options {
    /// An existing static binary; none to build one.
    binary: Option<PathBuf>,
    /// Certificate authorities in PEM; none for Mozilla's.
    ca_bundle: Option<PathBuf>,
    output: Option<PathBuf>,
    tag: Option<String>,
}

impl Options {
    fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self::default();
        for pair in words.chunks(2) {
            let [name, value] = pair else {
                bail!("{} needs a value", pair.join(" "));
            };
            match *name {
                "--binary" => options.binary = Some(value.into()),
                "--ca-bundle" => options.ca_bundle = Some(value.into()),
                "--output" => options.output = Some(value.into()),
                "--tag" => options.tag = Some((*value).to_owned()),
                other => bail!(
                    "unknown option {other}; known are --binary, --ca-bundle, --output and --tag"
                ),
            }
        }
        Ok(options)
    }
}

/// Writes the image; says where it is, its digest and its size.
pub fn write(root: &Path, words: &[&str]) -> Result<String> {
    let options = Options::parse(words)?;
    let binary = match options.binary {
        Some(path) => path,
        None => program::build(root)?,
    };
    let program = Program::read(&binary)?;
    let authorities = match options.ca_bundle {
        Some(path) => {
            let text = std::fs::read(&path);
            text.with_context(|| format!("reading {}", path.display()))?
        }
        None => root::mozilla(),
    };
    let output = options.output.unwrap_or_else(|| root.join("target/image"));
    let tag = options.tag.unwrap_or(env!("CARGO_PKG_VERSION").to_owned());
    let layer = Root::new(&program, &authorities).layer()?;
    let image = layout::write(&output, &tag, program.architecture, &layer)?;
    ensure!(
        image.bytes <= MOST_BYTES,
        "the image has {} bytes, more than {MOST_BYTES}; make the binary smaller",
        image.bytes
    );
    Ok(format!(
        "oci:{}:{tag}\n{} {} bytes\n",
        output.display(),
        image.digest,
        image.bytes
    ))
}
