//! The real Rekor of version 1 on Trillian and `MariaDB`, each started for the scenario.

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
const LIMIT: Duration = Duration::from_secs(60);
/// What the log calls itself in its checkpoints.
const ORIGIN: &str = "rekor.local";

/// A running Rekor of version 1 with an empty log. Dropping it kills it and what it stands on.
#[derive(Debug)]
pub struct RekorV1 {
    place: String,
    key: String,
    trusted: Value,
    // in the order in which they end
    _processes: [Process; 3],
}

impl RekorV1 {
    /// Starts one with its files in a folder of the shell. Its public key is in `log.pub` there.
    pub fn start(shell: &Shell) -> Result<Self> {
        let programs = parts::folder()?.join("bin");
        let (tables, trees, port) = (free_port()?, free_port()?, free_port()?);
        let mariadb = mariadb(shell, tables)?;
        let start = |name: &str, ports: [u16; 2], more: &[String]| {
            let ports_as_text = ports.map(|port| port.to_string());
            let arguments = [&ports_as_text, more].concat();
            let program = programs.join(name);
            let mut process = Process::start(name, &program, &arguments, &[], shell.folder())?;
            process.wait_until(LIMIT, || opens(ports[0]))?;
            anyhow::Ok(process)
        };
        let trillian = start("trillian", [trees, tables], &[])?;
        shell.ok(
            "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out rekor-1.pem",
        )?;
        let key = shell.folder().join("rekor-1.pem").display().to_string();
        let rekor = start("rekor-1", [port, trees], &[ORIGIN.to_owned(), key])?;
        let place = format!("http://127.0.0.1:{port}");
        let key = shell.ok(&format!(
            "curl --noproxy '*' --silent --fail {place}/api/v1/log/publicKey"
        ))?;
        Ok(Self {
            trusted: trusted_root::log_of_version_1(shell, "log", (&place, &key))?,
            place,
            key,
            _processes: [rekor, trillian, mariadb],
        })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.place
    }

    /// The public key, PEM, as the log gives it.
    pub fn public_key(&self) -> &str {
        &self.key
    }

    /// It as one of `tlogs` of a trusted root.
    pub fn trusted(&self) -> Value {
        self.trusted.clone()
    }

    /// How many entries it has.
    pub fn entries(&self, shell: &Shell) -> Result<u64> {
        let line = format!(
            "curl --noproxy '*' --silent --fail {}/api/v1/log",
            self.place
        );
        let state: Value = serde_json::from_str(&shell.ok(&line)?)?;
        state["treeSize"].as_u64().context("no size of the log")
    }
}

/// A server with no tables at all, which everybody on this machine may use.
fn mariadb(shell: &Shell, port: u16) -> Result<Process> {
    let parts = parts::folder()?.join("mariadb");
    let files = shell.folder().join("mariadb");
    std::fs::create_dir_all(&files)?;
    let path = |name: &str| files.join(name).display().to_string();
    let share = parts.join("share");
    let arguments = [
        "--no-defaults".to_owned(),
        "--user=root".to_owned(),
        "--skip-grant-tables".to_owned(),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--port={port}"),
        format!("--datadir={}", files.display()),
        // its name may not be long, and the folder's may be
        "--socket=sock".to_owned(),
        format!("--pid-file={}", path("pid")),
        format!("--lc-messages-dir={}", share.display()),
        format!("--character-sets-dir={}", share.join("charsets").display()),
        // small, and not meant to survive a power cut
        "--innodb-buffer-pool-size=32M".to_owned(),
        "--innodb-log-file-size=8M".to_owned(),
        "--innodb-flush-log-at-trx-commit=0".to_owned(),
    ];
    let libraries = parts.display().to_string();
    let variables = [("LD_LIBRARY_PATH", libraries.as_str())];
    let program = parts.join("mariadbd");
    let mut process = Process::start("mariadb", &program, &arguments, &variables, shell.folder())?;
    process.wait_until(LIMIT, || opens(port))?;
    Ok(process)
}

fn opens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}
