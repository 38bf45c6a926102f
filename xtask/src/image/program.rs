//! The program of the image: built, or read from a file and checked.
//!
//! The image has no libraries and no loader, so a program that needs one is refused here, where the
//! reason can be told, and not by the kernel of a node with "no such file".

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// Program header of a path to a loader (ELF, `PT_INTERP`).
const INTERPRETER: u64 = 3;

/// A static program for Linux.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) bytes: Vec<u8>,
    /// Its architecture, as OCI names it.
    pub(super) architecture: &'static str,
}

impl Program {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let architecture = check(&bytes).with_context(|| format!("using {}", path.display()))?;
        Ok(Self {
            bytes,
            architecture,
        })
    }
}

/// Builds the release binary for the image: static, and without the built-in cluster.
pub(super) fn build(root: &Path) -> Result<PathBuf> {
    let target = format!("{}-unknown-linux-gnu", env::consts::ARCH);
    let mut flags = "-C target-feature=+crt-static".to_owned();
    let home = env::var("CARGO_HOME").or_else(|_| env::var("HOME").map(|home| home + "/.cargo"));
    for (path, name) in [
        (Ok(root.display().to_string()), "/windlass"),
        (home, "/cargo"),
    ] {
        if let Ok(path) = path {
            flags.extend([" --remap-path-prefix=", &path, "=", name]);
        }
    }
    let folder = match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => root.join("target"),
    };
    let cargo = env::var_os("CARGO").unwrap_or("cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--locked", "--package", "windlass"])
        .args([
            "--no-default-features",
            "--features",
            "opentelemetry,sigstore",
        ])
        .args(["--target", &target, "--target-dir"])
        .arg(&folder)
        .env("RUSTFLAGS", flags)
        .current_dir(root)
        .status()
        .context("starting cargo")?;
    ensure!(built.success(), "building the static binary: {built}");
    Ok(folder.join(target).join("release/windlass"))
}

/// Checks that this is a static program of 64 bits, and gives its architecture.
///
/// Source: System V ABI, "ELF Header" and "Program Header".
fn check(bytes: &[u8]) -> Result<&'static str> {
    ensure!(
        bytes.starts_with(b"\x7fELF\x02\x01"),
        "it is no program for Linux on 64 bits"
    );
    let architecture = match number(bytes, 18, 2)? {
        62 => "amd64",
        183 => "arm64",
        other => bail!("it is for machine {other}; known are x86-64 and AArch64"),
    };
    let (start, size) = (number(bytes, 32, 8)?, number(bytes, 54, 2)?);
    for index in 0..number(bytes, 56, 2)? {
        let header = index
            .checked_mul(size)
            .and_then(|offset| offset.checked_add(start))
            .context("a program header lies outside it")?;
        ensure!(
            number(bytes, header, 4)? != INTERPRETER,
            "it is linked dynamically, and the image has no libraries; build it with \
             RUSTFLAGS='-C target-feature=+crt-static'"
        );
    }
    Ok(architecture)
}

/// The little-endian number of this many bytes at this place.
fn number(bytes: &[u8], at: u64, length: usize) -> Result<u64> {
    let field = usize::try_from(at).ok().and_then(|at| {
        let end = at.checked_add(length)?;
        bytes.get(at..end)
    });
    let field = field.context("it is cut off")?;
    Ok(field
        .iter()
        .rev()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}
