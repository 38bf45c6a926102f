//! The README as a walk in which the real cosign and tkn take the part of windlass wherever they have the
//! verb, with the flags that docs/verifiers.md names. The walk with windlass alone is a test of windlass.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use windlass_e2e::page::{commands, row};
use windlass_e2e::{Cosign, Workstation};

const README: &str = include_str!("../../../README.md");
const FLAGS: &str = include_str!("../../../docs/verifiers.md");

/// Commands that build, or that are for a cluster of one's own.
const NOT_TYPED: [&str; 4] = [
    "cargo ",
    "windlass install ",
    "SYSTEM_NAMESPACE=openshift-pipelines windlass controller",
    "windlass dev",
];

#[test]
fn the_readme_works_with_cosign_2_and_tkn() -> Result<()> {
    walk(Cosign::Two)
}

#[test]
fn the_readme_works_with_cosign_3_and_tkn() -> Result<()> {
    walk(Cosign::Three)
}

fn walk(cosign: Cosign) -> Result<()> {
    let workstation = Workstation::new(cosign)?;
    let shell = workstation.shell();
    let (mut dev, mut of_originals) = (None, 0);
    for command in commands(README) {
        if command.starts_with("windlass dev") {
            let flags = command.trim_start_matches("windlass dev");
            dev = Some(workstation.dev(flags)?);
        }
        // what the demo prints comes before there is a cluster
        if dev.is_none() || NOT_TYPED.iter().any(|start| command.starts_with(start)) {
            continue;
        }
        if command.starts_with("kubectl create ") {
            // the newest run is a matter of whole seconds to tkn
            sleep(Duration::from_secs(1));
        }
        let typed = by_originals(&command, cosign)?;
        of_originals += usize::from(typed != command);
        shell.ok(&format!("set -o pipefail; {typed}"))?;
    }
    ensure!(dev.is_some(), "the README starts no cluster");
    ensure!(
        of_originals >= 8,
        "only {of_originals} lines are those of cosign and tkn"
    );
    Ok(())
}

/// The command with cosign or tkn in the place of windlass. What shows the state of a signature stays
/// windlass's, as tkn does not know it.
fn by_originals(command: &str, cosign: Cosign) -> Result<String> {
    let mut typed = command.replace("windlass generate-key-pair", "cosign generate-key-pair");
    if !command.contains("signed: ") {
        typed = typed.replace("windlass tr describe", "tkn tr describe");
    }
    // the longer name first
    for verb in ["verify-blob-attestation", "verify-blob"] {
        let own = format!("windlass {verb} ");
        if typed.contains(&own) {
            typed = typed.replace(&own, &format!("cosign {verb} {} ", flags(verb, cosign)?));
        }
    }
    Ok(typed)
}

/// The flags that the page names for a verb.
fn flags(verb: &str, cosign: Cosign) -> Result<String> {
    let row = row(FLAGS, &format!("`{verb}`")).context("no flags in docs/verifiers.md")?;
    let columns = match cosign {
        Cosign::Two => 1..2,
        Cosign::Three => 1..3,
    };
    let cells = row
        .get(columns)
        .context("a short row in docs/verifiers.md")?;
    let flags = cells.iter().filter_map(|cell| cell.split('`').nth(1));
    Ok(flags.collect::<Vec<_>>().join(" "))
}
