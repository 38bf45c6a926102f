//! Which programs are run as plugins, and with what environment.
//!
//! The controller runs none unless its operator names a folder for it when it is started: whoever may
//! write a ConfigMap chooses among the programs of that folder and brings in no other. On the command
//! line the first of the name in `PATH` is run, as by cosign: whoever can put a program there can put
//! another `windlass` there as well.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::KmsError;
use super::reference::plugin::PluginKey;
use crate::environment::variable;
use crate::local_file::is_own;

/// Names the folder of the plugins.
pub(crate) const FOLDER: &str = "WINDLASS_KMS_PLUGIN_DIR";
/// Names the variables that plugins of the controller get.
pub(crate) const VARIABLES: &str = "WINDLASS_KMS_PLUGIN_ENV";

/// What plugins of PKCS#11 read: the PIN, as cosign names it, and the libraries that may be loaded.
const PIN: &str = "COSIGN_PKCS11_PIN";
const MODULES: &str = "SIGSTORE_KMS_PKCS11_MODULES";
/// The password of a key file, which is no business of a plugin.
const PASSWORD: &str = "COSIGN_PASSWORD";

/// How long a plugin of the controller may take for one thing.
const PATIENCE: Duration = Duration::from_secs(15);
/// The same on the command line, where a person may have to touch a token.
const PERSON: Duration = Duration::from_secs(120);
/// Rights to write of others than the owner.
const WRITABLE: u32 = 0o022;
const EXECUTABLE: u32 = 0o111;
const ROOT: u32 = 0;

/// Which programs are run as plugins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Plugins {
    /// None.
    #[default]
    Off,
    /// Those of a folder, with these variables and no others.
    OfController {
        /// The folder.
        folder: PathBuf,
        /// Names of variables.
        variables: Vec<String>,
    },
    /// Those of a folder if there is one, else those in `PATH`, with the environment of the user.
    OfCommand {
        /// The folder.
        folder: Option<PathBuf>,
    },
}

/// A program that is run as a plugin.
#[derive(Debug)]
pub(super) struct Program {
    /// The file.
    pub(super) path: PathBuf,
    /// Its name in the folder, if that is a link.
    pub(super) name: PathBuf,
    /// The whole environment.
    pub(super) environment: Vec<(OsString, OsString)>,
    /// How long it may take for one thing.
    pub(super) patience: Duration,
    /// Whether what it prints for people goes to the terminal of the one who started it.
    pub(super) is_heard: bool,
}

impl Plugins {
    /// What a command runs.
    pub(crate) fn of_command() -> Self {
        Self::OfCommand {
            folder: variable(FOLDER).map(PathBuf::from),
        }
    }

    /// The program of a key.
    pub(super) fn find(&self, key: &PluginKey) -> Result<Program, KmsError> {
        let file = format!("sigstore-kms-{}", key.name);
        match self {
            Self::Off => Err(KmsError::Settings(format!(
                "its key is the plugin's {file}, and plugins are off; start the controller with \
                 --kms-plugin-dir FOLDER, the folder that the plugin is in"
            ))),
            Self::OfController { folder, variables } => {
                let (path, name) = allowed(folder, &file)?;
                let listed = variables.iter().filter_map(|name| {
                    let value = std::env::var_os(name)?;
                    Some((OsString::from(name), value))
                });
                Ok(Program {
                    path,
                    name,
                    environment: listed.chain(pin(key)).collect(),
                    patience: PATIENCE,
                    is_heard: false,
                })
            }
            Self::OfCommand { folder } => {
                let (path, name) = match folder {
                    Some(folder) => allowed(folder, &file)?,
                    None => searched(&file).map(|path| (path.clone(), path))?,
                };
                let own = std::env::vars_os().filter(|(name, _)| name != PASSWORD);
                // whoever types the name of a library means it
                let module = key.module().map(|path| (MODULES.into(), path.into()));
                Ok(Program {
                    path,
                    name,
                    environment: own.chain(pin(key)).chain(module).collect(),
                    patience: PERSON,
                    is_heard: true,
                })
            }
        }
    }
}

fn pin(key: &PluginKey) -> Option<(OsString, OsString)> {
    key.pin().map(|pin| (PIN.into(), pin.expose().into()))
}

/// A file of the folder that nobody else may have put there or changed, and its name there.
fn allowed(folder: &Path, file: &str) -> Result<(PathBuf, PathBuf), KmsError> {
    if !folder.is_absolute() {
        return Err(KmsError::Settings(format!(
            "the folder of plugins, {}, is not absolute; write a path that begins with /",
            folder.display()
        )));
    }
    let name = folder.join(file);
    let real = |path: &Path| fs::canonicalize(path).map_err(|error| unreadable(path, &error));
    let (folder, path) = (real(folder)?, real(&name)?);
    if !path.starts_with(&folder) {
        return Err(KmsError::Settings(format!(
            "the plugin {} is a link to a file outside of its folder; put the file there",
            name.display()
        )));
    }
    let parents = path.ancestors().skip(1);
    let parents = parents.take_while(|parent| parent.starts_with(&folder));
    for part in parents.chain([path.as_path()]) {
        let found = fs::metadata(part).map_err(|error| unreadable(part, &error))?;
        if is_open_to_others(&found) {
            return Err(KmsError::Settings(format!(
                "the plugin {} is not run: user {} owns {}, of mode {:o}; have root or the user of \
                 windlass own it, and nobody else write to it",
                name.display(),
                found.uid(),
                part.display(),
                found.mode() & 0o7777
            )));
        }
    }
    if !is_program(&path) {
        return Err(KmsError::Settings(format!(
            "the plugin {} is no program; make it an executable file",
            name.display()
        )));
    }
    Ok((path, name))
}

fn is_open_to_others(found: &Metadata) -> bool {
    let is_trusted = found.uid() == ROOT || is_own(found.uid());
    !is_trusted || found.mode() & WRITABLE != 0
}

fn is_program(path: &Path) -> bool {
    let found = fs::metadata(path);
    found.is_ok_and(|found| found.is_file() && found.permissions().mode() & EXECUTABLE != 0)
}

fn unreadable(path: &Path, error: &io::Error) -> KmsError {
    if error.kind() == io::ErrorKind::NotFound {
        return KmsError::Missing {
            what: format!("the plugin {}", path.display()),
            remedy: "install it there, or name another folder",
        };
    }
    KmsError::Settings(format!(
        "the plugin {} cannot be looked at: {}",
        path.display(),
        error.kind()
    ))
}

/// The first of this name in `PATH`. As in Go's `LookPath`, what is relative to the current folder does
/// not count.
fn searched(file: &str) -> Result<PathBuf, KmsError> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let mut found = std::env::split_paths(&folders)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(file))
        .filter(|path| is_program(path));
    found.next().ok_or_else(|| KmsError::Missing {
        what: format!("the plugin {file}"),
        remedy: "install it in a folder of PATH, or correct the scheme of the key reference",
    })
}
