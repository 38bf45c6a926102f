//! A token of `SoftHSM`, and the plugin that signs with its keys.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::parts;
use crate::shell::Shell;

/// The plugin, which is built beside windlass.
const PLUGIN: &str = "sigstore-kms-pkcs11";
/// What opens the token.
const PIN: &str = "planted-pin-4711";

/// A token. Its files go with the folder that it is in.
#[derive(Debug)]
pub struct SoftHsm {
    folder: PathBuf,
    library: PathBuf,
}

impl SoftHsm {
    /// The label of the token.
    pub const TOKEN: &str = "release";

    /// Makes a token in a folder, with a folder of plugins and a file with the PIN.
    pub fn new(shell: &Shell) -> Result<Self> {
        let folder = shell.folder().join("softhsm");
        for part in ["tokens", "plugins"] {
            std::fs::create_dir_all(folder.join(part))?;
        }
        let conf = format!(
            "directories.tokendir = {}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n",
            folder.display()
        );
        std::fs::write(folder.join("conf"), conf)?;
        std::fs::write(folder.join("pin"), format!("{PIN}\n"))?;
        let plugin = parts::windlass()?.with_file_name(PLUGIN);
        let copy = folder.join("plugins").join(PLUGIN);
        std::fs::copy(&plugin, &copy)
            .with_context(|| format!("no {}; run `cargo build --release`", plugin.display()))?;
        // cosign takes `pkcs11:` for itself
        symlink(PLUGIN, folder.join("plugins/sigstore-kms-hsm"))?;
        let library = parts::folder()?.join("softhsm/libsofthsm2.so");
        let token = Self { folder, library };
        let util = parts::folder()?.join("softhsm/softhsm2-util");
        token.shell(shell).ok(&format!(
            "{} --module {} --init-token --free --label {} --so-pin of-an-officer --pin {PIN}",
            util.display(),
            token.library.display(),
            Self::TOKEN
        ))?;
        Ok(token)
    }

    /// The folder of the plugins.
    pub fn plugins(&self) -> PathBuf {
        self.folder.join("plugins")
    }

    /// The file with the PIN.
    pub fn pin_file(&self) -> PathBuf {
        self.folder.join("pin")
    }

    /// The PIN, for who looks for it where it must not be.
    pub fn pin(&self) -> &'static str {
        PIN
    }

    /// What the plugin reads, without the PIN.
    pub fn variables(&self) -> Vec<(String, String)> {
        let text = |path: &Path| path.display().to_string();
        [
            ("SOFTHSM2_CONF", text(&self.folder.join("conf"))),
            ("COSIGN_PKCS11_MODULE_PATH", text(&self.library)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// A shell whose programs find the plugin and may use the token.
    pub fn shell(&self, shell: &Shell) -> Shell {
        let with = |shell: Shell, (name, value): &(String, String)| shell.with(name, value);
        let shell = self.variables().iter().fold(shell.clone(), with);
        shell
            .with_programs(&self.plugins())
            .with("COSIGN_PKCS11_PIN", PIN)
    }

    /// Makes a key of an algorithm, by its name in the protocol of plugins.
    pub fn create_key(&self, shell: &Shell, label: &str, algorithm: &str) -> Result<()> {
        let resource = format!("token={};object={label}", Self::TOKEN);
        let arguments = serde_json::json!({
            "initOptions": {
                "protocolVersion": "v1", "keyResourceID": resource, "hashFunc": 5, "rpcOptions": {},
            },
            "methodName": "createKey", "createKey": { "algorithm": algorithm },
        });
        shell.ok(&format!("{PLUGIN} v1 '{arguments}'")).map(drop)
    }
}
