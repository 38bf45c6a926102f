//! How much a pipeline run may ask for, and how long it may take.

use std::time::Duration;

use serde_json::Value;

use super::refusal::Refusal;
use crate::steps::duration::{self, HOUR};

/// Most tasks of a pipeline.
pub(super) const TASKS: usize = 256;
/// Most task runs of a pipeline run.
pub(super) const CHILDREN: usize = 1024;
/// Most retries of a task.
pub(super) const RETRIES: u64 = 100;
/// Most bytes of a pipeline once its variables are replaced.
pub(super) const SIZE: usize = 3 << 19;

/// The times of a run; `None` for no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Timeouts {
    pub pipeline: Option<Duration>,
    pub tasks: Option<Duration>,
    pub finally: Option<Duration>,
}

impl Timeouts {
    /// Reads the times; those left out follow from the others.
    pub(super) fn of(run: &Value) -> Result<Self, Refusal> {
        let read = |field: &str| -> Result<Option<Duration>, Refusal> {
            let text = run["spec"]["timeouts"][field].as_str();
            let time = text.map(duration::parse).transpose();
            time.map_err(|why| invalid(&format!("{why}: spec.timeouts.{field}")))
        };
        let given = read("pipeline")?;
        let pipeline = given.unwrap_or(HOUR);
        let (tasks, finally) = (read("tasks")?, read("finally")?);
        for (field, time) in [("tasks", tasks), ("finally", finally)] {
            let is_longer = time.is_some_and(|time| time > pipeline) && !pipeline.is_zero();
            if is_longer {
                return Err(invalid(&format!(
                    "spec.timeouts.{field} is longer than the time of the pipeline, {}",
                    duration::show(pipeline)
                )));
            }
        }
        let sum = tasks.unwrap_or_default();
        let sum = sum.saturating_add(finally.unwrap_or_default());
        if sum > pipeline && !pipeline.is_zero() {
            return Err(invalid(&format!(
                "spec.timeouts.tasks and spec.timeouts.finally together are longer than the time \
                 of the pipeline, {}",
                duration::show(pipeline)
            )));
        }
        // what is left of the pipeline's time, if it is given
        let rest = |other: Option<Duration>| {
            let other = other.filter(|other| !other.is_zero())?;
            let given = given.filter(|given| !given.is_zero())?;
            given.checked_sub(other)
        };
        let limit = |time: Duration| Some(time).filter(|time| !time.is_zero());
        Ok(Self {
            pipeline: limit(pipeline),
            tasks: tasks.map_or_else(|| rest(finally), limit),
            finally: finally.map_or_else(|| rest(tasks), limit),
        })
    }
}

fn invalid(why: &str) -> Refusal {
    Refusal::new("PipelineValidationFailed", format!("invalid value: {why}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn timeouts(timeouts: &Value) -> Result<[Option<u64>; 3], String> {
        let run = json!({"spec": {"timeouts": timeouts}});
        let found = Timeouts::of(&run).map_err(|refusal| refusal.message)?;
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs());
        Ok([found.pipeline, found.tasks, found.finally].map(seconds))
    }

    #[test]
    fn a_time_that_is_left_out_follows_from_the_others() {
        for (given, expected) in [
            (json!(null), [Some(3600), None, None]),
            (json!({"pipeline": "10s"}), [Some(10), None, None]),
            (
                json!({"pipeline": "10s", "tasks": "4s"}),
                [Some(10), Some(4), Some(6)],
            ),
            (
                json!({"pipeline": "10s", "finally": "4s"}),
                [Some(10), Some(6), Some(4)],
            ),
            (json!({"tasks": "4s"}), [Some(3600), Some(4), None]),
            (
                json!({"pipeline": "0", "tasks": "4s"}),
                [None, Some(4), None],
            ),
        ] {
            assert_eq!(timeouts(&given), Ok(expected), "{given}");
        }
        for given in [
            json!({"pipeline": "1s", "tasks": "2s"}),
            json!({"pipeline": "3s", "tasks": "2s", "finally": "2s"}),
            json!({"pipeline": "soon"}),
        ] {
            assert!(timeouts(&given).is_err(), "{given}");
        }
    }
}
