//! The images of a task's steps, looked at before any step runs.

use serde_json::Value;

use super::name::step_name;
use super::plan::Plan;
use super::pod::PodStep;
use super::record::{Outcome, invalid};
use super::shared::Shared;
use crate::cluster::object;
use crate::images::{self, Image};

/// The steps with their images. An image that cannot be pulled ends the run, as on a cluster, and so
/// does a step that only its image's entry point could run.
pub(super) fn of_steps(shared: &Shared, run: &Value, plan: &Plan) -> Result<Vec<PodStep>, Outcome> {
    let steps = plan.steps().iter().enumerate();
    steps
        .map(|(at, step)| of_step(shared, run, plan, at, step))
        .collect()
}

fn of_step(
    shared: &Shared,
    run: &Value,
    plan: &Plan,
    at: usize,
    step: &Value,
) -> Result<PodStep, Outcome> {
    let name = step_name(step, at);
    let template = &plan.spec["stepTemplate"]["image"];
    let image = [&step["image"], template]
        .into_iter()
        .find_map(Value::as_str);
    let Some(image) = image.filter(|image| !image.is_empty()) else {
        return Err(invalid(format!("missing field(s): steps[{at}].image")));
    };
    let image_id = match images::find(image, shared.digests.as_ref()) {
        Image::Known(id) => Some(id),
        Image::Elsewhere => None,
        Image::Unknown(why) => {
            let run = object::name(run);
            let message = format!(
                "the step \"{name}\" in TaskRun \"{run}\" failed to pull the image \"{image}\". \
                 The pod errored with the message: \"{why}\""
            );
            return Err(Outcome::failed("TaskRunImagePullFailed", message));
        }
    };
    let has = |field: &str| match &step[field] {
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if !has("script") && !has("command") {
        return Err(invalid(format!(
            "the step \"{name}\" has neither script nor command: only its image says what it runs, \
             and steps run as processes on this machine, not in their images"
        )));
    }
    Ok(PodStep {
        name,
        image: image.to_owned(),
        image_id,
    })
}
