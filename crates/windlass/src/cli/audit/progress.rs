//! How far the audit is, for a person whose rows go elsewhere.

use std::io::{self, IsTerminal as _, Write as _};

use kube::Client;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::cluster::call::Call;
use crate::cluster::list::{METADATA_LIST, Source};

/// Runs between two signs of progress.
const STEP: u64 = 100;
/// Marks in a whole bar.
const WIDTH: u64 = 30;

/// A bar on the terminal, or nothing.
pub(super) struct Progress {
    is_shown: bool,
    /// None if it is not known.
    total: Option<u64>,
    seen: u64,
}

impl Progress {
    /// A bar for the runs of these sources, if somebody sees it.
    pub(super) async fn start(client: &Client, sources: &[Source]) -> Self {
        let is_shown = io::stderr().is_terminal() && !io::stdout().is_terminal();
        let mut total = Some(0);
        for source in sources.iter().filter(|_| is_shown) {
            let count = count(client, source).await;
            total = total.zip(count).map(|(total, count)| total + count);
        }
        Self {
            is_shown,
            total,
            seen: 0,
        }
    }

    /// One more was seen.
    pub(super) fn step(&mut self) {
        self.seen += 1;
        if self.is_shown && self.seen.is_multiple_of(STEP) {
            show(&bar(self.seen, self.total));
        }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        if self.is_shown {
            show("");
        }
    }
}

/// How many objects there are; the API server does not count where labels are selected.
async fn count(client: &Client, source: &Source) -> Option<u64> {
    #[derive(Deserialize)]
    struct Page {
        metadata: Metadata,
        items: Vec<IgnoredAny>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Metadata {
        #[serde(default)]
        r#continue: String,
        remaining_item_count: Option<u64>,
    }
    if source.labels.is_some() {
        return None;
    }
    let path = source.path.clone().query(&[("limit", "1")]);
    let call = Call::get(format!("count {}", source.what), path).accept(METADATA_LIST);
    let page = call.send(client).await.ok()?;
    let Page { metadata, items } = serde_json::from_slice(&page).ok()?;
    let rest = match metadata.remaining_item_count {
        None if metadata.r#continue.is_empty() => 0,
        rest => rest?,
    };
    Some(rest + u64::try_from(items.len()).ok()?)
}

fn bar(seen: u64, total: Option<u64>) -> String {
    let Some(total) = total.filter(|total| *total > 0) else {
        return format!("{seen} runs");
    };
    let marks = (seen.min(total) * WIDTH).div_euclid(total);
    let marks = usize::try_from(marks).unwrap_or_default();
    let width = usize::try_from(WIDTH).unwrap_or_default();
    let marks = "#".repeat(marks);
    format!("[{marks:.<width$}] {seen} of {total} runs")
}

/// Replaces the line.
fn show(text: &str) {
    // nobody misses it
    let _ = write!(io::stderr(), "\r\u{1b}[K{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_full_at_the_end_and_never_longer() {
        let [none, half, full, more] = [0, 50, 100, 130].map(|seen| bar(seen, Some(100)));
        assert_eq!(none, format!("[{}] 0 of 100 runs", ".".repeat(30)));
        assert_eq!(
            half,
            format!("[{}{}] 50 of 100 runs", "#".repeat(15), ".".repeat(15))
        );
        assert_eq!(full, format!("[{}] 100 of 100 runs", "#".repeat(30)));
        assert_eq!(more, format!("[{}] 130 of 100 runs", "#".repeat(30)));
        assert_eq!(bar(7, None), "7 runs");
    }
}
