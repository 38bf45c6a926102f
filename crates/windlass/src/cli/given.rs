//! Payloads and signatures as they are typed: a file, standard input, a URL, an environment variable,
//! or the base64 text of a signature itself.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};

use super::verdict;
use crate::input::Input;
use crate::inspect::layers::decode;
use crate::public_url::PublicUrl;

/// Largest payload that is fetched.
const PAYLOAD: usize = 16 << 20;
/// Largest signature that is fetched.
const SIGNATURE: usize = 64 << 10;

/// A payload.
pub(super) async fn payload(typed: &str) -> anyhow::Result<Vec<u8>> {
    read(typed, "payload", PAYLOAD).await
}

/// A signature: what `typed` names, or `typed` itself where that is one.
pub(super) async fn signature(typed: &str) -> anyhow::Result<Vec<u8>> {
    // the shortest signature, Ed25519's, has 64 bytes; no path is taken for one
    let literal = decode(typed.as_bytes()).is_some_and(|bytes| bytes.len() >= 64);
    if literal && !Path::new(typed).exists() {
        return Ok(typed.as_bytes().to_vec());
    }
    read(typed, "signature", SIGNATURE).await
}

async fn read(typed: &str, what: &str, limit: usize) -> anyhow::Result<Vec<u8>> {
    ensure!(
        !typed.trim().is_empty(),
        "the {what} is blank; name a file, a URL or a variable"
    );
    match typed.split_once("://") {
        Some(("https" | "http", _)) => {
            let failed = || format!("cannot read the {what} of the URL");
            let url = PublicUrl::parse(typed).with_context(failed)?;
            let fetched = url.fetch(limit).await;
            fetched.with_context(|| format!("cannot read the {what} at {url}"))
        }
        Some(("env", "")) => bail!("cannot read the {what}: write env://VARIABLE"),
        Some(("env", name)) => {
            let value = std::env::var_os(name).map(OsString::into_encoded_bytes);
            value.with_context(|| {
                format!("cannot read the {what}: the environment variable {name} is not set")
            })
        }
        Some((scheme, _)) if !Path::new(typed).exists() => {
            bail!("cannot read the {what}: {scheme}:// is not read; use https://, env:// or a file")
        }
        _ => verdict::read(&Input::of(typed), what),
    }
}
