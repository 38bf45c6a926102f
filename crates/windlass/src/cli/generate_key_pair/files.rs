//! A key pair in two files, the private one readable by its owner only.

use std::io::{self, IsTerminal as _};
use std::path::Path;

use anyhow::Context as _;

use super::pair::{Existing, KeyPair};
use crate::cli::output::{note, say};
use crate::local_file::{self, PRIVATE, PUBLIC};

/// Makes a pair and writes `<prefix>.key` and `<prefix>.pub`.
pub(super) fn generate(prefix: &str, existing: Existing) -> anyhow::Result<()> {
    write_pair(prefix, existing, KeyPair::generate)
}

/// The same with the pair that this gives, which is asked for once it is known that it can be written.
pub(in crate::cli) fn write_pair(
    prefix: &str,
    existing: Existing,
    pair: impl FnOnce() -> anyhow::Result<KeyPair>,
) -> anyhow::Result<()> {
    let names = [format!("{prefix}.key"), format!("{prefix}.pub")];
    let mut existing = existing;
    for name in &names {
        if existing == Existing::Keep && Path::new(name).exists() {
            confirm(name)?;
            existing = Existing::Replace;
        }
    }
    let pair = pair()?;
    let [private, public] = &names;
    write(private, pair.private.as_bytes(), PRIVATE, existing)?;
    note(&format!("Private key written to {private}"));
    write(public, pair.public.as_bytes(), PUBLIC, existing)?;
    note(&format!("Public key written to {public}"));
    Ok(())
}

/// Asks a person whether a file may be overwritten; where there is no one to ask, it may not.
fn confirm(name: &str) -> anyhow::Result<()> {
    anyhow::ensure!(
        io::stdin().is_terminal(),
        "{name} exists and was not changed; use --force to overwrite it, or --output-key-prefix to \
         write elsewhere"
    );
    say(&format!("{name} exists already. Overwrite it? [y/N] "));
    let mut answer = String::new();
    io::stdin()
        .read_line(&mut answer)
        .context("cannot read your reply")?;
    let yes = ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str());
    anyhow::ensure!(yes, "{name} was not changed, and no key was made");
    Ok(())
}

/// Writes a file in one step: whole, or not at all. A new file never replaces one that has appeared
/// in the meantime.
pub(super) fn write(
    name: &str,
    content: &[u8],
    mode: u32,
    existing: Existing,
) -> anyhow::Result<()> {
    let path = Path::new(name);
    let written = match existing {
        Existing::Keep => local_file::create(path, content, mode),
        Existing::Replace => local_file::replace(path, content, mode),
    };
    written.with_context(|| format!("cannot write {name}"))?;
    Ok(())
}
