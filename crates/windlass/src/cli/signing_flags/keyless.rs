//! The flags of signing without a key: the authority, and where the identity token comes from.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use reqwest::Url;
use windlass_core::config::X509;
use windlass_core::trusted_root::Roots;

use crate::cli::trusted_root::RootRef;
use crate::service::http::excess;
use crate::sign::keyless::error::{Flaw, KeylessError};
use crate::sign::keyless::means::{Means, Typed};
use crate::signing::services::Services;

/// The heading in help texts.
const KEYLESS: &str = "Without a key";
/// The public authority.
const PUBLIC: &str = "https://fulcio.sigstore.dev";
/// For whom identity tokens are.
const AUDIENCE: &str = "sigstore";
/// Longest text that is looked for as a file.
const LONGEST_PATH: usize = 4096;

/// Where a certificate comes from.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct KeylessFlags {
    /// Identity token, or a file with one (default: the first of `SIGSTORE_ID_TOKEN`, GitHub Actions,
    /// Google Cloud and /var/run/sigstore/cosign/oidc-token that there is)
    #[arg(long, value_name = "TOKEN|FILE", conflicts_with = "key", help_heading = KEYLESS)]
    identity_token: Option<String>,
    /// Address of Fulcio, which certifies the identity; the public one publishes it for good
    #[arg(long, value_name = "URL", help_heading = KEYLESS)]
    fulcio_url: Option<String>,
    /// Where the identity token comes from: filesystem, envvar, github-actions or google
    #[arg(long, value_name = "NAME", value_parser = provider, conflicts_with = "key", help_heading = KEYLESS)]
    oidc_provider: Option<&'static str>,
    /// For whom an identity token is asked
    #[arg(long, value_name = "NAME", default_value = AUDIENCE, help_heading = KEYLESS)]
    oidc_client_id: String,
    /// Take no identity token but that of --identity-token
    #[arg(long, help_heading = KEYLESS)]
    oidc_disable_ambient_providers: bool,
    /// Do not check that the certificate was published, with --trusted-root
    #[arg(long, help_heading = KEYLESS)]
    insecure_skip_verify: bool,
}

impl KeylessFlags {
    /// What a signer is opened with.
    pub(super) fn means(&self, services: &Services, roots: &Roots) -> anyhow::Result<Means> {
        let address = self.fulcio_url.as_ref().or(services.fulcio.as_ref());
        let address = address.with_context(|| {
            format!(
                "give --key, or name the authority that certifies your identity with --fulcio-url: the \
                 public one is {PUBLIC}, where everybody sees the identity for good"
            )
        })?;
        check(address)?;
        let (token, file) = match &self.identity_token {
            None => (None, String::new()),
            Some(typed) => given(typed)?,
        };
        let settings = X509 {
            fulcio_enabled: true,
            fulcio_address: address.as_str().into(),
            fulcio_issuer: None,
            fulcio_provider: self.oidc_provider.unwrap_or_default().to_owned(),
            identity_token_file: file,
            tuf_mirror_url: "".into(),
            fulcio_root: roots.authorities.clone(),
            fulcio_ctlog_key: if self.insecure_skip_verify {
                String::new()
            } else {
                roots.certificate_logs.clone()
            },
            identity_audience: self.oidc_client_id.clone(),
            identity_service_account: String::new(),
        };
        let typed = Typed {
            token,
            is_ambient: !self.oidc_disable_ambient_providers,
        };
        Ok(Means::of_command(settings, typed))
    }
}

/// A token as it is typed: itself, or the file that it is in. What cannot be either is not repeated.
fn given(typed: &str) -> anyhow::Result<(Option<windlass_core::config::Token>, String)> {
    if typed.is_empty() {
        bail!("--identity-token is empty; give a token or a file with one");
    }
    let is_jwt = typed.split('.').count() == 3 && typed.starts_with("eyJ");
    if is_jwt && !Path::new(typed).is_file() {
        return Ok((Some(typed.into()), String::new()));
    }
    let path = PathBuf::from(typed);
    if typed.len() > LONGEST_PATH || !path.exists() {
        bail!("--identity-token is neither a token (a JWT) nor a file that exists");
    }
    Ok((None, typed.to_owned()))
}

/// Checks the address of Fulcio. It may have a password where it must not, so it is not repeated.
fn check(address: &str) -> anyhow::Result<()> {
    let url = Url::parse(address).ok();
    let url = url.filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    let Some(url) = url else {
        bail!("--fulcio-url is not a URL; write https://HOST");
    };
    if let Some(why) = excess(&url) {
        bail!("--fulcio-url is no address of Fulcio: {why}; write https://HOST");
    }
    Ok(())
}

/// The name of a source of tokens, as cosign has it.
fn provider(name: &str) -> Result<&'static str, String> {
    match name {
        "filesystem" => Ok("filesystem"),
        "envvar" => Ok("envvar"),
        "github-actions" | "github" => Ok("github-actions"),
        "google" | "google-workload-identity" => Ok("google-workload-identity"),
        "spiffe" | "buildkite-agent" | "google-impersonate" => Err(
            "windlass does not ask that one; write its token to a file and give that with \
             --identity-token"
                .to_owned(),
        ),
        _ => Err("use filesystem, envvar, github-actions or google".to_owned()),
    }
}

/// The error in terms of what was typed.
pub(super) fn explained(error: KeylessError, root: Option<&RootRef>) -> anyhow::Error {
    let root = root.map(RootRef::to_string).unwrap_or_default();
    let why = match &error {
        KeylessError::Certificate {
            source: Flaw::Root, ..
        } => "its chain does not end at an authority there",
        KeylessError::Certificate {
            source: Flaw::Sct(_),
            ..
        } => {
            "no log of certificates there has promised to publish it; --insecure-skip-verify does without"
        }
        _ => return error.into(),
    };
    anyhow::anyhow!("the certificate does not pass the trusted root {root}: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_typed_or_in_a_file_and_is_never_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "eyJ").unwrap();
        let file = file.display().to_string();
        assert_eq!(given(&file).unwrap().1, file);
        let token = given("eyJa.eyJb.c2ln").unwrap().0.unwrap();
        assert_eq!(token.expose(), "eyJa.eyJb.c2ln");
        for wrong in ["", "planted", "a.planted.c", &"planted".repeat(2000)] {
            let error = given(wrong).unwrap_err().to_string();
            assert!(!error.contains("planted"), "{error}");
        }
    }

    #[test]
    fn an_address_of_fulcio_is_a_url_with_nothing_secret_in_it() {
        for good in ["https://fulcio.example.com", "http://127.0.0.1:5555/"] {
            check(good).unwrap();
        }
        for bad in [
            "",
            "fulcio.example.com",
            "ftp://fulcio",
            "https://u:planted@fulcio",
            "https://fulcio/?planted=1",
        ] {
            let error = check(bad).unwrap_err().to_string();
            assert!(
                error.contains("--fulcio-url") && !error.contains("planted"),
                "{error}"
            );
        }
    }
}
