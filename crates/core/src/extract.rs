//! Extraction: which artifacts a run consumed and produced, found by the names of its results and
//! params. See docs/behaviour.md, "Artifacts".
//!
//! Where the order of Tekton Chains is random (several pairs of results), here it is the order of
//! their first occurrence. A hint that cannot be used is left out, with a note.

pub(crate) use self::children::{Children, Executed};
pub(crate) use self::dependencies::{
    GIT_COMMIT, GIT_URL, Git, GitSource, PULLABLE, image_used, images_used, pipeline_sources,
    step_sources, task_sources,
};
pub(crate) use self::hints::{is_build_artifact, is_image_result};
pub(crate) use self::subjects::{Breadth, Scope, subjects};

use crate::image::Image;
use crate::run::TaskRun;
use crate::warning::{Notes, Warning};

mod children;
mod dependencies;
pub(crate) mod hints;
mod subjects;

/// The images of a task run that are signed: those named by its own results, each once.
pub fn images(run: &TaskRun<'_>) -> (Vec<Image>, Vec<Warning>) {
    let mut notes = Notes::default();
    let images = hints::images(&run.status.results, &mut notes);
    (images, notes.into_warnings())
}
