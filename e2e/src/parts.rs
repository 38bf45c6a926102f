//! The real programs that scenarios use, as `e2e/parts.sh` installs them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, bail};

/// Which cosign a scenario types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cosign {
    /// Release 2.5.
    Two,
    /// Release 3.1.
    Three,
}

impl Cosign {
    /// Both releases, for scenarios that must hold with each.
    pub const BOTH: [Self; 2] = [Self::Two, Self::Three];

    /// The flags that the guide's notes add to a verification, with a trailing space.
    pub fn verify_flags(self) -> &'static str {
        match self {
            Self::Two => "--insecure-ignore-tlog=true ",
            Self::Three => "--insecure-ignore-tlog=true --new-bundle-format=false ",
        }
    }

    /// The flags of a detached signature that goes into no transparency log, with a trailing space.
    pub fn sign_flags(self) -> &'static str {
        match self {
            Self::Two => "--yes --tlog-upload=false ",
            Self::Three => {
                "--yes --use-signing-config=false --tlog-upload=false --new-bundle-format=false "
            }
        }
    }

    /// The folder under the parts that holds this release.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Two => "cosign-2",
            Self::Three => "cosign-3",
        }
    }
}

/// The folder with the real programs, installed on first use.
pub(crate) fn folder() -> Result<&'static Path> {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    FOLDER
        .get_or_init(|| install().map_err(|error| format!("{error:#}")))
        .as_deref()
        .map_err(|error| anyhow!("the real parts are missing: {error}"))
}

/// The windlass binary under test: `$WINDLASS_BIN`, else `target/release/windlass`.
pub(crate) fn windlass() -> Result<PathBuf> {
    let path = match std::env::var_os("WINDLASS_BIN") {
        Some(path) => PathBuf::from(path),
        None => workspace()?.join("target/release/windlass"),
    };
    path.canonicalize().with_context(|| {
        format!(
            "no windlass at {}; run `cargo build --release` or set WINDLASS_BIN",
            path.display()
        )
    })
}

/// The folder of the workspace.
pub(crate) fn workspace() -> Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("e2e lies outside a workspace")
}

fn install() -> Result<PathBuf> {
    let workspace = workspace()?;
    let output = Command::new(workspace.join("e2e/parts.sh"))
        .arg("all")
        .output()
        .context("cannot run e2e/parts.sh")?;
    if !output.status.success() {
        bail!(
            "e2e/parts.sh: {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    match std::env::var_os("WINDLASS_E2E_CACHE") {
        Some(folder) => PathBuf::from(folder)
            .canonicalize()
            .context("WINDLASS_E2E_CACHE"),
        None => Ok(workspace.join("target/e2e-parts")),
    }
}
