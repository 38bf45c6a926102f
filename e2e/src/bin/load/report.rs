//! What is told of a measurement: one row of a table, and the requests.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::Instant;

use crate::requests::Requests;
use crate::watch::{self, Marks};

/// What was measured beside the times of the runs.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) scenario: String,
    pub(crate) cpu: Duration,
    pub(crate) resident: u64,
    pub(crate) peak: u64,
    pub(crate) requests: Requests,
}

impl Report {
    /// A table in Markdown with one row. Latencies are from the end of a run, or from the start of the
    /// controller where that is later.
    pub(crate) fn text(&self, ends: &Marks, marks: &Marks) -> Result<String> {
        let count = marks.len();
        let latencies = latencies(ends, marks)?;
        let share = |percent: usize| seconds(percentile(&latencies, percent));
        let objects = f64::from(u32::try_from(count)?);
        let writes = f64::from(u32::try_from(self.requests.writes())?) / objects;
        Ok(format!(
            "| scenario | runs | signed per second | p50 | p90 | p99 | most | processor time for each \
             run | memory at the end | peak | writes for each run |\n\
             |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n\
             | `{}` | {count} | {:.1} | {} | {} | {} | {} | {:.2} ms | {} | {} | {writes:.2} |\n\n\
             requests: {}\n",
            self.scenario,
            watch::rate(marks)?,
            share(50),
            share(90),
            share(99),
            share(100),
            self.cpu.as_secs_f64() * 1000.0 / objects,
            megabytes(self.resident),
            megabytes(self.peak),
            self.requests.text()
        ))
    }
}

fn latencies(ends: &Marks, marks: &Marks) -> Result<Vec<Duration>> {
    let latencies = marks.iter().map(|(name, mark): (&String, &Instant)| {
        let end = ends
            .get(name)
            .with_context(|| format!("{name} has no end"))?;
        Ok(mark.saturating_duration_since(*end))
    });
    let mut latencies = latencies.collect::<Result<Vec<_>>>()?;
    latencies.sort_unstable();
    Ok(latencies)
}

/// The value that so many percent do not exceed; `latencies` are in order.
fn percentile(latencies: &[Duration], percent: usize) -> Duration {
    let index = (latencies.len() * percent).div_ceil(100).saturating_sub(1);
    latencies.get(index).copied().unwrap_or_default()
}

fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 1.0 {
        return format!("{:.0} ms", seconds * 1000.0);
    }
    format!("{seconds:.1} s")
}

fn megabytes(bytes: u64) -> String {
    format!(
        "{:.1} MB",
        f64::from(u32::try_from(bytes / 1000).unwrap_or(u32::MAX)) / 1000.0
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let latencies: Vec<Duration> = (1..=10).map(Duration::from_secs).collect();
        let value = |percent| percentile(&latencies, percent).as_secs();
        assert_eq!([50, 90, 99, 100].map(value), [5, 9, 10, 10]);
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }
}
