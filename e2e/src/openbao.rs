//! OpenBao in development mode, with the engine transit.

use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::parts;
use crate::ports::free_ports;
use crate::process::Process;
use crate::shell::Shell;

/// The token that may do everything.
const ROOT: &str = "the-root-token";
/// What a controller may do.
const POLICY: &str = r#"
path "transit/keys/*" { capabilities = ["read"] }
path "transit/sign/*" { capabilities = ["update"] }
"#;
/// How long it may take to start.
const LIMIT: Duration = Duration::from_secs(30);

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub struct OpenBao {
    address: String,
    _process: Process,
}

impl OpenBao {
    /// The keys of [`OpenBao::set_up`] by their names, and of what kind they are.
    pub const KEYS: [(&str, &str); 4] = [
        ("p256", "ecdsa-p256"),
        ("p384", "ecdsa-p384"),
        ("ed25519", "ed25519"),
        ("rsa", "rsa-2048"),
    ];

    /// The engine, a key of each kind, and a token for a controller, by a shell that is logged in.
    pub fn set_up(&self, shell: &Shell) -> Result<String> {
        shell.ok("bao secrets enable transit")?;
        for (name, kind) in Self::KEYS {
            shell.ok(&format!("bao write -f transit/keys/{name} type={kind}"))?;
        }
        shell.write("windlass.hcl", POLICY)?;
        shell.ok("bao policy write windlass windlass.hcl")?;
        let token = "bao token create -policy=windlass -period=1h -field=token";
        Ok(shell.ok(token)?.trim().to_owned())
    }

    /// Starts a server, with its files in a folder.
    pub fn start(folder: &Path) -> Result<Self> {
        // it listens for other servers of a cluster on the port after its own
        let place = format!("127.0.0.1:{}", free_ports(2)?);
        let arguments = [
            "server".to_owned(),
            "-dev".to_owned(),
            "-dev-no-store-token".to_owned(),
            format!("-dev-root-token-id={ROOT}"),
            format!("-dev-listen-address={place}"),
        ];
        let program = parts::folder()?.join("bin/bao");
        let mut process = Process::start("openbao", &program, &arguments, &[], folder)?;
        process.wait_until(LIMIT, || TcpStream::connect(&place).is_ok())?;
        Ok(Self {
            address: format!("http://{place}"),
            _process: process,
        })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A shell that is logged in and may do everything: for `bao`, `cosign` and `windlass`.
    pub fn shell(&self, shell: &Shell) -> Shell {
        self.shell_with(shell, ROOT)
    }

    /// A shell that is logged in with this token.
    pub fn shell_with(&self, shell: &Shell, token: &str) -> Shell {
        let mut logged_in = shell.clone();
        for product in ["VAULT", "BAO"] {
            logged_in = logged_in
                .with(&format!("{product}_ADDR"), &self.address)
                .with(&format!("{product}_TOKEN"), token);
        }
        logged_in
    }
}
