//! The real Fulcio with an authority of its own, and a small issuer of identity tokens that it knows.

use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::parts;
use crate::ports::free_port;
use crate::process::Process;
use crate::shell::Shell;

/// How long each may take to start.
const LIMIT: Duration = Duration::from_secs(30);

/// A running Fulcio and its issuer. Dropping it kills both.
#[derive(Debug)]
pub struct Fulcio {
    place: String,
    issuer: String,
    _authority: Process,
    _tokens: Process,
}

impl Fulcio {
    /// Starts both, with their files in a folder.
    pub fn start(folder: &Path) -> Result<Self> {
        let programs = parts::folder()?.join("bin");
        let port = free_port()?;
        let issuer = format!("http://127.0.0.1:{port}");
        let arguments = [port.to_string()];
        let program = programs.join("oidc-issuer");
        let mut tokens = Process::start("oidc-issuer", &program, &arguments, &[], folder)?;
        tokens.wait_until(LIMIT, || TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        let known = json!({ "OIDCIssuers": { issuer.as_str(): {
            "IssuerURL": issuer, "ClientID": "sigstore", "Type": "kubernetes",
        } } });
        let settings = folder.join("fulcio.json");
        std::fs::write(&settings, known.to_string())?;
        let port = free_port()?;
        let arguments = [port.to_string(), settings.display().to_string()];
        let program = programs.join("fulcio");
        let mut fulcio = Process::start("fulcio", &program, &arguments, &[], folder)?;
        fulcio.wait_until(LIMIT, || TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        Ok(Self {
            place: format!("http://127.0.0.1:{port}"),
            issuer,
            _authority: fulcio,
            _tokens: tokens,
        })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.place
    }

    /// Its certificates, PEM: the root last.
    pub fn chain(&self, shell: &Shell) -> Result<String> {
        let place = &self.place;
        let bundle = shell.ok(&format!(
            "curl --noproxy '*' --silent --fail {place}/api/v2/trustBundle"
        ))?;
        let bundle: Value = serde_json::from_str(&bundle)?;
        let chain = bundle["chains"][0]["certificates"].as_array();
        let chain = chain.context("Fulcio gives no chain")?;
        let chain: Vec<&str> = chain.iter().filter_map(Value::as_str).collect();
        ensure!(!chain.is_empty(), "Fulcio gives no root");
        Ok(chain.concat())
    }

    /// The issuer of the tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// An identity token for a service account.
    pub fn token(&self, shell: &Shell, namespace: &str, account: &str) -> Result<String> {
        let address = format!("{}/token/{namespace}/{account}", self.issuer);
        let line = format!("curl --noproxy '*' --silent --show-error --fail {address}");
        let token = shell.ok(&line).context("no identity token")?;
        Ok(token.trim().to_owned())
    }
}
