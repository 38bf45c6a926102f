//! The question before runs are deleted.

use std::io::BufRead as _;

use anyhow::{Context as _, bail};

use super::selection::{Selected, names};
use crate::cli::output;

/// Longest response that is read.
const LIMIT: u64 = 1024;
/// Questions before silence counts as no.
const QUESTIONS: usize = 3;

/// Asks whether to delete `what`; anything but `y` is no.
pub(super) fn ask(what: &str, selected: &[Selected]) -> anyhow::Result<()> {
    let attached = selected.iter().filter(|run| run.parent_runs);
    let attached = names(attached);
    if !attached.is_empty() {
        output::note(&format!(
            "warning: the PipelineRun of {attached} has not ended and will run it again"
        ));
    }
    let mut input = std::io::stdin().lock();
    output::write(format!("Are you sure you want to delete {what} (y/n): "))?;
    for _ in 0..QUESTIONS {
        let mut typed = String::new();
        let mut line = std::io::Read::take(&mut input, LIMIT);
        let read = line.read_line(&mut typed);
        if read.context("cannot read the response")? == 0 {
            break;
        }
        match typed.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => return Ok(()),
            "n" | "no" => bail!("nothing was deleted"),
            _ => output::write("Please enter (y/n): ")?,
        }
    }
    bail!("nothing was deleted: nobody said y; use --force to delete without the question")
}
