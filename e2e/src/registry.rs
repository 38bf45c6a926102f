//! Real registries on loopback: Debian's `docker-registry`, and go-containerregistry's.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::parts;
use crate::ports::free_port;
use crate::process::Process;
use crate::tokens::{self, TokenServer, User};

/// The user who may do everything.
const USER: &str = "robot";
/// The user's password.
const PASSWORD: &str = "wine-dark";
/// bcrypt of the password, as `htpasswd -B` writes it.
const HASHED: &str = "$2b$05$abcdefghijklmnopqrstuuSzKTvqkL.ay2eju9MTjtr1LRiu/SBvm";
/// The user who may pull, where rights are told apart.
const PULLER: User = User {
    name: "reader",
    password: "rosy-fingered",
    may_push: false,
};
/// Bound on its start.
const START_LIMIT: Duration = Duration::from_secs(30);

/// The registry. Its files go with the folder it was given.
#[derive(Debug)]
pub struct Registry {
    port: u16,
    folder: PathBuf,
    _process: Process,
}

impl Registry {
    /// The passwords, which must not be seen anywhere.
    pub const PASSWORDS: [&str; 2] = [PASSWORD, PULLER.password];

    /// Starts Debian's registry with its files under `folder`: it asks for a name and a password
    /// with each request and keeps no list of referrers.
    pub fn start(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let users = folder.join("htpasswd");
        std::fs::write(&users, format!("{USER}:{HASHED}\n"))?;
        let auth = json!({ "htpasswd": { "realm": "windlass-e2e", "path": users } });
        Self::serve(folder, &auth)
    }

    /// The same with tokens from a server of their own, which tells who may pull and who may push.
    pub fn start_with_tokens(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let user = User {
            name: USER,
            password: PASSWORD,
            may_push: true,
        };
        let tokens = TokenServer::start(folder, &[user, PULLER])?;
        let auth = json!({ "token": {
            "realm": tokens.realm,
            "service": tokens::SERVICE,
            "issuer": tokens::SERVICE,
            "rootcertbundle": tokens.certificate,
        }});
        Self::serve(folder, &auth)
    }

    fn serve(folder: &Path, auth: &Value) -> Result<Self> {
        let port = free_port()?;
        let config = folder.join("config.json");
        // YAML, of which JSON is a part
        let settings = json!({
            "version": 0.1,
            "log": { "accesslog": { "disabled": true }, "level": "warn" },
            "storage": { "filesystem": { "rootdirectory": folder.join("content") } },
            "http": { "addr": format!("127.0.0.1:{port}") },
            "auth": auth,
        });
        std::fs::write(&config, settings.to_string())?;
        let arguments = ["serve".to_owned(), config.display().to_string()];
        Self::run("docker-registry", &arguments, port, folder)
    }

    /// Starts go-containerregistry's registry, which lists referrers and asks nobody for a password.
    pub fn start_with_referrers(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let port = free_port()?;
        let arguments = [format!("127.0.0.1:{port}")];
        Self::run("referrers-registry", &arguments, port, folder)
    }

    fn run(program: &str, arguments: &[String], port: u16, folder: &Path) -> Result<Self> {
        let path = parts::folder()?.join("bin").join(program);
        let mut process = Process::start(program, &path, arguments, &[], folder)?;
        process.wait_until(START_LIMIT, || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        })?;
        Ok(Self {
            port,
            folder: folder.to_owned(),
            _process: process,
        })
    }

    /// Host and port.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A Docker configuration with the credential of the user who may push, for the registry or for
    /// a path in it.
    pub fn docker_config(&self, path: &str) -> String {
        self.config(path, USER, PASSWORD)
    }

    /// The same for a registry that is reached at another host and port.
    pub fn docker_config_at(&self, host: &str) -> String {
        let credential = STANDARD.encode(format!("{USER}:{PASSWORD}"));
        json!({ "auths": { host: { "auth": credential } } }).to_string()
    }

    /// The manifest under a tag, as Debian's registry has stored it.
    pub fn manifest(&self, repository: &str, tag: &str) -> Result<Value> {
        let repositories = self.folder.join("content/docker/registry/v2/repositories");
        let link = repositories
            .join(repository)
            .join("_manifests/tags")
            .join(tag)
            .join("current/link");
        let digest = std::fs::read_to_string(&link)
            .with_context(|| format!("cannot read {}", link.display()))?;
        Ok(serde_json::from_slice(&self.blob(&digest)?)?)
    }

    /// The content of a digest, as Debian's registry has stored it.
    pub fn blob(&self, digest: &str) -> Result<Vec<u8>> {
        let hex = digest.strip_prefix("sha256:").context("another digest")?;
        let blobs = self.folder.join("content/docker/registry/v2/blobs/sha256");
        let path = blobs
            .join(hex.get(..2).context("a short digest")?)
            .join(hex)
            .join("data");
        std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// A Docker configuration with a credential that may only pull.
    pub fn pull_only(&self) -> String {
        self.config("", PULLER.name, PULLER.password)
    }

    fn config(&self, path: &str, user: &str, password: &str) -> String {
        let credential = STANDARD.encode(format!("{user}:{password}"));
        let key = format!("{}{path}", self.host());
        json!({ "auths": { key: { "auth": credential } } }).to_string()
    }
}
