//! A real registry: Debian's `docker-registry` on loopback, which asks for name and password and
//! keeps no list of referrers.

use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::parts;
use crate::process::Process;
use crate::real::free_port;

/// The only user, who may do everything.
const USER: &str = "robot";
/// The user's password.
const PASSWORD: &str = "wine-dark";
/// bcrypt of the password, as `htpasswd -B` writes it.
const HASHED: &str = "$2b$05$abcdefghijklmnopqrstuuSzKTvqkL.ay2eju9MTjtr1LRiu/SBvm";
/// Bound on its start.
const START_LIMIT: Duration = Duration::from_secs(30);

/// The registry. Its files go with the folder it was given.
#[derive(Debug)]
pub struct Registry {
    port: u16,
    _process: Process,
}

impl Registry {
    /// The password, which must not be seen anywhere.
    pub const PASSWORD: &str = PASSWORD;

    /// Starts it with its files under `folder`, and waits until it listens.
    pub fn start(folder: &Path) -> Result<Self> {
        let port = free_port()?;
        std::fs::create_dir_all(folder)?;
        let users = folder.join("htpasswd");
        std::fs::write(&users, format!("{USER}:{HASHED}\n"))?;
        let config = folder.join("config.json");
        // YAML, of which JSON is a part
        let settings = json!({
            "version": 0.1,
            "log": { "accesslog": { "disabled": true }, "level": "warn" },
            "storage": { "filesystem": { "rootdirectory": folder.join("content") } },
            "http": { "addr": format!("127.0.0.1:{port}") },
            "auth": { "htpasswd": { "realm": "windlass-e2e", "path": users } },
        });
        std::fs::write(&config, settings.to_string())?;
        let program = parts::folder()?.join("bin/docker-registry");
        let arguments = ["serve".to_owned(), config.display().to_string()];
        let mut process = Process::start("docker-registry", &program, &arguments, &[], folder)?;
        process.wait_until(START_LIMIT, || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        })?;
        Ok(Self {
            port,
            _process: process,
        })
    }

    /// Host and port.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A Docker configuration with the user's credential for a registry, or for a path in it.
    pub fn docker_config(&self, path: &str) -> String {
        let credential = STANDARD.encode(format!("{USER}:{PASSWORD}"));
        let key = format!("{}{path}", self.host());
        json!({ "auths": { key: { "auth": credential } } }).to_string()
    }
}
