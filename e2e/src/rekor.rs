//! The real Rekor of version 2 and the real timestamp authority of sigstore, with keys of their own.

use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::parts;
use crate::ports::free_port;
use crate::process::Process;
use crate::shell::Shell;
use crate::trusted_root;

/// How long each may take to start.
const LIMIT: Duration = Duration::from_secs(30);
/// What a log is called that is alone.
const NAME: &str = "rekor";

/// A running Rekor of version 2. Dropping it kills it.
#[derive(Debug)]
pub struct RekorV2 {
    place: String,
    /// What it calls itself.
    origin: String,
    /// The public key, PEM.
    key: String,
    /// How trusted roots name the log, and its key in DER; base64.
    id: String,
    der: String,
    _process: Process,
}

impl RekorV2 {
    /// Starts one with its files in a folder of the shell.
    pub fn start(shell: &Shell) -> Result<Self> {
        Self::start_as(shell, NAME)
    }

    /// The same for one of several, which calls itself `NAME.local`.
    pub fn start_as(shell: &Shell, name: &str) -> Result<Self> {
        let origin = format!("{name}.local");
        shell.ok(&format!(
            "openssl genpkey -algorithm ed25519 -out {name}.pem"
        ))?;
        let public = format!("openssl pkey -in {name}.pem -pubout");
        let key = shell.ok(&public)?;
        let der = shell.ok(&format!("{public} -outform DER | base64 -w0"))?;
        let id = shell.ok(&format!(
            "{{ printf '{origin}\\n\\001'; {public} -outform DER | tail -c 32; }} | \
             openssl dgst -sha256 -binary | base64 -w0"
        ))?;
        let folder = shell.folder();
        let files = folder.join(name);
        std::fs::create_dir_all(&files)?;
        let ports = [free_port()?, free_port()?, free_port()?, free_port()?];
        let mut arguments: Vec<String> = ports.iter().map(ToString::to_string).collect();
        arguments.push(origin.clone());
        let signer = folder.join(format!("{name}.pem"));
        arguments.push(signer.display().to_string());
        arguments.push(files.display().to_string());
        let program = parts::folder()?.join("bin/rekor");
        let mut process = Process::start("rekor", &program, &arguments, &[], folder)?;
        let opens = |port: u16| TcpStream::connect(("127.0.0.1", port)).is_ok();
        process.wait_until(LIMIT, || ports[..3].iter().all(|port| opens(*port)))?;
        Ok(Self {
            place: format!("http://127.0.0.1:{}", ports[0]),
            origin,
            key,
            id: id.trim().to_owned(),
            der: der.trim().to_owned(),
            _process: process,
        })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.place
    }

    /// The public key, PEM.
    pub fn public_key(&self) -> &str {
        &self.key
    }

    /// What it calls itself.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many entries are in its newest checkpoint.
    pub fn entries(&self, shell: &Shell) -> Result<u64> {
        let line = format!(
            "curl --noproxy '*' --silent --fail {}/api/v2/checkpoint",
            self.place
        );
        let checkpoint = shell.ok(&line)?;
        let size = checkpoint.lines().nth(1).context("no checkpoint")?;
        Ok(size.parse()?)
    }

    /// It as one of `tlogs` of a trusted root.
    pub fn trusted(&self) -> Value {
        let key = (self.der.as_str(), "PKIX_ED25519");
        trusted_root::log(&format!("https://{}", self.origin), key, &self.id)
    }
}

/// A running timestamp authority. Dropping it kills it.
#[derive(Debug)]
pub struct Timestamps {
    place: String,
    chain: String,
    _process: Process,
}

impl Timestamps {
    /// Starts one with a key and certificates of its own.
    pub fn start(shell: &Shell) -> Result<Self> {
        let port = free_port()?;
        let program = parts::folder()?.join("bin/timestamps");
        let arguments = [port.to_string()];
        let mut process = Process::start("timestamps", &program, &arguments, &[], shell.folder())?;
        process.wait_until(LIMIT, || TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        let place = format!("http://127.0.0.1:{port}/api/v1/timestamp");
        let get = format!("curl --noproxy '*' --silent --fail {place}/certchain");
        Ok(Self {
            chain: shell.ok(&get)?,
            place,
            _process: process,
        })
    }

    /// Where timestamps are asked for.
    pub fn address(&self) -> &str {
        &self.place
    }

    /// Its certificates, PEM.
    pub fn chain(&self) -> &str {
        &self.chain
    }

    /// It as one of `timestampAuthorities` of a trusted root.
    pub fn trusted(&self) -> Value {
        trusted_root::authority(&self.place, &self.chain)
    }
}
