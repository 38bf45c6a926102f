//! A key in a service, which never leaves it: only its public half is written here.

use anyhow::{Context as _, ensure};

use super::files;
use super::pair::Existing;
use crate::cli::output::note;
use crate::local_file::PUBLIC;
use crate::sign::kms::Kms;
use crate::sign::kms::means::Means;
use crate::sign::kms::reference::Reference;

/// Creates a key, and writes its public half to `<prefix>.pub`.
pub(super) async fn generate(
    reference: &Reference,
    prefix: &str,
    replaces: bool,
) -> anyhow::Result<()> {
    ensure!(
        !replaces,
        "--force is about files and secrets; a key in a service is never replaced"
    );
    let created = Box::pin(Kms::create(reference, &Means::of_environment())).await;
    let key = created.with_context(|| format!("cannot create the key {reference}"))?;
    note(&format!("Created {}", key.name()));
    let file = format!("{prefix}.pub");
    let pem = key.public_key().to_pem();
    files::write(&file, pem.as_bytes(), PUBLIC, Existing::Replace).with_context(|| {
        format!(
            "the key exists now; print its public half with `windlass public-key --key {reference}`"
        )
    })?;
    note(&format!("Public key written to {file}"));
    Ok(())
}
