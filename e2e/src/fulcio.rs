//! The real Fulcio with an authority of its own, a real log of certificates that takes what it issues, and a
//! small issuer of identity tokens that it knows.

use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::parts;
use crate::ports::free_port;
use crate::process::Process;
use crate::shell::Shell;
use crate::trusted_root::{self, Certifying};

/// How long each may take to start.
const LIMIT: Duration = Duration::from_secs(30);

/// A running Fulcio, its log and its issuer. Dropping it kills them.
#[derive(Debug)]
pub struct Fulcio {
    place: String,
    issuer: String,
    chain: String,
    /// The public key of the log, PEM, and the log as trusted roots have it.
    log_key: String,
    log: Value,
    _processes: [Process; 3],
}

impl Fulcio {
    /// What certificates name the service account that scenarios sign by hand as.
    pub const ROBOT: &str = "https://kubernetes.io/namespaces/build/serviceaccounts/robot";
    /// What they name the controller where it asks for a token by itself.
    pub const CONTROLLER: &str =
        "https://kubernetes.io/namespaces/tekton-chains/serviceaccounts/tekton-chains-controller";

    /// Starts them, with their files in the folder of a shell. The public key of the log is in
    /// `certificates.pub` there, the certificates of the authority in `authority.pem`.
    pub fn start(shell: &Shell) -> Result<Self> {
        let port = free_port()?;
        let issuer = format!("http://127.0.0.1:{port}");
        let tokens = start(shell, "oidc-issuer", port, &[])?;
        let known = json!({ "OIDCIssuers": { issuer.as_str(): {
            "IssuerURL": issuer, "ClientID": "sigstore", "Type": "kubernetes",
        } } });
        shell.write("fulcio.json", known.to_string())?;
        let (port, log_port) = (free_port()?, free_port()?);
        let log_place = format!("http://127.0.0.1:{log_port}");
        let settings = shell.folder().join("fulcio.json").display().to_string();
        let authority = start(shell, "fulcio-ct", port, &[settings, log_place.clone()])?;
        let place = format!("http://127.0.0.1:{port}");
        let chain = chain(shell, &place)?;
        // the log has to know the authority, which is a new one each time
        shell.write("authority.pem", &chain)?;
        let path = |name: &str| shell.folder().join(name).display().to_string();
        let arguments = [
            "certificates.local".to_owned(),
            path("authority.pem"),
            path("certificates"),
        ];
        let log = start(shell, "ct-log", log_port, &arguments)?;
        let log_key = String::from_utf8(shell.read("certificates.pub")?)?;
        Ok(Self {
            log: trusted_root::log_of_version_1(shell, "certificates", (&log_place, &log_key))?,
            place,
            issuer,
            chain,
            log_key,
            _processes: [tokens, authority, log],
        })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.place
    }

    /// Its certificates, PEM: the root last.
    pub fn chain(&self) -> &str {
        &self.chain
    }

    /// The public key of its log of certificates, PEM.
    pub fn log_key(&self) -> &str {
        &self.log_key
    }

    /// It and its log, as trusted roots have them.
    pub fn trusted(&self) -> Certifying {
        let authority = trusted_root::authority(&self.place, &self.chain);
        (authority, self.log.clone())
    }

    /// The issuer of the tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The flags that expect a certificate of it for this name.
    pub fn identity_flags(&self, name: &str) -> String {
        format!(
            "--certificate-identity={name} --certificate-oidc-issuer={}",
            self.issuer
        )
    }

    /// Writes an identity token of [`Self::ROBOT`] to the file `token`.
    pub fn write_token(&self, shell: &Shell) -> Result<()> {
        shell.write("token", self.token(shell, "build", "robot")?)
    }

    /// An identity token for a service account.
    pub fn token(&self, shell: &Shell, namespace: &str, account: &str) -> Result<String> {
        let address = format!("{}/token/{namespace}/{account}", self.issuer);
        let line = format!("curl --noproxy '*' --silent --show-error --fail {address}");
        let token = shell.ok(&line).context("no identity token")?;
        Ok(token.trim().to_owned())
    }
}

/// Starts one of the programs, whose first argument is its port, and waits for that.
fn start(shell: &Shell, name: &str, port: u16, more: &[String]) -> Result<Process> {
    let program = parts::folder()?.join("bin").join(name);
    let arguments = [&[port.to_string()], more].concat();
    let mut process = Process::start(name, &program, &arguments, &[], shell.folder())?;
    process.wait_until(LIMIT, || TcpStream::connect(("127.0.0.1", port)).is_ok())?;
    Ok(process)
}

fn chain(shell: &Shell, place: &str) -> Result<String> {
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
