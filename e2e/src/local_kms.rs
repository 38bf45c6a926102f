//! An emulator of AWS KMS that is nobody's client under test: `local-kms`.

use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::parts;
use crate::ports::free_port;
use crate::process::Process;
use crate::shell::Shell;

/// How long it may take to start.
const LIMIT: Duration = Duration::from_secs(30);

/// A running emulator. Dropping it kills it.
#[derive(Debug)]
pub struct LocalKms {
    place: String,
    _process: Process,
}

impl LocalKms {
    /// Starts an emulator, with its files in a folder.
    pub fn start(folder: &Path) -> Result<Self> {
        let place = format!("127.0.0.1:{}", free_port()?);
        let data = folder.join("local-kms").display().to_string();
        let program = parts::folder()?.join("bin/local-kms");
        let arguments = [place.clone(), data];
        let mut process = Process::start("local-kms", &program, &arguments, &[], folder)?;
        process.wait_until(LIMIT, || TcpStream::connect(&place).is_ok())?;
        Ok(Self {
            place,
            _process: process,
        })
    }

    /// What makes a process use the emulator. It does not check who asks.
    pub fn variables(&self) -> Vec<(String, String)> {
        let url = format!("http://{}", self.place);
        [
            ("AWS_ENDPOINT_URL_KMS", url.as_str()),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "not-checked"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// A shell whose programs use the emulator.
    pub fn shell(&self, shell: &Shell) -> Shell {
        let variables = self.variables();
        let with = |shell: Shell, (name, value): &(String, String)| shell.with(name, value);
        variables.iter().fold(shell.clone(), with)
    }

    /// Makes a key that has an alias, `alias/NAME`.
    pub fn create_key(&self, shell: &Shell, name: &str, spec: &str) -> Result<()> {
        let wanted = json!({"KeyUsage": "SIGN_VERIFY", "KeySpec": spec});
        let made = self.call(shell, "CreateKey", &wanted)?;
        let id = made["KeyMetadata"]["KeyId"].as_str();
        let id = id.with_context(|| format!("no key of {spec}: {made}"))?;
        let alias = json!({"AliasName": format!("alias/{name}"), "TargetKeyId": id});
        self.call(shell, "CreateAlias", &alias).map(drop)
    }

    /// Points `alias/NAME` to a new key.
    pub fn replace_key(&self, shell: &Shell, name: &str, spec: &str) -> Result<()> {
        let alias = json!({"AliasName": format!("alias/{name}")});
        self.call(shell, "DeleteAlias", &alias)?;
        self.create_key(shell, name, spec)
    }

    fn call(&self, shell: &Shell, operation: &str, body: &Value) -> Result<Value> {
        let answer = shell.ok(&format!(
            "curl --noproxy '*' --silent --show-error --fail-with-body http://{}/ \
             -H 'Content-Type: application/x-amz-json-1.1' \
             -H 'X-Amz-Target: TrentService.{operation}' -d '{body}'",
            self.place
        ))?;
        if answer.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&answer).with_context(|| format!("{operation}: {answer}"))
    }
}
