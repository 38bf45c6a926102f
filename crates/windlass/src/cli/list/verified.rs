//! The column VERIFIED of a list: whether what is stored on each run is valid.

use futures::{StreamExt as _, stream};
use kube::Client;
use windlass_core::run::Kind;

use crate::cli::output::age;
use crate::inspect::listing::Row;
use crate::inspect::on_cluster;
use crate::inspect::verify::{ExpectedSigner, VerifyRequest, run};

/// Runs that are verified at once.
const AT_ONCE: usize = 8;

/// A cell for each run.
pub(super) async fn cells(
    rows: &[Row],
    kind: Kind,
    client: &Client,
    signers: &[ExpectedSigner],
) -> Vec<&'static str> {
    let cells = rows.iter().map(|row| cell(row, kind, client, signers));
    stream::iter(cells).buffered(AT_ONCE).collect().await
}

async fn cell(row: &Row, kind: Kind, client: &Client, signers: &[ExpectedSigner]) -> &'static str {
    let run = row.whole.to_string();
    let Ok(children) = on_cluster::children(client, kind, &run).await else {
        return "unknown";
    };
    let documents = on_cluster::with(kind, run, &children);
    let mut cell = "no";
    for signer in signers {
        let request = VerifyRequest::of(signer.clone());
        let report = run::verify(String::new(), &documents, &request).await;
        cell = match report {
            Ok(report) if report.entries.is_empty() => age::NONE,
            Ok(report) if report.verdict().is_ok() => return "yes",
            Ok(_) => "no",
            Err(_) => "unknown",
        };
    }
    cell
}
