//! `login`: writes a credential to the Docker configuration of this machine, as `docker login` does
//! where there is no credential helper.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use windlass_registry::Repository;
use windlass_registry::keychain::Helper;
use zeroize::Zeroizing;

use super::output;
use crate::input::Input;
use crate::local_file;

/// Largest configuration file, and longest password.
const LIMIT: usize = 1 << 20;
/// The key of Docker Hub in a configuration.
const HUB: &str = "https://index.docker.io/v1/";

/// Log in to a registry: keep a user and password for it on this machine
///
/// Writes to config.json in `$DOCKER_CONFIG`, or else in ~/.docker, where Docker, cosign and windlass
/// find it. The registry is not asked.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass login registry.example.com -u alice
  printf %s \"$TOKEN\" | windlass login registry.example.com -u alice --password-stdin")]
pub(crate) struct Login {
    /// User of the registry
    #[arg(short, long, value_name = "NAME")]
    username: String,
    /// Password or token; others on this machine may see it, so prefer --password-stdin
    #[arg(
        short,
        long,
        value_name = "PASSWORD",
        conflicts_with = "password_stdin"
    )]
    password: Option<String>,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
    /// Registry: HOST or HOST:PORT
    #[arg(value_name = "REGISTRY", default_value = "index.docker.io")]
    registry: String,
}

impl Login {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let repository = registry(&self.registry)?;
        let key = match repository.registry() {
            "index.docker.io" => HUB,
            registry => registry,
        };
        ensure!(!self.username.is_empty(), "the user name is empty");
        ensure!(!self.username.contains(':'), "the user name has a colon");
        let path = path()?;
        let mut config = read(&path)?;
        if let Some(helper) = Helper::of(
            Value::from(config.clone()).to_string().as_bytes(),
            &repository,
        ) {
            bail!(
                "{} leaves the credentials for {} to {}; use `docker login`, which runs it",
                path.display(),
                repository.registry(),
                helper.program
            );
        }
        let password = self.password()?;
        let auth = Zeroizing::new(format!("{}:{}", self.username, password.as_str()));
        let auths = config.entry("auths").or_insert_with(|| json!({}));
        let Some(auths) = auths.as_object_mut() else {
            bail!(
                "`auths` in {} is not an object; mend it first",
                path.display()
            );
        };
        auths.insert(
            key.to_owned(),
            json!({ "auth": STANDARD.encode(auth.as_bytes()) }),
        );
        let text = Zeroizing::new(format!("{:#}\n", Value::from(config)));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        local_file::replace(&path, text.as_bytes(), local_file::PRIVATE)
            .with_context(|| format!("cannot write {}", path.display()))?;
        output::note(&format!("logged in to {key} via {}", path.display()));
        Ok(ExitCode::SUCCESS)
    }

    fn password(&self) -> anyhow::Result<Zeroizing<String>> {
        let password = match (&self.password, self.password_stdin) {
            (Some(password), _) => Zeroizing::new(password.clone()),
            (None, true) => {
                let read = Zeroizing::new(
                    Input::Stdin
                        .read(LIMIT)
                        .context("cannot read the password")?,
                );
                let text = str::from_utf8(&read).context("the password is not text")?;
                Zeroizing::new(text.trim_end_matches(['\n', '\r']).to_owned())
            }
            (None, false) => {
                let typed = rpassword::prompt_password("Password: ");
                Zeroizing::new(typed.context("cannot ask for the password; use --password-stdin")?)
            }
        };
        ensure!(!password.is_empty(), "the password is empty");
        Ok(password)
    }
}

/// A repository in the registry that is typed. Like `docker login` it takes the address of a website, of
/// which the host is what counts.
fn registry(typed: &str) -> anyhow::Result<Repository> {
    let schemes = ["https://", "http://"];
    let address = schemes.iter().find_map(|scheme| typed.strip_prefix(scheme));
    let host = address.map(|address| address.split('/').next().unwrap_or_default());
    let host = host.unwrap_or(typed);
    let repository = Repository::parse(&format!("{host}/login"))
        .ok()
        .filter(|_| !host.is_empty() && !host.contains(['@', '?', '#']));
    repository.with_context(|| format!("{typed:?} is not a registry; write HOST or HOST:PORT"))
}

/// Where the configuration is.
fn path() -> anyhow::Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let folder = set("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| Some(PathBuf::from(set("HOME")?).join(".docker")));
    let folder = folder.context("there is no home folder; set DOCKER_CONFIG")?;
    Ok(folder.join("config.json"))
}

/// The configuration that is there, or an empty one.
fn read(path: &Path) -> anyhow::Result<Map<String, Value>> {
    if !path.exists() {
        return Ok(Map::new());
    }
    let content = Zeroizing::new(
        Input::File(path.to_owned())
            .read(LIMIT)
            .with_context(|| format!("cannot read {}", path.display()))?,
    );
    // the error is left out: it may quote a value
    let read: Option<Map<String, Value>> = serde_json::from_slice(&content).ok();
    read.with_context(|| {
        format!(
            "{} is not a Docker configuration; mend it first",
            path.display()
        )
    })
}
