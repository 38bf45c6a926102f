//! The runs of a list in the order in which people read it: the newest first.

use serde_json::Value;

use windlass_core::json::Flaw;

use super::runs::{Runs, RunsError};
use super::summary::Summary;

/// How much of each run is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// What a table shows.
    Summary,
    /// That and the whole run.
    Whole,
}

/// A run of a list.
#[derive(Debug)]
pub(crate) struct Row {
    /// What a table shows of it.
    pub(crate) summary: Summary,
    /// The run, null unless it is asked for.
    pub(crate) whole: Value,
}

impl Row {
    fn read(object: &[u8], detail: Detail) -> Result<Self, Flaw> {
        Ok(Self {
            summary: serde_json::from_slice(object)?,
            whole: match detail {
                Detail::Summary => Value::Null,
                Detail::Whole => serde_json::from_slice(object)?,
            },
        })
    }
}

/// Rows that are sorted in at once.
const BATCH: usize = 100;

/// Reads the runs that match a label selector and keeps the first `most` of them. Those that cannot be
/// read are told in `warnings`.
pub(crate) async fn newest(
    runs: &Runs<'_>,
    selector: Option<&str>,
    most: usize,
    detail: Detail,
    warnings: &mut Vec<String>,
) -> Result<Vec<Row>, RunsError> {
    let mut rows = Vec::new();
    let passed_over = runs.each(selector, |object| {
        rows.push(Row::read(object, detail)?);
        if rows.len() >= most.saturating_add(BATCH) {
            newest_first(&mut rows, most);
        }
        Ok(())
    });
    warnings.extend(passed_over.await?);
    newest_first(&mut rows, most);
    Ok(rows)
}

/// Sorts by namespace, then by start, runs that have not started first; then by name.
fn newest_first(rows: &mut Vec<Row>, most: usize) {
    rows.sort_by(|left, right| {
        let (left, right) = (&left.summary, &right.summary);
        let has_started = |run: &Summary| run.status.start_time.is_some();
        left.metadata
            .namespace
            .cmp(&right.metadata.namespace)
            .then_with(|| has_started(left).cmp(&has_started(right)))
            .then_with(|| right.status.start_time.cmp(&left.status.start_time))
            .then_with(|| left.metadata.name.cmp(&right.metadata.name))
    });
    rows.truncate(most);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(name: &str, start: Option<&str>) -> Row {
        let run = json!({
            "metadata": { "name": name, "namespace": "a" },
            "status": { "startTime": start },
        });
        Row::read(run.to_string().as_bytes(), Detail::Whole).unwrap()
    }

    #[test]
    fn waiting_runs_come_first_then_the_newest() {
        let mut rows = vec![
            row("old", Some("2026-01-01T00:00:00Z")),
            row("new", Some("2026-01-01T00:05:00Z")),
            row("waiting", None),
        ];
        newest_first(&mut rows, 2);
        let names: Vec<_> = rows
            .iter()
            .map(|row| row.summary.metadata.name.as_str())
            .collect();
        assert_eq!(names, ["waiting", "new"]);
    }
}
