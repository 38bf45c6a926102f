//! When runs were marked, as a watch of the cluster sees it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::StreamExt as _;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use windlass_e2e::Api;
use windlass_e2e::plan::Kind;

/// The mark.
const SIGNED: &str = "chains.tekton.dev/signed";
/// How long no run may be marked.
const PATIENCE: Duration = Duration::from_secs(120);

/// The time of the mark of each run, by its name.
pub(crate) type Marks = HashMap<String, Instant>;

/// Sees, from now on, when the runs of a batch are marked, until so many are.
pub(crate) async fn marks(
    kubeconfig: PathBuf,
    kind: Kind,
    batch: String,
    count: usize,
) -> Result<JoinHandle<Result<Marks>>> {
    let api = Api::connect(&kubeconfig).await?;
    let path = format!("/apis/tekton.dev/v1/{}", kind.plural());
    let mut version = api.version(&path).await?;
    let labels = format!("load%3D{batch}");
    Ok(tokio::spawn(async move {
        let mut marks = Marks::new();
        while marks.len() < count {
            let events = api.watch(&path, &version, &labels).await?;
            let mut events = std::pin::pin!(events);
            while marks.len() < count {
                let event = timeout(PATIENCE, events.next()).await;
                let event =
                    event.with_context(|| format!("only {} runs are signed", marks.len()))?;
                // a watch ends now and then
                let Some(event) = event else { break };
                note(&event?, &mut version, &mut marks)?;
            }
        }
        Ok(marks)
    }))
}

fn note(metadata: &Value, version: &mut String, marks: &mut Marks) -> Result<()> {
    let Some(seen) = metadata["resourceVersion"].as_str() else {
        bail!("the watch failed");
    };
    version.replace_range(.., seen);
    let name = metadata["name"].as_str().context("a run without a name")?;
    if let Some(mark) = metadata["annotations"][SIGNED].as_str() {
        ensure!(mark == "true", "run {name} is marked {mark:?}");
        marks.entry(name.to_owned()).or_insert_with(Instant::now);
    }
    Ok(())
}

/// How many runs were marked a second, from the first one on.
pub(crate) fn rate(marks: &Marks) -> Result<f64> {
    let first = marks.values().min().context("no run is signed")?;
    let last = marks.values().max().context("no run is signed")?;
    let rest = f64::from(u32::try_from(marks.len().saturating_sub(1))?);
    Ok(rest / (*last - *first).as_secs_f64().max(0.001))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_counts_what_came_after_the_first() {
        let first = Instant::now();
        let marks = (0..11).map(|number| {
            let mark = first + Duration::from_millis(500) * number;
            (format!("run-{number}"), mark)
        });
        assert_eq!(rate(&marks.collect()).ok(), Some(2.0));
    }
}
